/**
 * How quickly do FlyNets train and answer? Images a second of the whole training step and of the forward pass at inference, at three
 * sizes, one thread unless told otherwise, on random images. Two figures each: by wall clock and by the processor time the process
 * took, since only the latter means something on a machine that others use. `--json` prints one document; `--batch N`, `--rounds N`,
 * `--threads N`; `--profile` adds which operators the time goes to, by onnxruntime's own profiler.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainingRecipeSchema } from '@app/contracts';
import { decode } from '@app/decode';
import { completePoint, loadCatalog } from '@app/catalog';
import { elements, inferenceProgram, initialWeights, packWeights, totals, trainingGraph, type Graph, type Program } from '@app/graph';
import { Rng } from '@app/numeric';
import { openProgram, stepRecipe } from '@app/train';

const argument = (name: string, otherwise: number): number => (process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : otherwise);
const batch = argument('--batch', 64);
const rounds = argument('--rounds', 10);
const threads = argument('--threads', 1);

const SIZES = [
  { name: 'small', width: 0.3, resolution: 32 },
  { name: 'middle', width: 0.5, resolution: 48 },
  { name: 'large', width: 1, resolution: 64 },
] as const;

interface Speed {
  /** median of the rounds */
  readonly imagesPerSecond: number;
  readonly imagesPerCpuSecond: number;
  readonly openMs: number;
  readonly nodes: number;
  /** share of the time by operator, largest first */
  readonly profile?: Readonly<Record<string, number>>;
}

function flynet(width: number, resolution: number): Graph {
  const space = loadCatalog().space('flynet');
  return decode(space, completePoint(space.parameters, { width, resolution }), { numClasses: 10, inputChannels: 1 });
}

function feedsOf(program: Program, graph: Graph): Record<string, Float32Array> {
  const rng = Rng.of(1, 'bench');
  const packed = packWeights(inferenceProgram(graph, 1).packing, initialWeights(graph, 1));
  const known: Readonly<Record<string, Float32Array>> = { parameters: packed.parameters, statistics: packed.statistics };
  return Object.fromEntries(program.inputs.map(({ name, shape }) => {
    const values = new Float32Array(elements(shape));
    if (name === 'images') return [name, values.map(() => rng.normal())];
    if (name === 'targets') return [name, values.map((_, i) => (i % 10 === Math.floor(i / 10) % 10 ? 1 : 0))];
    return [name, known[name] ?? values.fill(shape.length === 0 ? 1e-3 : 0)];
  }));
}

async function measure(program: Program, graph: Graph): Promise<Speed> {
  const folder = process.argv.includes('--profile') ? mkdtempSync(join(tmpdir(), 'caddis-profile-')) : null;
  const opened = performance.now();
  const session = await openProgram(program, { threads, ...(folder === null ? {} : { profileTo: join(folder, 'run') }) });
  const openMs = performance.now() - opened;
  const feeds = feedsOf(program, graph);
  const [wall, cpu]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds + 2; i++) {
    const [t, c] = [performance.now(), process.cpuUsage()];
    await session.run(feeds);
    const spent = process.cpuUsage(c);
    // the first runs allocate
    if (i < 2) continue;
    wall.push(performance.now() - t);
    cpu.push((spent.user + spent.system) / 1000);
  }
  await session.close();
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  const result = { imagesPerSecond: (1000 * batch) / median(wall), imagesPerCpuSecond: (1000 * batch) / median(cpu), openMs, nodes: program.nodes.length };
  if (folder === null) return result;
  const profile = sharesIn(folder);
  rmSync(folder, { recursive: true });
  return { ...result, profile };
}

function sharesIn(folder: string): Record<string, number> {
  const file = readdirSync(folder)[0]!;
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { cat?: string; name?: string; dur?: number; args?: { op_name?: string } }[];
  const spent = new Map<string, number>();
  for (const { cat, name, dur, args } of events) {
    if (cat !== 'Node' || !name?.endsWith('_kernel_time') || args?.op_name === undefined) continue;
    spent.set(args.op_name, (spent.get(args.op_name) ?? 0) + dur!);
  }
  const total = [...spent.values()].reduce((a, b) => a + b, 0);
  return Object.fromEntries([...spent].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([name, t]) => [name, Number((t / total).toFixed(3))]));
}

const rows = [];
for (const { name, width, resolution } of SIZES) {
  const graph = flynet(width, resolution);
  const { params, macs } = totals(graph);
  const step = trainingGraph(graph, stepRecipe(trainingRecipeSchema.parse({}), batch, params));
  rows.push({ name, width, resolution, params, macs, step: await measure(step.program, graph), forward: await measure(inferenceProgram(graph, batch).program, graph) });
}
const report = { machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, batch, rounds, threads, rows };
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
else {
  process.stdout.write(`${report.machine}, batch ${batch}, ${threads} thread${threads === 1 ? '' : 's'}; images a second (of processor time)\n`);
  for (const { name, width, resolution, params, macs, step, forward } of rows) {
    const speed = (s: Speed): string => `${s.imagesPerSecond.toFixed(0)} (${s.imagesPerCpuSecond.toFixed(0)})`;
    process.stdout.write(`${name.padEnd(7)} ${width.toFixed(1)}×, ${resolution} px, ${(params / 1e3).toFixed(0)} k parameters, ${(macs / 1e6).toFixed(2)} M MACs: step ${speed(step)}, forward ${speed(forward)}\n`);
    for (const [what, { profile }] of [['step', step], ['forward', forward]] as const) {
      if (profile) process.stdout.write(`  ${what}: ${Object.entries(profile).map(([op, share]) => `${op} ${(100 * share).toFixed(0)} %`).join(', ')}\n`);
    }
  }
}
