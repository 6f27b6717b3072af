import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { elements, inferenceProgram, initialWeights, packWeights, type Graph, type Program } from '@app/graph';
import { Rng } from '@app/numeric';
import { openProgram } from '@app/train';

/** Milliseconds of one run, by the clock and of processor time. */
export interface Spent {
  readonly wall: number;
  readonly cpu: number;
}

export interface Runner {
  run(): Promise<Spent>;
  close(): Promise<void>;
  readonly openMs: number;
}

function feedsOf(program: Program, graph: Graph): Record<string, Float32Array> {
  const rng = Rng.of(1, 'bench');
  const packed = packWeights(inferenceProgram(graph, 1).packing, initialWeights(graph, 1));
  const known: Readonly<Partial<Record<string, Float32Array>>> = { parameters: packed.parameters, statistics: packed.statistics };
  return Object.fromEntries(program.inputs.map(({ name, shape }) => {
    const values = new Float32Array(elements(shape));
    if (name === 'images') return [name, values.map(() => rng.normal())];
    if (name === 'targets') return [name, values.map((_, i) => (i % 10 === Math.floor(i / 10) % 10 ? 1 : 0))];
    return [name, known[name] ?? values.fill(shape.length === 0 ? 1e-3 : 0)];
  }));
}

/** A program on random images, its state as it began at every run. */
export async function openRunner(program: Program, graph: Graph, threads: number, profileTo?: string): Promise<Runner> {
  const opened = performance.now();
  const session = await openProgram(program, { threads, ...(profileTo === undefined ? {} : { profileTo }) });
  const openMs = performance.now() - opened;
  const feeds = feedsOf(program, graph);
  return {
    openMs,
    run: async () => {
      const [t, c] = [performance.now(), process.cpuUsage()];
      await session.run(feeds);
      const { user, system } = process.cpuUsage(c);
      return { wall: performance.now() - t, cpu: (user + system) / 1000 };
    },
    close: () => session.close(),
  };
}

/** Share of the time that each operator's kernels take by onnxruntime's profiler, largest first: of each node the lower quartile of the runs, since other processes stretch some. */
export async function profileOf(program: Program, graph: Graph, threads: number, runs: number): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), 'caddis-profile-'));
  try {
    const runner = await openRunner(program, graph, threads, join(folder, 'run'));
    for (let i = 0; i < runs; i++) await runner.run();
    await runner.close();
    return sharesIn(join(folder, readdirSync(folder)[0]!));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function sharesIn(file: string): Record<string, number> {
  const events = JSON.parse(readFileSync(file, 'utf8')) as { cat?: string; name?: string; dur?: number; args?: { op_name?: string } }[];
  const nodes = new Map<string, { op: string; times: number[] }>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name?.endsWith('_kernel_time') || args?.op_name === undefined) continue;
    const node = nodes.get(name) ?? { op: args.op_name, times: [] };
    node.times.push(dur!);
    nodes.set(name, node);
  }
  const spent = new Map<string, number>();
  for (const { op, times } of nodes.values()) spent.set(op, (spent.get(op) ?? 0) + times.sort((a, b) => a - b)[times.length >> 2]!);
  const total = [...spent.values()].reduce((a, b) => a + b, 0);
  return Object.fromEntries([...spent].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([name, t]) => [name, Number((t / total).toFixed(3))]));
}
