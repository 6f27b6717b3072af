import type { MetricValue, Metrics } from '@app/contracts';
import { architectureCode, DecodeError, isDegenerate } from '@app/decode';
import { EvaluatorError, type AccuracyEvaluator, type AccuracyRequest, type SpaceDefinition } from '@app/study';
import { readCells, rowOf, type CellColumn, type Cells } from './cells.js';

export type Dataset = 'cifar10' | 'cifar100' | 'imagenet16-120';

interface DatasetColumns {
  readonly full: CellColumn;
  readonly short: CellColumn;
  readonly numClasses: number;
  readonly resolution: number;
}

const DATASETS: Readonly<Record<Dataset, DatasetColumns>> = {
  cifar10: { full: 'acc200_cifar10_test', short: 'acc12_cifar10_val', numClasses: 10, resolution: 32 },
  cifar100: { full: 'acc200_cifar100_test', short: 'acc12_cifar100_val', numClasses: 100, resolution: 32 },
  'imagenet16-120': { full: 'acc200_im16_test', short: 'acc12_im16_val', numClasses: 120, resolution: 16 },
};

const DEVICES = [
  { id: 'raspberry-pi-4', column: 'lat_raspi4_ms', provenance: 'measured' },
  { id: 'pixel-3', column: 'lat_pixel3_ms', provenance: 'measured' },
  { id: 'eyeriss', column: 'lat_eyeriss_ms', provenance: 'simulated' },
  { id: 'fpga-zc706', column: 'lat_fpga_ms', provenance: 'simulated' },
] as const;

const BENCHMARK = 'NAS-Bench-201 (Dong & Yang, ICLR 2020; NATS-Bench)';
const HARDWARE = 'HW-NAS-Bench v1.0 (Li et al., ICLR 2021)';

/**
 * Answers from the published tables of NAS-Bench-201: test accuracy after 200 epochs, or, at a fidelity below 1, validation accuracy
 * after 12; latency on four devices (of the CIFAR-10 network: for CIFAR-100, whose classifier alone differs, with a warning; not for
 * ImageNet16-120, whose images are smaller); and for CIFAR-10 the benchmark's own parameters and multiply-accumulates (it calls them
 * FLOPs).
 *
 * Cells whose output does not depend on the input carry a warning.
 *
 * @throws EvaluatorError `unsupported` from `evaluate` for a point, space or task the tables do not know
 */
export function tableEvaluator(dataset: Dataset): AccuracyEvaluator {
  const columns = DATASETS[dataset];
  const withLatency = columns.resolution === 32;
  // read once, at the first question
  let cells: Promise<Cells> | null = null;
  return {
    id: `table/nas-bench-201/${dataset}`,
    secondsPerTrial: 1e-4,
    metrics: ['accuracy', 'error', ...(withLatency ? DEVICES.map((d) => `latency@${d.id}`) : []), ...(dataset === 'cifar10' ? ['params', 'macs'] : [])],
    evaluate: async (request) => {
      request.signal.throwIfAborted();
      expectBenchmark(dataset, columns, request);
      const code = codeOf(request);
      const warnings = isDegenerate(code) ? { warnings: ['the output of this cell does not depend on its input'] } : {};
      const table = await (cells ??= readCells());
      const row = rowOf(code);
      return {
        ...accuracy(dataset, columns, table, row, request.fidelity ?? 1, warnings),
        ...(withLatency ? latencies(dataset, table, row, warnings) : {}),
        ...(dataset === 'cifar10' ? counts(code) : {}),
      };
    },
    close: async () => {
      cells = null;
    },
  };
}

type Warnings = Pick<MetricValue, 'warnings'>;

function accuracy(dataset: Dataset, columns: DatasetColumns, table: Cells, row: number, fidelity: number, warnings: Warnings): Metrics {
  const full = fidelity >= 1;
  const value = table[full ? columns.full : columns.short][row]!;
  const source = `${BENCHMARK}, ${dataset}, ${full ? 'test accuracy after 200 epochs, mean over seeds' : 'validation accuracy after 12 epochs, one seed'}`;
  const metric = (v: number): MetricValue => ({ value: v, unit: '%', provenance: 'trained', source, ...warnings });
  return { accuracy: metric(value), error: metric(100 - value) };
}

function latencies(dataset: Dataset, table: Cells, row: number, own: Warnings): Metrics {
  const warnings = [...(own.warnings ?? []), ...(dataset === 'cifar10' ? [] : ['of the same network with the classifier of CIFAR-10'])];
  return Object.fromEntries(
    DEVICES.map(({ id, column, provenance }) => [
      `latency@${id}`,
      { value: table[column][row]! / 1000, unit: 's', provenance, source: `${HARDWARE}, CIFAR-10, batch 1`, ...(warnings.length > 0 ? { warnings } : {}) },
    ]),
  );
}

/** 5 cells at each of 16, 32 and 64 channels, every edge counted whether or not anything reaches it. */
function counts(code: string): Metrics {
  const edges = (digit: string): number => [...code].filter((d) => d === digit).length;
  const [n1, n3] = [edges('2'), edges('3')];
  const metric = (value: number): MetricValue => ({ value, unit: '1', provenance: 'computed', source: `${BENCHMARK}, network of 10 classes` });
  return { params: metric(73_306 + 243_040 * n3 + 28_000 * n1), macs: metric(7_783_040 + 35_389_440 * n3 + 3_932_160 * n1) };
}

function codeOf({ point }: AccuracyRequest): string {
  try {
    return architectureCode(point);
  } catch (error) {
    if (error instanceof DecodeError) throw new EvaluatorError('unsupported', `the table has no such cell: ${error.message}`, { cause: error });
    throw error;
  }
}

function expectBenchmark(dataset: Dataset, { numClasses, resolution }: DatasetColumns, { space, task }: AccuracyRequest): void {
  const refuse = (what: string, got: unknown, due: unknown): never => {
    throw new EvaluatorError('unsupported', `${what} is ${String(got)}; the table of ${dataset} has ${String(due)}`);
  };
  if (space.family !== 'nas-bench-201') refuse('family', `"${space.family}"`, '"nas-bench-201"');
  if (task.numClasses !== numClasses) refuse('task.numClasses', task.numClasses, numClasses);
  if (task.inputChannels !== 3) refuse('task.inputChannels', task.inputChannels, 3);
  const due = { resolution, channels: 16, cells: 5 };
  for (const name of ['resolution', 'channels', 'cells'] as const) {
    const got = setting(space, name);
    if (got !== undefined && got !== due[name]) refuse(`settings.${name}`, got, due[name]);
  }
}

const setting = (space: SpaceDefinition, name: string): unknown => space.settings[name];
