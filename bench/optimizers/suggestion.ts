/** Time of one suggestion of `bo` (fit and ask) when 200 points of 20 variables and 3 objectives are told, beside BoTorch's on as many. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { optimizerNamed } from '@app/optim';
import { createSearchSpace } from '@app/space';
import { projectRoot } from './problems.js';

export interface SuggestionTime {
  readonly points: number;
  readonly variables: number;
  readonly objectives: number;
  /** processor time: the first ask, which fits the models from nothing, and the one after a further point */
  readonly ours: { readonly first: number; readonly next: number; readonly node: string };
  readonly botorch?: { readonly seconds: number; readonly versions: Readonly<Record<string, string>> };
}

const file = (): string => join(projectRoot(), 'bench/data/suggestion-time.json');

export function readSuggestionTime(): SuggestionTime | null {
  return existsSync(file()) ? (JSON.parse(readFileSync(file(), 'utf8')) as SuggestionTime) : null;
}

/** @param python  one that has BoTorch, to time it too */
export function timeSuggestion(python: string | undefined): SuggestionTime {
  const [points, variables, objectives] = [200, 20, 3];
  const space = createSearchSpace(Array.from({ length: variables }, (_, i) => ({ name: `x${i}`, type: 'float' as const, min: 0, max: 1 })));
  const run = optimizerNamed('bo').start({ space, objectives, constraints: 0, seed: 1, maxTrials: 1000 }, { initialPoints: points });
  const tell = (asked: ReturnType<typeof run.ask>): void =>
    run.tell(asked.map((c) => {
      const point = space.decode(c.genes);
      return { ...c, state: 'completed' as const, objectives: dtlz2(Array.from({ length: variables }, (_, i) => point[`x${i}`] as number), objectives), violations: [] };
    }));
  tell(run.ask(points));
  const [first, next] = [0, 1].map(() => {
    const began = process.cpuUsage();
    const asked = run.ask(1);
    const { user, system } = process.cpuUsage(began);
    tell(asked);
    return (user + system) / 1e6;
  }) as [number, number];
  const ours = { first, next, node: process.versions.node };
  return { points, variables, objectives, ours, ...(python === undefined ? {} : { botorch: timeBotorch(python) }) };
}

export function writeSuggestionTime(time: SuggestionTime): void {
  writeFileSync(file(), `${JSON.stringify(time, null, 2)}\n`);
}

function timeBotorch(python: string): NonNullable<SuggestionTime['botorch']> {
  const run = spawnSync(python, [join(projectRoot(), 'bench/peers/suggestion_time.py')], { encoding: 'utf8', env: { ...process.env, OMP_NUM_THREADS: '1' } });
  if (run.status !== 0) throw new Error(`${python} ended with ${run.status}: ${run.stderr}`);
  const { processorSeconds, versions } = JSON.parse(run.stdout) as { processorSeconds: number; versions: Record<string, string> };
  return { seconds: processorSeconds, versions };
}

/** DTLZ2 (Deb et al. 2002). */
function dtlz2(x: readonly number[], m: number): number[] {
  const g = x.slice(m - 1).reduce((s, v) => s + (v - 0.5) ** 2, 0);
  return Array.from({ length: m }, (_, j) => {
    const cosines = x.slice(0, m - 1 - j).reduce((p, v) => p * Math.cos((v * Math.PI) / 2), 1 + g);
    return j === 0 ? cosines : cosines * Math.sin((x[m - 1 - j]! * Math.PI) / 2);
  });
}
