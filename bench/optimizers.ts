/**
 * Quality of the optimizers on problems with known fronts or optima: medians over seeds at 50, 100, 200, 500 and 1000 evaluations of
 * one run each, beside the figures of other solvers, and data profiles of the problems with one objective.
 *
 *   npm run bench:optimizers -- [--json] [--algorithms mads,nsga2] [--problems TNK,nas,so] [--budget 1000] [--seeds 10] [--settings JSON]
 *
 * `--problems` takes names, groups (mo, re, cmo, nas, so, …; a group includes those that begin with it and a hyphen) or beginnings
 * with a star.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { optimizerNamed } from '@app/optim';
import { measure, type Run } from './optimizers/measure.js';
import { chosenProblems, readProblems } from './optimizers/problems.js';
import { dataProfiles, rows, text } from './optimizers/report.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    algorithms: { type: 'string', default: 'mads,random' },
    problems: { type: 'string', default: '*' },
    budget: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '10' },
    settings: { type: 'string', default: '{}' },
  },
});

function count(name: 'budget' | 'seeds'): number {
  const value = Number(options[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name}: expected an integer from 1, got ${options[name]}`);
  return value;
}

const [budget, seeds] = [count('budget'), count('seeds')];
const algorithms = options.algorithms.split(',').map(optimizerNamed);
const tests = chosenProblems(readProblems(), options.problems);
const settings = JSON.parse(options.settings) as Record<string, unknown>;
const runs: Run[] = [];
for (const test of tests) {
  for (const algorithm of algorithms) {
    for (let seed = 1; seed <= seeds; seed++) runs.push(measure(test, algorithm, seed, budget, settings));
    const mine = runs.slice(-seeds);
    process.stderr.write(`${test.name} ${algorithm.name}: ${(mine.reduce((s, r) => s + r.askMs.mean, 0) / seeds).toFixed(2)} ms a trial\n`);
  }
}
const table = rows(tests, runs);
const profiles = tests.some((t) => t.objectives === 1) ? dataProfiles(tests, runs) : [];
const report = { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, budget, seeds, rows: table, profiles, runs };
process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : text(table, profiles, runs)}\n`);
