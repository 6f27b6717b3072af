/** Tables of whole search spaces: NAS-Bench-201 and FBNet, as HELP, HW-NAS-Bench and HW-NAS-Bench-360 measured them. */
import type { RuntimeKind } from '@app/cost';
import { decode, isDegenerate, pointFromCode } from '@app/decode';
import type { Graph } from '@app/graph';
import { fbnetGraph } from './fbnet.js';
import { readMeasured, type Network, type Row, type Series } from './series.js';

type Columns = Readonly<Record<string, readonly (number | null)[]>>;

interface CellFile {
  readonly licence: string;
  readonly table: { readonly arch: readonly string[]; readonly latency_ms: Columns; readonly energy_mJ?: Columns };
}

/** How the devices of HELP and HW-NAS-Bench ran their networks; found by what each runtime does with dead and zero edges. */
const DEVICES: Readonly<Record<string, { readonly title: string; readonly runtime: RuntimeKind; readonly by: string }>> = {
  pixel3: { title: 'Google Pixel 3', runtime: 'tflite-2021', by: 'TensorFlow Lite (2021 converter)' },
  raspi4: { title: 'Raspberry Pi 4', runtime: 'tflite-2021', by: 'TensorFlow Lite (2021 converter)' },
  eyeriss: { title: 'Eyeriss, simulated', runtime: 'every-operator', by: 'simulator' },
  fpga: { title: 'FPGA ZC706, simulated', runtime: 'every-operator', by: 'simulator' },
};
const TITLES: Readonly<Record<string, string>> = {
  '1080ti': 'NVIDIA GTX 1080 Ti', '2080ti': 'NVIDIA RTX 2080 Ti', titanx: 'NVIDIA Titan X', titanxp: 'NVIDIA Titan Xp', titan_rtx: 'NVIDIA Titan RTX',
  gold_6226: 'Intel Xeon Gold 6226', gold_6240: 'Intel Xeon Gold 6240', silver_4114: 'Intel Xeon Silver 4114', silver_4210r: 'Intel Xeon Silver 4210R',
  samsung_a50: 'Samsung Galaxy A50', samsung_s7: 'Samsung Galaxy S7', essential_ph: 'Essential PH-1', pixel2: 'Google Pixel 2',
};

/** `titanx_32` is a Titan X at batch 32; `gold_6240` is one name. */
export function cardOf(column: string): { readonly card: string; readonly batch: string } {
  const [, card, batch] = /^(.*)_(1|32|64|256)$/.exec(column) ?? [null, column, '1'];
  return { card: card!, batch: batch! };
}

function deviceOf(column: string): { readonly title: string; readonly runtime: RuntimeKind; readonly by: string } {
  const known = DEVICES[column];
  if (known !== undefined) return known;
  const { card, batch } = cardOf(column);
  const title = TITLES[card] ?? card;
  return { title: batch === '1' ? title : `${title}, batch ${batch}`, runtime: 'pytorch-eager', by: 'PyTorch' };
}

/** What a cell computes, written down: equal for cells that are one function by another name, so that they go together. */
function functionOf(code: string): string {
  const sums: string[][] = [['x']];
  let edge = 0;
  for (let target = 1; target <= 3; target++) {
    const terms: string[] = [];
    for (let source = 0; source < target; source++) {
      const digit = code[edge++]!;
      const from = sums[source]!;
      if (digit === '0' || from.length === 0) continue;
      // a skip hands the terms of a sum on
      if (digit === '1') terms.push(...from);
      else terms.push(`${digit}(${[...from].sort().join('+')})`);
    }
    sums.push(terms);
  }
  return [...sums[3]!].sort().join('+');
}

/** NAS-Bench-201 cell networks with another input and number of classes than the benchmark's. */
function cellGraph(code: string, input: readonly [height: number, width: number, channels: number], classes: number): Graph {
  const graph = decode({ family: 'nas-bench-201', settings: {} }, pointFromCode(code), { numClasses: classes, inputChannels: input[2] });
  if (input[0] === 32 && input[1] === 32) return graph;
  return { ...graph, nodes: graph.nodes.map((n) => (n.kind === 'input' ? { ...n, attrs: { shape: [1, input[2], input[0], input[1]] } } : n)) };
}

/** Every `stride`-th architecture only, to be quick. Cells whose output does not depend on the input are left out: they run in no time. */
export function nasSeries(dir: string, stride: number): Series[] {
  return [...helpCells(dir, stride), ...fbnet(dir, stride), ...cells360(dir, stride)];
}

