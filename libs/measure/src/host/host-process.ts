/** Entry of a measuring process: onnxruntime runs the network here and nothing else happens. Its parent ends it. */
import { Rng } from '@app/numeric';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostAnswer, HostTask } from './protocol.js';

/** Most runs that count: ten microseconds each for a tenth of a second. */
const MOST_RUNS = 10_000;

class Refused extends Error {}

async function measure({ model, threads, warmup, repeats, minSeconds }: HostTask): Promise<HostAnswer> {
  const ort = (await import('onnxruntime-node')).default;
  let session: InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, { intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', logSeverityLevel: 3 });
  } catch (error) {
    throw new Refused(`onnxruntime can't load the model: ${(error as Error).message}`);
  }
  const inputs = session.inputMetadata.map((input) => {
    if (!input.isTensor) throw new Refused(`input "${input.name}": expected a tensor`);
    return { name: input.name, type: input.type, shape: input.shape.map((d, axis) => sizeOf(d, axis, input.name, input.shape)) };
  });
  const feeds = Object.fromEntries(inputs.map(({ name, type, shape }) => [name, new ort.Tensor(type as 'float32', valuesOf(name, type, shape) as Float32Array, shape)]));
  try {
    // the first of the warm-up runs, and made whatever the warm-up is
    await session.run(feeds);
  } catch (error) {
    throw new Refused(`onnxruntime can't run the model: ${(error as Error).message}`);
  }
  await runs(session, feeds, warmup - 1, 0);
  const measured = await runs(session, feeds, repeats, minSeconds);
  await session.release();
  return { kind: 'measured', ...measured, runtime: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`, inputs };
}

type Runs = Pick<Extract<HostAnswer, { kind: 'measured' }>, 'times' | 'interrupted' | 'processor'>;

async function runs(session: InferenceSession, feeds: Readonly<Record<string, Tensor>>, least: number, minSeconds: number): Promise<Runs> {
  const times: number[] = [];
  const interrupted: boolean[] = [];
  const processor: number[] = [];
  let calm = 0;
  const began = performance.now();
  while ((calm < least && times.length < 4 * least) || (performance.now() - began < 1000 * minSeconds && times.length < MOST_RUNS)) {
    const start = process.resourceUsage();
    const before = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - before) / 1e9);
    const end = process.resourceUsage();
    interrupted.push(end.involuntaryContextSwitches > start.involuntaryContextSwitches);
    processor.push((end.userCPUTime - start.userCPUTime + end.systemCPUTime - start.systemCPUTime) / 1e6);
    if (!interrupted.at(-1)) calm++;
  }
  return { times, interrupted, processor };
}

/** A batch that is left open is one image. */
function sizeOf(d: number | string, axis: number, name: string, shape: readonly (number | string)[]): number {
  if (typeof d === 'number' && d > 0) return d;
  if (axis === 0) return 1;
  throw new Refused(`input "${name}" has shape [${shape.join(', ')}]: expected sizes that are fixed, but for the batch`);
}

/** Standard normal reals, so that nothing is skipped or denormal; whole numbers are 0, an index that every table has. */
function valuesOf(name: string, type: string, shape: readonly number[]): unknown {
  const length = shape.reduce((a, b) => a * b, 1);
  const rng = Rng.of(0, 'measure', name);
  const normal = { length };
  switch (type) {
    case 'float32': return Float32Array.from(normal, () => rng.normal());
    case 'float64': return Float64Array.from(normal, () => rng.normal());
    case 'int64': return new BigInt64Array(length);
    case 'int32': return new Int32Array(length);
    case 'uint8': case 'bool': return new Uint8Array(length);
    case 'int8': return new Int8Array(length);
    default: throw new Refused(`input "${name}": expected float32, float64, int64, int32, int8, uint8 or bool, got ${type}`);
  }
}

process.on('message', (task: HostTask) => {
  measure(task)
    .catch((error: Error): HostAnswer => {
      if (!(error instanceof Refused)) throw error;
      return { kind: 'refused', message: error.message };
    })
    .then((answer) => process.send!(answer));
});
// whoever asked is gone
process.on('disconnect', () => process.exit());
