/** The stored runs: ours in bench/data/optimizers.json, those told what the service computes in bench/data/optimizers-computed.json, the peers' in bench/data/peers/, a file each, written by bench/peers/run.py. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { optimizerNamed } from '@app/optim';
import type { Run } from './measure.js';
import { projectRoot } from './problems.js';
import type { Trajectory } from './trajectory.js';

export interface SolverRecord {
  readonly solver: string;
  /** its settings, in words */
  readonly note: string;
  readonly versions: Readonly<Record<string, string>>;
  /** problem → */
  readonly runs: Readonly<Record<string, ProblemRuns>>;
}

export interface ProblemRuns {
  readonly budget: number;
  readonly seeds: readonly Trajectory[];
}

const ownFile = (computed: boolean): string => join(projectRoot(), `bench/data/optimizers${computed ? '-computed' : ''}.json`);

/** @param computed  runs that were told what the service computes, which peers are not, in place of those with the peers' information */
export function readOwn(computed = false): SolverRecord[] {
  return existsSync(ownFile(computed)) ? (JSON.parse(readFileSync(ownFile(computed), 'utf8')) as SolverRecord[]) : [];
}

export function readPeers(): SolverRecord[] {
  const folder = join(projectRoot(), 'bench/data/peers');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((f) => f.endsWith('.json')).sort();
  return files.map((f) => JSON.parse(readFileSync(join(folder, f), 'utf8')) as SolverRecord | { readonly solver?: undefined }).filter((r): r is SolverRecord => r.solver !== undefined);
}

/** Our records with these runs in place of what they had for the same problems. Runs of another version of the optimizer go: it is another solver. */
export function withRuns(records: readonly SolverRecord[], runs: readonly Run[], budget: number, note: string): SolverRecord[] {
  const solvers = [...new Set([...records.map((r) => r.solver), ...runs.map((r) => r.algorithm)])].sort();
  return solvers.map((solver) => {
    const before = records.find((r) => r.solver === solver);
    const mine = runs.filter((r) => r.algorithm === solver);
    if (mine.length === 0) return before!;
    const version = String(optimizerNamed(solver).version);
    const kept = before?.versions[solver] === version ? before.runs : {};
    const fresh = Object.fromEntries([...new Set(mine.map((r) => r.problem))].map((name) => [name, { budget, seeds: mine.filter((r) => r.problem === name).map((r) => r.trajectory) }]));
    return { solver, note, versions: { node: process.versions.node, [solver]: version }, runs: { ...kept, ...fresh } };
  });
}

/** A line a trajectory, so that a change shows where it is. */
export function writeOwn(records: readonly SolverRecord[], computed = false): void {
  const text = records.map(({ runs, ...head }) => {
    const problems = Object.entries(runs).map(([name, { budget, seeds }]) => `${JSON.stringify(name)}: {"budget": ${budget}, "seeds": [\n${seeds.map((t) => JSON.stringify(t)).join(',\n')}\n]}`);
    return `${JSON.stringify(head).slice(0, -1)}, "runs": {\n${problems.join(',\n')}\n}}`;
  });
  writeFileSync(ownFile(computed), `[\n${text.join(',\n')}\n]\n`);
}
