/** Measured single networks: microcontrollers (MLPerf Tiny, MicroNets, TinyEngine, STM32 model zoo, TinyML-Benchmark) and phones. */
import type { Precision, RuntimeKind } from '@app/cost';
import { graphOfLayers, type ListedModel } from './layer-list.js';
import { readMeasured, type Network, type Row, type Series } from './series.js';

interface Listed {
  readonly models: readonly ListedModel[] | Readonly<Record<string, ListedModel>>;
}

interface TinyRow {
  readonly model?: string;
  readonly task?: string;
  readonly board?: string;
  readonly board_as_listed?: string;
  readonly device?: string;
  readonly system?: string;
  readonly submitter?: string;
  readonly round?: string;
  readonly division?: string;
  readonly core?: string | null;
  readonly clock_mhz?: number;
  readonly runtime?: string | null;
  readonly accelerator?: string | null;
  readonly precision?: string;
  readonly variant?: string | null;
  readonly processor?: string | null;
  readonly threads?: number | string;
  readonly latency_ms?: number | null;
  readonly latency_us?: number | null;
  readonly latency_s?: Readonly<Record<string, number | null>>;
  readonly energy_mJ?: Readonly<Record<string, number | null>>;
  readonly energy_uJ?: number | null;
  readonly suspect?: string;
  readonly estimated_by_authors?: readonly string[];
  readonly dead_channels_removed?: string;
}

type Measured = Listed & { readonly rows: readonly TinyRow[]; readonly licence: string; readonly boards?: Readonly<Record<string, { readonly core: string; readonly clock_mhz: number }>> };

/** Networks that are the same by another name stand in one group: whoever has seen one has seen the other. */
const GROUPS: Readonly<Record<string, string>> = {
  mlperf_tiny_vww_mobilenetv1_0_25_96_int8: 'mobilenet_v1_0.25_96', 'mlperf_tiny_vww_mobilenetv1_0.25_96_int8': 'mobilenet_v1_0.25_96', 'mobilenet_v1_0.25_96_gray': 'mobilenet_v1_0.25_96', 'Person Detection': 'mobilenet_v1_0.25_96',
  mlperf_tiny_ic_resnet8_int8: 'resnet8', resnet_v1_8_cifar10: 'resnet8', mlperf_tiny_ad_autoencoder_int8: 'autoencoder', 'AD-baseline': 'autoencoder',
};
const MLPERF: Readonly<Record<string, string>> = { vww: 'mlperf_tiny_vww_mobilenetv1_0.25_96_int8', ic: 'mlperf_tiny_ic_resnet8_int8', kws: 'mlperf_tiny_kws_dscnn_int8', ad: 'mlperf_tiny_ad_autoencoder_int8' };

/** Channels of the released person-detection network whose weights are all zero, of its nine last pointwise layers in order. */
const DEAD_CHANNELS = [4, 21, 71, 98, 109, 109, 101, 224, 234];

export function tinySeries(dir: string): Series[] {
  const collected = new Map<string, Series & { rows: Row[] }>();
  const add = (series: Omit<Series, 'rows'>, key: string, network: Network, value: number): void => {
    const id = `${series.quantity} ${series.device} ${series.runtimeTitle} ${series.precision} ${key}`;
    const known = collected.get(id) ?? { ...series, rows: [] };
    known.rows.push({ network, value });
    collected.set(id, known);
  };

  for (const file of ['mlperf_tiny.json', 'micronets.json', 'mcunet_tinyengine.json', 'stm32_model_zoo.json', 'tinyml_fc_benchmark.json', 'mobile_published.json']) {
    const measured = readMeasured<Measured>(dir, file);
    if (measured === null) continue;
    const models = new Map((Array.isArray(measured.models) ? (measured.models as ListedModel[]) : Object.values(measured.models)).map((m) => [m.name, m]));
    const source = { source: SOURCES[file]!, licence: measured.licence };
    const precision: Precision = file === 'tinyml_fc_benchmark.json' ? 'fp32' : 'int8';
    for (const row of measured.rows) {
      if (row.suspect !== undefined) continue;
      const name = row.task === undefined ? row.model! : MLPERF[row.task];
      const listed = name === undefined ? undefined : models.get(name);
      if (listed === undefined || (row.division !== undefined && row.division !== 'closed')) continue;
      if (row.latency_s !== undefined) {
        for (const quantity of ['latency', 'energy'] as const) {
          for (const [board, value] of Object.entries((quantity === 'latency' ? row.latency_s : row.energy_mJ) ?? {})) {
            if (value === null || row.estimated_by_authors?.includes(`latency_s.${board}`)) continue;
            const { core, clock_mhz } = measured.boards![board]!;
            add({ ...common(row), device: board, title: board, core, clockMHz: clock_mhz, runtimeTitle: 'TFLM with CMSIS-NN', kernels: 'cmsis-nn', family: 'tiny', quantity, precision, ...source }, '', networkOf(listed, false), quantity === 'latency' ? value : value / 1000);
          }
        }
        continue;
      }
      const removed = row.dead_channels_removed !== undefined && row.task === 'vww';
      const network = networkOf(listed, removed);
      const isMobile = file === 'mobile_published.json';
      const common_ = {
        ...common(row), device: row.board ?? row.device!, title: row.board ?? row.device!,
        runtimeTitle: isMobile ? `TensorFlow Lite, ${row.processor ?? ''}${row.threads === undefined ? '' : ` ${row.threads} threads`}` : (row.runtime ?? (file === 'tinyml_fc_benchmark.json' ? `TFLM, float32, ${optimisationOf(row)}` : `${row.submitter} (runtime not stated)`)) + (row.threads === undefined ? '' : `, ${row.threads} threads`),
        kernels: isMobile ? 'mobile' : kernelsOf(row, file), family: isMobile ? 'mobile' as const : 'tiny' as const,
        precision: isMobile ? (row.precision!.startsWith('float') ? 'fp32' as const : 'int8' as const) : row.precision?.startsWith('float') ? 'fp32' as const : precision, ...source,
      };
      const latency = row.latency_ms ?? (row.latency_us === null || row.latency_us === undefined ? null : row.latency_us / 1000);
      const key = `${row.round ?? ''} ${row.submitter ?? ''} ${row.system ?? ''} ${row.variant?.replace(/^\w+_/, '') ?? ''} ${row.clock_mhz ?? ''} ${isMobile ? measuredBy(row) : ''}`;
      if (latency !== null && latency > 0) add({ ...common_, quantity: 'latency' }, key, network, latency / 1000);
      if (row.energy_uJ !== undefined && row.energy_uJ !== null && row.task !== 'sww') add({ ...common_, quantity: 'energy' }, key, network, row.energy_uJ / 1e6);
    }
  }
  return [...collected.values()];
}

