/**
 * Latencies of single blocks (inverted bottlenecks of ProxylessNAS on a Pixel 1, of TF-NAS on a Xeon and a Titan RTX), and the check
 * that a network costs what its blocks cost together.
 */
import { dot, fitCoefficients, plainPrior, type Sample } from '@app/cost';
import { graphBuilder, type ActivationFn, type Graph } from '@app/graph';
import { crossValidated, result, type Measured, type Result } from './evaluate.js';
import { readMeasured, type Network, type Row, type Series } from './series.js';

interface Block {
  readonly side: number;
  readonly channels: number;
  readonly middle: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly skip: boolean;
  /** channels of the squeeze; 0: none */
  readonly squeeze: number;
  readonly activation: ActivationFn;
}

interface TableRow {
  readonly table: string;
  readonly id: number;
  readonly block?: string;
  readonly input?: readonly [number, number, number];
  readonly output?: readonly [number, number, number];
  readonly expand?: number | null;
  readonly kernel?: number | null;
  readonly stride?: number | null;
  readonly skip?: number | null;
  readonly mean_ms?: number;
  readonly in_hw?: number;
  readonly c_in?: number;
  readonly c_out?: number;
  readonly se?: number;
  readonly act?: string;
  readonly mid?: readonly number[];
  readonly ms?: readonly number[];
}

const TABLES: Readonly<Record<string, Pick<Series, 'device' | 'title' | 'runtimeTitle' | 'source'>>> = {
  proxylessnas_pixel1: { device: 'pixel1', title: 'Google Pixel 1', runtimeTitle: 'TensorFlow Lite', source: 'ProxylessNAS block table (MIT)' },
  tfnas_xeon_6130_batch1_1thread: { device: 'xeon_6130', title: 'Intel Xeon Gold 6130, 1 thread', runtimeTitle: 'PyTorch', source: 'TF-NAS block tables (MIT)' },
  tfnas_titan_rtx_batch32: { device: 'titan_rtx_32', title: 'NVIDIA Titan RTX, batch 32', runtimeTitle: 'PyTorch', source: 'TF-NAS block tables (MIT)' },
};

/** Of TF-NAS from a quarter of the largest number of middle channels up: below, smoothing by its authors has made values negative. */
export function blockSeries(dir: string): Series[] {
  const file = readMeasured<{ readonly rows: readonly TableRow[] }>(dir, 'block_lookup_tables.json');
  return Object.entries(file === null ? {} : TABLES).map(([table, about]): Series => {
    const eager = table.startsWith('tfnas');
    return {
      ...about, runtime: eager ? 'pytorch-eager' : 'compiled', family: 'blocks', quantity: 'latency', precision: 'fp32', licence: 'MIT',
      rows: file!.rows.filter((r) => r.table === table).flatMap((r) => (eager ? ofTfNas(r) : ofProxyless(r))),
    };
  });
}

function ofProxyless({ block, input, output, expand, kernel, stride, skip, mean_ms, id }: TableRow): Row[] {
  if (block !== 'expanded_conv' || mean_ms === undefined) return [];
  const [side, , channels] = input!;
  const known: Block = { side, channels, middle: channels * expand!, out: output![2], kernel: kernel!, stride: stride!, skip: skip === 1, squeeze: 0, activation: 'relu6' };
  return [{ network: networkOf(known, `proxylessnas ${id}`), value: mean_ms / 1000 }];
}

function ofTfNas({ block, in_hw, c_in, c_out, kernel, stride, se, act, mid, ms, id }: TableRow): Row[] {
  if (block !== 'mb') return [];
  const largest = Math.max(...mid!);
  return mid!.flatMap((middle, i): Row[] => {
    const value = ms![i]!;
    if (middle < largest / 4 || value <= 0) return [];
    const known: Block = { side: in_hw!, channels: c_in!, middle, out: c_out!, kernel: kernel!, stride: stride!, skip: stride === 1 && c_in === c_out, squeeze: se!, activation: act === 'swish' ? 'silu' : 'relu' };
    return [{ network: networkOf(known, `tfnas ${id}`), value: value / 1000 }];
  });
}

const networkOf = (block: Block, group: string): Network => ({ name: `${group} ${block.middle}`, group, graph: () => blockGraph(block, group) });

function blockGraph({ side, channels, middle, out, kernel, stride, skip, squeeze, activation }: Block, name: string): Graph {
  const b = graphBuilder(name);
  const conv = (x: string, outChannels: number, size: number, step: number, groups: number): string => b.batchNorm(b.conv2d(x, { outChannels, kernel: size, stride: step, groups }));
  const input = b.input([1, channels, side, side]);
  // without expansion the block begins with its depthwise convolution
  let x = middle === channels ? input : b.activation(conv(input, middle, 1, 1, 1), activation);
  x = b.activation(conv(x, middle, kernel, stride, middle), activation);
  if (squeeze > 0) {
    const squeezed = b.activation(b.conv2d(b.globalAvgPool(x), { outChannels: squeeze, kernel: 1, bias: true }), activation);
    x = b.mul(x, b.activation(b.conv2d(squeezed, { outChannels: middle, kernel: 1, bias: true }), 'sigmoid'));
  }
  x = conv(x, out, 1, 1, 1);
  b.output(skip ? b.add(x, input) : x);
  return b.build();
}

/** A table's blocks by a model that has not seen them (no size of theirs). */
export function unseenBlocks(tables: readonly Measured[]): Result[] {
  return tables.filter((t) => t.samples.length >= 10).map(({ series, samples }) => result('unseen block', series, samples, crossValidated(samples, fitBlocks)));
}

/** Whole networks by a model that has seen nothing but blocks of the same phone: additive, or not. */
export function networksFromBlocks(tables: readonly Measured[], networks: readonly Measured[]): Result[] {
  const blocks = tables.find((t) => t.series.device === 'pixel1');
  const whole = networks.find((m) => m.series.device === 'Pixel 1' && m.series.precision === 'fp32' && m.series.runtimeTitle.includes('large core'));
  if (blocks === undefined || whole === undefined || blocks.samples.length === 0) return [];
  const x = fitBlocks(blocks.samples);
  return [{ ...result('network from its blocks', whole.series, whole.samples, whole.samples.map((s) => dot(s.work, x)), false), coverage: null }];
}

const fitBlocks = (samples: readonly Sample[]): Float64Array => (samples.length < 60 ? fitCoefficients(samples, { coefficients: plainPrior(samples), spread: 1, noise: 0.05 }) : fitCoefficients(samples));
