/**
 * Speed of the Pareto mathematics: exact hypervolume of 1,000 points, archive insertion at 100,000 trials, non-dominated sorting.
 *
 *   npm run bench:pareto -- [--json] [--python PATH] [--points 1000] [--rounds 3]
 *
 * With a Python that has moocore (bench/peers), its C is timed on the same points in turns with ours, and the values are compared.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Rng, quantile } from '@app/numeric';
import { hypervolume, nonDominatedSort, ParetoArchive } from '@app/pareto';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    python: { type: 'string' },
    points: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
  },
});
const points = Number(options.points);
const rounds = Number(options.rounds);

interface PeerAnswer {
  readonly version: string;
  readonly results: readonly { readonly seconds: number; readonly value: number }[];
}

/** Non-dominated points, by shape: on the unit sphere (concave), on the plane Σ f = 1, and on the sphere seen from its other side (convex). */
function front(shape: 'concave' | 'plane' | 'convex', n: number, m: number): Float64Array[] {
  const rng = Rng.of(1, 'pareto', shape, m);
  return Array.from({ length: n }, () => {
    const raw = Float64Array.from({ length: m }, () => (shape === 'plane' ? -Math.log(1 - rng.next()) : Math.abs(rng.normal())));
    const norm = shape === 'plane' ? raw.reduce((s, v) => s + v, 0) : Math.hypot(...raw);
    return raw.map((v) => (shape === 'convex' ? 1 - v / norm : v / norm));
  });
}

const cases = (['concave', 'plane', 'convex'] as const).flatMap((shape) => [3, 4, 5, 6].map((m) => ({ shape, m, points: front(shape, points, m), reference: Array<number>(m).fill(1.1) })));
const repeats = cases.map(({ m }) => [200, 50, 10, 1][m - 3]!);
const own = cases.map(() => ({ seconds: Infinity, value: 0 }));
const peer = cases.map(() => ({ seconds: Infinity, value: NaN }));
let version: string | undefined;
for (let round = 0; round < rounds; round++) {
  cases.forEach((c, i) => {
    for (let k = 0; k < repeats[i]!; k++) {
      const began = process.cpuUsage();
      const value = hypervolume(c.points, c.reference);
      const { user, system } = process.cpuUsage(began);
      own[i] = { seconds: Math.min(own[i]!.seconds, (user + system) / 1e6), value };
    }
  });
  if (options.python === undefined) continue;
  const answer = askPeer(options.python);
  version = answer.version;
  answer.results.forEach((r, i) => (peer[i] = { seconds: Math.min(peer[i]!.seconds, r.seconds), value: r.value }));
}

function askPeer(python: string): PeerAnswer {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'bench/peers/hypervolume.py'))) root = dirname(root);
  const input = JSON.stringify({ fronts: cases.map((c) => c.points.map((p) => [...p])), references: cases.map((c) => c.reference), repeats });
  const run = spawnSync(python, [join(root, 'bench/peers/hypervolume.py')], { input, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(`${python} ended with ${run.status}: ${run.stderr}`);
  return JSON.parse(run.stdout) as PeerAnswer;
}

const volumes = cases.map(({ shape, m }, i) => ({
  shape, objectives: m, ms: 1000 * own[i]!.seconds, value: own[i]!.value,
  ...(version === undefined ? {} : { moocoreMs: 1000 * peer[i]!.seconds, ratio: own[i]!.seconds / peer[i]!.seconds, difference: Math.abs(own[i]!.value / peer[i]!.value - 1) }),
}));

/** Trials whose quality improves slowly, as a search's do; the processor time of the last thousand of n insertions. */
function insertions(n: number, m: number): { readonly objectives: number; readonly trials: number; readonly front: number; readonly medianMs: number; readonly p99Ms: number } {
  const rng = Rng.of(2, 'archive', m);
  const archive = new ParetoArchive<number>();
  const times: number[] = [];
  for (let i = 0; i < n; i++) {
    const raw = Float64Array.from({ length: m }, () => Math.abs(rng.normal()));
    const radius = (1 + 0.5 * rng.next() + 1 / (1 + i / 1000)) / Math.hypot(...raw);
    const point = raw.map((v) => v * radius);
    const began = process.cpuUsage();
    archive.insert(i, point);
    const { user, system } = process.cpuUsage(began);
    if (i >= n - 1000) times.push((user + system) / 1000);
  }
  return { objectives: m, trials: n, front: archive.size, medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** Sorting of points drawn uniformly in the unit cube. */
function sorting(n: number, m: number): { readonly objectives: number; readonly points: number; readonly ms: number } {
  const rng = Rng.of(3, 'sort', m);
  const cloud = Array.from({ length: n }, () => Float64Array.from({ length: m }, () => rng.next()));
  const began = performance.now();
  nonDominatedSort(cloud);
  return { objectives: m, points: n, ms: performance.now() - began };
}

const archives = [2, 3, 4].map((m) => insertions(100_000, m));
const sorts = [2, 3, 4].map((m) => sorting(20_000, m));
if (options.json) process.stdout.write(`${JSON.stringify({ cpu: cpus()[0]?.model, node: process.version, moocore: version, points, volumes, archives, sorts }, null, 2)}\n`);
else {
  const lines = volumes.map((v) => `hypervolume ${v.shape.padEnd(8)} ${v.objectives} objectives: ${v.ms.toFixed(3)} ms${v.moocoreMs === undefined ? '' : `, moocore ${v.moocoreMs.toFixed(3)} ms, ratio ${v.ratio!.toFixed(2)}, values differ by ${v.difference!.toExponential(1)}`}`);
  for (const a of archives) lines.push(`insertion ${a.trials}, ${a.objectives} objectives, front of ${a.front}: median ${a.medianMs.toFixed(4)} ms, 99 % ${a.p99Ms.toFixed(4)} ms`);
  for (const s of sorts) lines.push(`sorting ${s.points} points, ${s.objectives} objectives: ${s.ms.toFixed(0)} ms`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
