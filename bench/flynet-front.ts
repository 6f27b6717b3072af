/**
 * The FlyNet space between estimated accuracy and the latency of three devices (a microcontroller, a phone, a GPU): trials an algorithm
 * needs to a share of the hypervolume of a reference front, which 100,000 trials of NSGA-II and all runs together have found. Latencies
 * are computed, so the algorithms may ask for them, as in the service. Quantisation noise, which costs nothing, is left out of the space.
 *
 *   npm run bench:flynet-front -- [--json] [--store] [--algorithms mads,auto,nsga2,random] [--budget 1000] [--seeds 3] [--reference 100000]
 *
 * `--store` keeps the result in bench/results for docs/optimizers.md.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { loadCatalog } from '@app/catalog';
import { FIGURES, NetworkPricer } from '@app/cost';
import { PieceDecoder } from '@app/decode';
import { quantile } from '@app/numeric';
import { optimizerNamed, type Candidate, type SearchProblem } from '@app/optim';
import { hypervolume, ParetoArchive } from '@app/pareto';
import { createSearchSpace, type Genes, type Parameter } from '@app/space';
import { flynetSurrogate } from '@app/train';
import { writeFlynetFront } from './optimizers/flynet-front.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    store: { type: 'boolean', default: false },
    algorithms: { type: 'string', default: 'mads,auto,nsga2,random' },
    budget: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '3' },
    reference: { type: 'string', default: '100000' },
  },
});
const [budget, seeds, referenceTrials] = [Number(options.budget), Number(options.seeds), Number(options.reference)];
const LADDER = [50, 100, 200, 500, 1000, 2000, 5000].filter((b) => b <= budget);
const SHARES = [0.9, 0.95, 0.99];
const DEVICES = ['stm32f446re', 'pixel-3', 'rtx-2080-ti'];

const catalog = loadCatalog();
const definition = catalog.space('flynet');
const parameters = definition.parameters.map((p): Parameter => (p.name.startsWith('noise') ? { name: p.name, type: 'ordinal', values: [4294967296] } : p));
const space = createSearchSpace(parameters);
const task = { numClasses: 1000, inputChannels: 3 };
const decoder = new PieceDecoder(definition, task);
const pricer = new NetworkPricer(DEVICES.map((id) => ({ device: catalog.device(id) })));
const surrogate = flynetSurrogate();
const { signal } = new AbortController();
const accuracies = new Map<string, number>();

/** s, on each device; the last points asked are remembered. */
function latencies(genes: Genes): number[] {
  const key = space.key(genes);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  pricer.price(decoder.decode(space.decode(genes)));
  const values = DEVICES.map((_, d) => pricer.values[d * FIGURES]!);
  if (remembered.size >= 50_000) remembered.clear();
  remembered.set(key, values);
  return values;
}
const remembered = new Map<string, number[]>();

async function evaluate(genes: Genes): Promise<number[]> {
  const key = space.key(genes);
  let error = accuracies.get(key);
  if (error === undefined) {
    const { error: metric } = await surrogate.evaluate({ space: definition, point: space.decode(genes), graph: null, task, signal });
    error = metric!.value;
    accuracies.set(key, error);
  }
  return [error, ...latencies(genes)];
}

const problem = (seed: number, maxTrials: number): SearchProblem => ({
  space, objectives: 4, constraints: 0, seed, maxTrials, secondsPerTrial: surrogate.secondsPerTrial, known: (genes) => ({ objectives: [null, ...latencies(genes)], violations: [] }),
});

interface Run {
  readonly algorithm: string;
  readonly seed: number;
  readonly values: readonly (readonly number[])[];
  /** ms of ask and tell a trial */
  readonly ms: number;
}

async function run(algorithm: string, seed: number, trials: number): Promise<Run> {
  const search = optimizerNamed(algorithm).start(problem(seed, trials));
  const values: number[][] = [];
  let spent = 0;
  while (values.length < trials) {
    const began = performance.now();
    const [candidate] = search.ask(1) as [Candidate | undefined];
    spent += performance.now() - began;
    if (candidate === undefined) break;
    const objectives = await evaluate(candidate.genes);
    values.push(objectives);
    const telling = performance.now();
    search.tell([{ ...candidate, state: 'completed', objectives, violations: [] }]);
    spent += performance.now() - telling;
  }
  process.stderr.write(`${algorithm}, seed ${seed}: ${values.length} trials, ${(spent / values.length).toFixed(2)} ms a trial\n`);
  return { algorithm, seed, values, ms: spent / values.length };
}

function frontOf(values: readonly (readonly number[])[]): (readonly number[])[] {
  const archive = new ParetoArchive<number>();
  values.forEach((v, i) => archive.insert(i, v));
  return archive.ids().map((id) => values[id]!);
}

const reference = await run('nsga2', 1_000_001, referenceTrials);
const runs: Run[] = [];
for (const algorithm of options.algorithms.split(',')) for (let seed = 1; seed <= seeds; seed++) runs.push(await run(algorithm, seed, budget));
const best = frontOf([...reference.values, ...runs.flatMap((r) => r.values)]);
// Latencies by their logarithms: a front of a space with ratios of a hundred would else be its slow end alone.
const scaled = (v: readonly number[]): number[] => [v[0]!, ...v.slice(1).map(Math.log)];
const far = reference.values.slice(0, 1000).map(scaled);
const referencePoint = far[0]!.map((_, i) => Math.max(...far.map((v) => v[i]!)));
const whole = hypervolume(best.map(scaled), referencePoint);
const shareOf = (values: readonly (readonly number[])[]): number => hypervolume(frontOf(values).map(scaled), referencePoint) / whole;

/** The first trial from which the share is reached, by bisection: shares only grow. */
function trialsTo(share: number, values: Run['values']): number | null {
  if (shareOf(values) < share) return null;
  let [low, high] = [0, values.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (shareOf(values.slice(0, middle)) >= share) high = middle;
    else low = middle;
  }
  return high;
}

const median = (values: readonly number[]): number => quantile(values, 0.5);
const rows = options.algorithms.split(',').map((algorithm) => {
  const mine = runs.filter((r) => r.algorithm === algorithm);
  const reached = SHARES.map((s) => mine.map((r) => trialsTo(s, r.values)));
  return {
    algorithm, ms: median(mine.map((r) => r.ms)),
    shares: LADDER.map((b) => median(mine.map((r) => shareOf(r.values.slice(0, b))))),
    trialsTo: reached.map((trials) => (trials.every((t) => t !== null) ? median(trials) : null)),
  };
});
const report = {
  cpu: cpus()[0]?.model, node: process.version, devices: DEVICES, budget, seeds, ladder: LADDER, shares: SHARES, rows,
  reference: { trials: reference.values.length, front: best.length, share: shareOf(reference.values), point: referencePoint, trialsTo: SHARES.map((s) => trialsTo(s, reference.values)) },
};
if (options.store) writeFlynetFront(report);
if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  process.stdout.write(`reference: ${report.reference.trials} trials of NSGA-II have ${report.reference.share.toFixed(4)} of it, ${report.reference.trialsTo.join(', ')} trials to ${SHARES.join(', ')}; front of ${best.length}\n`);
  for (const { algorithm, ms, shares, trialsTo: to } of rows) process.stdout.write(`${algorithm.padEnd(8)} ${shares.map((s, i) => `${LADDER[i]}: ${s.toFixed(3)}`).join('  ')}  trials to ${SHARES.map((s, i) => `${s}: ${to[i] ?? '–'}`).join(', ')}  ${ms.toFixed(1)} ms a trial\n`);
}
