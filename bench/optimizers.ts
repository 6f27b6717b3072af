/**
 * Quality of the optimizers on problems with known fronts or optima: medians over seeds at 50, 100, 200, 500 and 1000 evaluations of
 * one run each, beside the figures of other solvers, and data profiles of the problems with one objective.
 *
 *   npm run bench:optimizers -- [--json] [--store] [--algorithms mads,nsga2] [--problems TNK,nas,so] [--budget 1000] [--seeds 10] [--first-seed 1] [--settings JSON] [--computed]
 *
 *   npm run bench:optimizers -- --suggestion [--python PATH]
 *   npm run bench:optimizers -- --docs
 *
 * `--suggestion` times one ask of `bo` beside BoTorch's (bench/peers) and keeps that. `--store` keeps the runs in bench/data/optimizers.json, in place of those it has of the same algorithms and problems; `--docs` writes
 * docs/optimizers.md and its plot from the stored runs, ours and the peers'. `--problems` takes names, groups (mo, re, cmo, nas, so, …; a group includes those that begin with it and a hyphen) or beginnings
 * with a star. `--computed` runs problems of networks as the service poses them, told before a trial what can be computed, and stores them
 * apart, in bench/data/optimizers-computed.json.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { optimizerNamed } from '@app/optim';
import { readFlynetFront } from './optimizers/flynet-front.js';
import { measure, type Run } from './optimizers/measure.js';
import { chosenProblems, computed, projectRoot, readProblems, type TestProblem } from './optimizers/problems.js';
import { dataProfiles, rows, text } from './optimizers/report.js';
import { readOwn, readPeers, withRuns, writeOwn } from './optimizers/store.js';
import { readSuggestionTime, timeSuggestion, writeSuggestionTime } from './optimizers/suggestion.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    algorithms: { type: 'string', default: 'mads,random' },
    problems: { type: 'string', default: '*' },
    budget: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '10' },
    'first-seed': { type: 'string', default: '1' },
    settings: { type: 'string', default: '{}' },
    computed: { type: 'boolean', default: false },
    store: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    suggestion: { type: 'boolean', default: false },
    python: { type: 'string' },
  },
});

function count(name: 'budget' | 'seeds' | 'first-seed'): number {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name}: expected an integer from 1, got ${options[name]}`);
  return value;
}

async function writeDocs(all: readonly TestProblem[]): Promise<void> {
  // The charts are loaded only where they are drawn.
  const { optimizersPage } = await import('./optimizers/page.js');
  const { markdown, plots } = optimizersPage(all, readOwn(), readPeers(), readOwn(true), readSuggestionTime(), readFlynetFront());
  const folder = join(projectRoot(), 'docs');
  writeFileSync(join(folder, 'optimizers.md'), markdown);
  for (const [name, svg] of Object.entries(plots)) writeFileSync(join(folder, name), svg);
}

function run(all: readonly TestProblem[]): void {
  const [budget, seeds, first] = [count('budget'), count('seeds'), count('first-seed')];
  const algorithms = options.algorithms.split(',').map(optimizerNamed);
  const chosen = chosenProblems(all, options.problems);
  const tests = options.computed ? chosen.map((t) => computed(t, budget)) : chosen;
  const settings = JSON.parse(options.settings) as Record<string, unknown>;
  const note = options.settings === '{}' ? 'defaults' : options.settings;
  const runs: Run[] = [];
  for (const test of tests) {
    for (const algorithm of algorithms) {
      for (let seed = first; seed < first + seeds; seed++) runs.push(measure(test, algorithm, seed, budget, settings));
      const mine = runs.slice(-seeds);
      process.stderr.write(`${test.name} ${algorithm.name}: ${(mine.reduce((s, r) => s + r.askMs.mean, 0) / seeds).toFixed(2)} ms a trial\n`);
    }
    // After each problem: a long run that is ended keeps what it has.
    if (options.store) writeOwn(withRuns(readOwn(options.computed), runs.filter((r) => r.problem === test.name), budget, note), options.computed);
  }
  const table = rows(tests, runs);
  const profiles = tests.some((t) => t.objectives === 1) ? dataProfiles(tests, runs) : [];
  const report = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, budget, seeds, rows: table, profiles, runs };
  process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : text(table, profiles, runs)}\n`);
}

const problems = readProblems();
if (options.docs) await writeDocs(problems);
else if (options.suggestion) {
  const time = timeSuggestion(options.python);
  writeSuggestionTime(time);
  process.stdout.write(`${JSON.stringify(time, null, 2)}\n`);
} else run(problems);
