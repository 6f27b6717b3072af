/**
 * Bayesian optimisation where outcomes carry noise: told outcomes taken for exact, noise declared, noise learned. Quality is the share of the
 * known hypervolume that the points asked so far have by their true values.
 *
 *   npm run bench:noise -- [--json] [--problems TNK,ZDT1-6] [--noise 0.5] [--budget 50] [--seeds 5] [--batch 1]
 *
 * `--noise`: deviation of the noise, of each objective's own over random points. Limits are told exactly.
 */
import { parseArgs } from 'node:util';
import { quantile, Rng, standardDeviation } from '@app/numeric';
import { optimizerNamed, type Told } from '@app/optim';
import { chosenProblems, readProblems, type TestProblem } from './optimizers/problems.js';
import { share, type Feasible } from './optimizers/trajectory.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    problems: { type: 'string', default: 'TNK,ZDT1-6,DTLZ2-2-6,BraninCurrin' },
    noise: { type: 'string', default: '0.5' },
    budget: { type: 'string', default: '50' },
    seeds: { type: 'string', default: '5' },
    batch: { type: 'string', default: '1' },
  },
});

function positive(name: 'noise' | 'budget' | 'seeds' | 'batch'): number {
  const value = Number(options[name]);
  if (!(value > 0 && value < Infinity) || (name !== 'noise' && !Number.isSafeInteger(value))) throw new RangeError(`--${name}: expected a positive ${name === 'noise' ? 'number' : 'integer'}, got ${options[name]}`);
  return value;
}

const MODES = ['exact', 'declared', 'learned'] as const;

/** Deviation of each objective over random points, the tenth at either end left out. */
function deviations(test: TestProblem): number[] {
  const rng = Rng.of(1, 'spread');
  const { space } = test.problem(1);
  const outcomes = Array.from({ length: 500 }, () => test.evaluate(space.fromUnit(Float64Array.from({ length: space.dimension }, () => rng.next()))).objectives);
  return Array.from({ length: test.objectives }, (_, j) => {
    const values = outcomes.flatMap((o) => o[j] ?? []).sort((a, b) => a - b);
    return standardDeviation(values.slice(Math.floor(0.1 * values.length), Math.ceil(0.9 * values.length)));
  });
}

function run(test: TestProblem, mode: (typeof MODES)[number], seed: number, sd: readonly number[]): { share: number; ms: number } {
  const [budget, batch] = [positive('budget'), positive('batch')];
  const noise = mode === 'declared' ? { objectives: sd, violations: Array<number>(test.constraints).fill(0) } : mode === 'learned' ? { objectives: sd.map(() => null), violations: Array<number>(test.constraints).fill(0) } : undefined;
  const search = optimizerNamed('bo').start({ ...test.problem(seed), noise });
  const feasible: Feasible[] = [];
  let [told, ms] = [0, 0];
  while (told < budget) {
    const began = performance.now();
    const asked = search.ask(Math.min(batch, budget - told));
    ms += performance.now() - began;
    if (asked.length === 0) break;
    search.tell(asked.map((candidate): Told => {
      const outcome = test.evaluate(candidate.genes);
      told++;
      if (outcome.state === 'completed' && outcome.objectives.every((v) => v !== null)) feasible.push({ at: told, f: outcome.objectives as number[] });
      const rng = Rng.of(seed, 'noise', candidate.key);
      return { ...candidate, ...outcome, objectives: outcome.objectives.map((v, j) => v && v + sd[j]! * rng.normal()) };
    }));
  }
  return { share: share(test, feasible, budget), ms: ms / budget };
}

const tests = chosenProblems(readProblems(), options.problems);
const single = tests.find((t) => t.objectives === 1);
if (single) throw new RangeError(`--problems: expected problems of several objectives, got ${single.name}`);
const report = tests.flatMap((test) => {
  const sd = deviations(test).map((v) => positive('noise') * v);
  return MODES.map((mode) => {
    const runs = Array.from({ length: positive('seeds') }, (_, s) => run(test, mode, s + 1, sd));
    const row = { problem: test.name, mode, share: runs.map((r) => r.share), median: quantile(runs.map((r) => r.share), 0.5), msATrial: quantile(runs.map((r) => r.ms), 0.5) };
    process.stderr.write(`${test.name} ${mode}: ${row.median.toFixed(3)}\n`);
    return row;
  });
});
if (options.json) process.stdout.write(`${JSON.stringify({ ...options, node: process.version, report }, null, 2)}\n`);
else {
  const line = (cells: readonly string[]): string => cells.map((c, i) => (i === 0 ? c.padEnd(16) : c.padStart(10))).join('');
  const table = tests.map((t) => line([t.name, ...MODES.map((mode) => report.find((r) => r.problem === t.name && r.mode === mode)!.median.toFixed(3))]));
  process.stdout.write(`share of the known hypervolume by true values, median of ${options.seeds} seeds at ${options.budget} trials, noise ${options.noise}\n${line(['problem', ...MODES])}\n${table.join('\n')}\n`);
}
