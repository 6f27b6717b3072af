/**
 * A real search, from an empty database: the study of search-spaces/examples/flynet-fashion-mnist.yaml (every candidate trained, an
 * STM32F446RE's limits), then hand-scaled FlyNet-h3 and MobileNetV3-Small trained by the same recipe. The front's networks are trained
 * once more with another seed than the search's, as are the hand-scaled ones: what is compared was not selected for its luck.
 *
 *   npm run bench:search -- [--out caddis-out/search] [--study FILE] [--again 2] [--json]
 *
 * Every part is a `caddis search` that keeps its folder under --out; a run that was ended goes on there.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { dominates } from '@app/pareto';
import { parse, stringify } from 'yaml';
import { projectRoot } from './optimizers/problems.js';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: 'caddis-out/search' },
    study: { type: 'string', default: 'search-spaces/examples/flynet-fashion-mnist.yaml' },
    again: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});

interface Study {
  readonly name: string;
  readonly searchSpace: unknown;
  readonly task: { readonly numClasses: number };
  readonly accuracy: Readonly<Record<string, unknown>>;
  readonly constraints: readonly { readonly metric: string; readonly target: string; readonly value: number }[];
  readonly budget: { readonly maxTrials: number; readonly maxDuration?: string; readonly maxParallelTrials: number };
  readonly seed: number;
}

interface Trial {
  readonly number: number;
  readonly state: string;
  readonly parameters: Readonly<Record<string, number | string>>;
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly unit: string; readonly interval?: readonly [number, number] }>>;
}

interface Network {
  readonly name: string;
  /** % of the held-out images */
  readonly accuracy: number;
  /** ms */
  readonly latency: number;
  /** KiB */
  readonly peakRam: number;
  readonly flash: number;
  readonly params: number;
}

const study = parse(readFileSync(resolve(projectRoot(), options.study), 'utf8')) as Study;
const target = study.constraints[0]!.target;

/** Runs a study in its folder, or takes it up again. Returns its trials and its seconds by the clock, of all runs together. */
async function search(folder: string, spec: Study): Promise<{ trials: Trial[]; front: number[]; seconds: number }> {
  const out = join(options.out, folder);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'study.yaml'), stringify(spec));
  const child = spawn(process.execPath, [join(projectRoot(), 'dist/apps/cli/src/main.js'), 'search', join(out, 'study.yaml'), '--out', join(out, 'run')], { stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  if (code !== 0) throw new Error(`${folder}: caddis search ended with ${code}`);
  const read = <T>(file: string): T => JSON.parse(readFileSync(join(out, 'run', file), 'utf8')) as T;
  const { front, seconds } = read<{ front: number[]; seconds: number }>('front.json');
  return { trials: read<Trial[]>('trials.json'), front, seconds };
}

/** The same recipe for the points of a space, each once, whatever the limits say. */
function trainingOf(name: string, searchSpace: unknown, points: readonly Readonly<Record<string, number | string>>[], seed: number): Study {
  const { skip: _skip, stop: _stop, ...accuracy } = study.accuracy;
  const { constraints: _constraints, ...rest } = study as Study & { fidelity?: unknown };
  const { fidelity: _fidelity, ...spec } = rest;
  return { ...spec, name, searchSpace, accuracy, algorithm: { name: 'random' }, start: points, budget: { maxTrials: points.length, maxParallelTrials: study.budget.maxParallelTrials }, seed } as unknown as Study;
}

function network(name: string, { metrics }: Trial): Network {
  const value = (key: string): number => metrics[key]!.value;
  const kibibytes = (key: string): number => value(key) * (metrics[key]!.unit === 'KiB' ? 1 : 1 / 1024);
  // a training that fell apart answers by chance
  return { name, accuracy: metrics['accuracy']?.value ?? 100 / study.task.numClasses, latency: value(`latency@${target}`), peakRam: kibibytes(`peakRam@${target}`), flash: kibibytes(`flash@${target}`), params: value('params') };
}

const grid = (widths: readonly number[], sides: readonly number[]): { width: number; resolution: number }[] => widths.flatMap((width) => sides.map((resolution) => ({ width, resolution })));
const HAND_SCALED = [
  { name: 'FlyNet-h3', folder: 'flynet-h3', space: 'flynet', points: grid([0.3, 0.4], [32, 48, 64]) },
  { name: 'MobileNetV3-Small', folder: 'mobilenet-v3-small', space: 'mobilenet-v3', points: grid([0.35], [32, 48, 64]) },
];

const found = await search('found', study);
const frontTrials = found.trials.filter((t) => found.front.includes(t.number));
const seeds = Array.from({ length: Number(options.again) }, (_, k) => study.seed + 1000 + k);

/** Accuracy is the mean over the seeds. */
async function trainedAgain(name: string, folder: string, searchSpace: unknown, points: readonly Readonly<Record<string, number | string>>[]): Promise<Network[]> {
  const perSeed: Network[][] = [];
  for (const seed of seeds) {
    const { trials } = await search(`${folder}-${seed}`, trainingOf(`${name}, seed ${seed}`, searchSpace, points, seed));
    perSeed.push(trials.map((t) => network(`${name} ${String(t.parameters['width'])}×, ${String(t.parameters['resolution'])} px`, t)));
  }
  return perSeed[0]!.map((first, i) => ({ ...first, accuracy: perSeed.reduce((s, networks) => s + networks[i]!.accuracy, 0) / seeds.length }));
}

const front = await trainedAgain('found', 'front', study.searchSpace, frontTrials.map((t) => t.parameters));
const hand: Network[] = [];
for (const { name, folder, space, points } of HAND_SCALED) hand.push(...(await trainedAgain(name, folder, space, points)));

const losses = (n: Network): readonly number[] => [-n.accuracy, n.latency];
const within = (n: Network): boolean => study.constraints.every(({ metric, value }) => n[metric as 'peakRam' | 'flash'] <= value);
const report = {
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, study: options.study, seed: study.seed, searchSeconds: found.seconds, trials: found.trials.length,
  trained: found.trials.filter((t) => t.state === 'completed').length, seeds,
  front: front.map((n, i) => ({ ...n, trial: frontTrials[i]!.number, inSearch: frontTrials[i]!.metrics['accuracy']!.value, parameters: frontTrials[i]!.parameters })),
  handScaled: hand.map((n) => ({ ...n, fits: within(n), dominatedBy: front.flatMap((f, i) => (dominates(losses(f), losses(n)) ? [frontTrials[i]!.number] : [])) })),
};
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  const line = (n: Network): string => `${n.accuracy.toFixed(2)} %  ${n.latency.toFixed(1)} ms  ${n.peakRam.toFixed(0)} KiB RAM  ${n.flash.toFixed(0)} KiB flash`;
  process.stdout.write(`${report.trials} trials in ${(report.searchSeconds / 60).toFixed(1)} minutes, seed ${report.seed}; ${report.machine}. Accuracies are means over seeds ${seeds.join(', ')}.\n`);
  for (const f of report.front) process.stdout.write(`trial ${f.trial}: ${line(f)} (${f.inSearch.toFixed(2)} % in the search)\n`);
  for (const h of report.handScaled) process.stdout.write(`${h.name}: ${line(h)}${h.fits ? '' : ', breaks a limit'}: ${h.dominatedBy.length > 0 ? `dominated by ${h.dominatedBy.join(', ')}` : 'not dominated'}\n`);
}