const SOURCES: Readonly<Record<string, string>> = {
  'mlperf_tiny.json': 'MLPerf Tiny v0.5 to v1.3 (MLCommons)', 'micronets.json': 'MicroNets (Banbury et al., MLSys 2021, arXiv 2010.11267), tables 4 and 5',
  'mcunet_tinyengine.json': 'TinyEngine and MCUNet repositories', 'stm32_model_zoo.json': 'STM32 model zoo, README tables',
  'tinyml_fc_benchmark.json': 'TinyML-Benchmark-NNs-on-MCUs', 'mobile_published.json': 'TensorFlow Lite and XNNPACK documentation',
};

function common(row: TinyRow): { runtime: RuntimeKind; core?: string; clockMHz?: number } {
  return { runtime: 'tflite-micro', ...(typeof row.core === 'string' ? { core: row.core } : {}), ...(row.clock_mhz === undefined ? {} : { clockMHz: row.clock_mhz }) };
}

/** What the build was asked for; the default of the Arduino cores is size. A third of the cycles hang on it. */
const optimisationOf = ({ board_as_listed }: TinyRow): string => (/opt=(o3|fastest)/.test(board_as_listed ?? '') ? '-O3' : '-Os');

const measuredBy = (row: TinyRow): string => (row as { readonly source?: string }).source ?? '';

/** Runtimes whose kernels are kin. */
function kernelsOf({ runtime, accelerator }: TinyRow, file: string): string {
  if (accelerator) return 'accelerator';
  const text = (runtime ?? '').toLowerCase();
  if (file === 'tinyml_fc_benchmark.json') return 'float-reference';
  if (text.includes('cube') || text.includes('stedge')) return 'cube-ai';
  if (text.startsWith('tinyengine')) return 'tinyengine';
  if (text.includes('plumerai')) return 'plumerai';
  if (text.includes('hale')) return 'hale';
  if (text.includes('microtvm')) return 'microtvm';
  if (text.includes('onnc')) return 'onnc';
  if (text.includes('cmsis')) return 'cmsis-nn';
  if (text.includes('x-linux')) return 'tflite-arm';
  // kernel set not stated; at 7 and 11 cycles a product these are not the reference kernels, which take 40
  if (text.includes('(2020') || text.includes('microcontrollers v2.3.1')) return `${text}, kernels not stated`;
  if (text.includes('tf-lite') || text.includes('tflm') || text.includes('tensorflow lite')) return 'reference';
  return 'other';
}

function networkOf(listed: ListedModel, deadRemoved: boolean): Network {
  const name = deadRemoved ? `${listed.name}, dead channels removed` : listed.name;
  return { name: `${listed.name}${deadRemoved ? ' alive' : ''} ${listed.macs}`, group: GROUPS[listed.name] ?? listed.name, graph: () => graphOfLayers(deadRemoved ? withoutDeadChannels({ ...listed, name }) : listed) };
}

/** The layer list with the channels gone that the zeros of the released weights kill; each depthwise follows its input. */
export function withoutDeadChannels(model: ListedModel): ListedModel {
  const pointwise = model.layers.filter((l) => l.op === 'conv' && l.k?.[0] === 1);
  const first = pointwise.length - DEAD_CHANNELS.length;
  const dead = new Map(pointwise.map((layer, i) => [layer, i < first ? 0 : DEAD_CHANNELS[i - first]!]));
  let gone = 0;
  const layers = model.layers.map((layer) => {
    const before = gone;
    if (layer.op === 'fc') gone = 0;
    else if (dead.has(layer)) gone = dead.get(layer)!;
    const less = (shape: readonly number[], by: number): number[] => [...shape.slice(0, -1), shape.at(-1)! - by];
    const isHead = layer.op === 'fc' || layer.op === 'softmax';
    return { ...layer, in: less(layer.in, layer.op === 'softmax' ? 0 : before), out: less(layer.out, isHead ? 0 : gone) };
  });
  return { ...model, layers };
}