function helpCells(dir: string, stride: number): Series[] {
  const file = readMeasured<CellFile>(dir, 'nasbench201_latency_accuracy.json.gz');
  if (file === null) return [];
  const { arch, latency_ms: columns } = file.table;
  const networks = arch.map((code): Network => ({ name: `nas-bench-201 ${code} 32x32x3/10`, group: `nb201 ${functionOf(code)}`, graph: () => cellGraph(code, [32, 32, 3], 10) }));
  return Object.entries(columns).map(([column, values]) => {
    const { title, runtime, by } = deviceOf(column);
    return {
      device: column, title, runtime, runtimeTitle: by, family: 'nas-bench-201', quantity: 'latency', precision: 'fp32', licence: 'MIT',
      source: column in DEVICES ? 'HW-NAS-Bench (Li et al., ICLR 2021)' : 'HELP (Lee et al., NeurIPS 2021)',
      rows: rowsOf(networks, values, (i) => i % stride === 0 && !isDegenerate(arch[i]!)),
    };
  });
}

function fbnet(dir: string, stride: number): Series[] {
  const file = readMeasured<CellFile>(dir, 'fbnet_latency.json.gz');
  if (file === null) return [];
  const networks = file.table.arch.map((code): Network => ({ name: `fbnet ${code}`, group: `fbnet ${code}`, graph: () => fbnetGraph(code) }));
  return Object.entries(file.table.latency_ms).map(([column, values]) => {
    const { title, runtime, by } = deviceOf(column);
    const table = column in DEVICES;
    return {
      device: column, title, runtime, runtimeTitle: table ? `${by}, sums of block tables` : by, family: 'fbnet', quantity: 'latency', precision: 'fp32', licence: 'MIT',
      source: table ? 'HW-NAS-Bench (Li et al., ICLR 2021)' : 'HELP (Lee et al., NeurIPS 2021)',
      rows: rowsOf(networks, values, (i) => i % stride === 0),
    };
  });
}

const TASKS: Readonly<Record<string, { readonly input: readonly [number, number, number]; readonly classes: number }>> = {
  cifar100: { input: [32, 32, 3], classes: 100 }, ninapro: { input: [52, 16, 1], classes: 18 }, darcy: { input: [88, 88, 1], classes: 1 },
};
const RUNTIMES_360: Readonly<Record<string, readonly [RuntimeKind, string]>> = { litert: ['litert', 'LiteRT'], onnx: ['onnx-runtime', 'ONNX Runtime'], torchmobile: ['pytorch-mobile', 'PyTorch Mobile'] };

/** One series a device and runtime, all tasks together; the group is the cell, so that no task gives another away. */
function cells360(dir: string, stride: number): Series[] {
  const file = readMeasured<CellFile>(dir, 'nasbench201_pi5_pixel6a.json.gz');
  if (file === null) return [];
  const { arch, latency_ms: latency, energy_mJ: energy } = file.table;
  const series = new Map<string, Series & { rows: Row[] }>();
  for (const [quantity, columns] of [['latency', latency], ['energy', energy ?? {}]] as const) {
    for (const [column, values] of Object.entries(columns)) {
      const [device, framework, task] = column.split('/') as [string, string, string];
      const { input, classes } = TASKS[task]!;
      const [runtime, by] = RUNTIMES_360[framework]!;
      const networks = arch.map((code): Network => ({ name: `nas-bench-201 ${code} ${input.join('x')}/${classes}`, group: `nb201 ${functionOf(code)}`, graph: () => cellGraph(code, input, classes) }));
      const key = `${quantity} ${device} ${framework}`;
      const known = series.get(key) ?? {
        device, title: device === 'pi5' ? 'Raspberry Pi 5' : 'Google Pixel 6a', runtime, runtimeTitle: by, family: 'nas-bench-201', quantity, precision: 'fp32',
        source: 'HW-NAS-Bench-360', licence: 'none stated', rows: [],
      };
      known.rows.push(...rowsOf(networks, values, (i) => i % stride === 0 && !isDegenerate(arch[i]!)));
      series.set(key, known);
    }
  }
  return [...series.values()];
}

/** Milliseconds or millijoules to SI. */
function rowsOf(networks: readonly Network[], values: readonly (number | null)[], wanted: (i: number) => boolean): Row[] {
  return networks.flatMap((network, i) => {
    const value = values[i];
    return wanted(i) && value !== null && value !== undefined && value > 0 ? [{ network, value: value / 1000 }] : [];
  });
}
