import type { DeviceView, NetworkView, ParameterView, SeriesView, SpaceView, StudySummary, TrialState, TrialView } from '@app/contracts';
import { paretoFront } from '@app/pareto';

/** Studies whose figures follow simple laws, so that the page can be looked at without a search behind it. */

/** Deterministic uniform numbers in [0, 1): mulberry32. */
export function uniform(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const uuid = (study: number, n: number): string => `00000000-0000-5000-8${study.toString(16).padStart(3, '0')}-${n.toString(16).padStart(12, '0')}`;

const parameter = (p: Partial<ParameterView> & Pick<ParameterView, 'name' | 'type'>): ParameterView => ({ description: null, min: null, max: null, step: null, scale: null, values: null, ...p });
export const PARAMETERS: readonly ParameterView[] = [
  parameter({ name: 'resolution', type: 'ordinal', values: [96, 128, 160, 192, 224], description: 'side of the input image' }),
  parameter({ name: 'width', type: 'float', min: 0.25, max: 1.5, scale: 'linear', description: 'factor on all channels' }),
  parameter({ name: 'depth', type: 'int', min: 1, max: 5, description: 'blocks a stage' }),
  parameter({ name: 'kernel', type: 'categorical', values: [3, 5, 7], description: 'side of the depthwise kernel' }),
  parameter({ name: 'expansion', type: 'ordinal', values: [2, 3, 4, 6] }),
  parameter({ name: 'attention', type: 'categorical', values: ['none', 'eca', 'se'] }),
  parameter({ name: 'stem', type: 'categorical', values: [true, false] }),
];

export type Shape = '2-objectives' | '3-objectives' | 'infeasible' | 'broken';
const DEVICE = 'cortex-m7';

export const LATENCY = `latency@${DEVICE}`;
const ENERGY = `energy@${DEVICE}`;
const RAM = `peakRam@${DEVICE}`;

export function objectivesOf(shape: Shape): StudySummary['objectives'] {
  const all: StudySummary['objectives'] = [
    { key: 'accuracy', metric: 'accuracy', target: null, direction: 'maximize', unit: '%', reference: 40 },
    { key: LATENCY, metric: 'latency', target: DEVICE, direction: 'minimize', unit: 'ms', reference: 900 },
    { key: ENERGY, metric: 'energy', target: DEVICE, direction: 'minimize', unit: 'mJ', reference: 200 },
  ];
  return shape === '2-objectives' ? all.slice(0, 2) : all;
}

export const constraintsOf = (shape: Shape): StudySummary['constraints'] =>
  shape === '2-objectives' ? [] : [{ key: RAM, metric: 'peakRam', target: DEVICE, op: '<=', value: shape === 'infeasible' ? 24 : 320, unit: 'KiB' }];

/** Trial `number` of a study, settled. */
export function settledTrial(study: number, studyId: string, number: number, shape: Shape, createdAt: Date): TrialView {
  const random = uniform(study * 7919 + number * 104_729);
  const skill = Math.min(1, number / 250);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const p = {
    resolution: pick([96, 128, 160, 192, 224]), width: Math.round((0.25 + random() * 1.25) * 100) / 100, depth: 1 + Math.floor(random() * 5), kernel: pick([3, 5, 7]), expansion: pick([2, 3, 4, 6]),
    attention: pick(['none', 'eca', 'se']), stem: random() < 0.6,
  };
  const macs = 9e6 * (p.resolution / 128) ** 2 * p.width ** 1.8 * p.depth * (1 + p.kernel / 20) * (p.expansion / 4);
  const params = 3.2e5 * p.width ** 1.9 * p.depth * (p.expansion / 4);
  const noise = (s: number): number => (random() + random() + random() - 1.5) * s;
  const accuracy = 58 + 5.2 * Math.log10(macs / 1e6) + 2.4 * Math.log10(params / 1e4) + (p.attention === 'eca' ? 1.2 : p.attention === 'se' ? 0.9 : 0) + noise(5 - 2.5 * skill);
  const latency = (macs / 1.6e8) * 1000 * (1 + (p.kernel - 3) * 0.04) * (1 + noise(0.12)) + 4 + (number % 211 === 17 ? 4000 : 0);
  const energy = latency * 0.19 * (1 + noise(0.22)) + params / 4e5;
  const peakRam = (p.resolution ** 2 * 16 * Math.max(0.5, p.width) * (p.expansion / 4)) / 1024 / 2 + 22;
  const failed = shape === 'broken' || number % 43 === 11;
  const limit = constraintsOf(shape)[0];
  const feasible = failed ? null : limit === undefined || peakRam <= limit.value;
  const state: TrialState = failed ? 'failed' : feasible ? 'completed' : 'infeasible';
  const estimate = (value: number, unit: string, spread: number): TrialView['metrics'][string] => ({ value, unit, provenance: 'estimated', interval: [value * (1 - spread), value * (1 + spread)], source: 'roofline 1 / cortex-m7 profile' });
  return {
    id: uuid(study, number), studyId, number, state,
    reason: failed ? (shape === 'broken' ? 'evaluator-error' : 'timeout') : feasible === false ? 'constraint' : null,
    message: failed ? (shape === 'broken' ? 'the command ended with code 1: No module named "blackbox"' : 'no answer within 30 s') : feasible === false ? `peak RAM ${peakRam.toFixed(1)} KiB is above ${limit!.value} KiB` : null,
    parameters: p.attention === 'none' ? Object.fromEntries(Object.entries(p).filter(([k]) => k !== 'stem')) : p,
    proposedBy: number <= 20 ? 'initial design' : random() < 0.55 ? 'poll' : random() < 0.5 ? 'speculative search' : 'quadratic model search',
    metrics: failed ? {} : {
      accuracy: { value: accuracy, unit: '%', provenance: 'trained', source: 'table fixture 1' },
      [LATENCY]: { ...estimate(latency, 'ms', 0.16), ...(number % 5 === 0 ? { warnings: ['kernel 7 was not among the measured layers'] } : {}) },
      [ENERGY]: estimate(energy, 'mJ', 0.25), [RAM]: estimate(peakRam, 'KiB', 0.05),
      macs: { value: Math.round(macs), unit: '1', provenance: 'computed', source: 'graph' }, params: { value: Math.round(params), unit: '1', provenance: 'computed', source: 'graph' },
    },
    feasible, onFront: false, rank: null, attempts: number % 43 === 11 ? 2 : 1,
    createdAt: createdAt.toISOString(), settledAt: new Date(createdAt.getTime() + 900).toISOString(), durationSeconds: 0.4 + random() * 1.4,
  };
}

const value = (t: TrialView, key: string): number => t.metrics[key]!.value;
export const minimised = (t: TrialView, objectives: StudySummary['objectives']): number[] => objectives.map((o) => (o.direction === 'maximize' ? -value(t, o.key) : value(t, o.key)));

/** Marks the front and says who is on it. */
export function markFront(trials: TrialView[], objectives: StudySummary['objectives']): TrialView[] {
  const feasible = trials.filter((t) => t.feasible === true);
  const front = new Set(paretoFront(feasible.map((t) => minimised(t, objectives))).map((i) => feasible[i]!.number));
  for (const t of trials) {
    t.onFront = front.has(t.number);
    t.rank = t.feasible === true ? (t.onFront ? 0 : 1 + (t.number % 6)) : null;
  }
  return trials.filter((t) => t.onFront);
}

export function seriesOf(revision: number, trials: readonly TrialView[], objectives: StudySummary['objectives'], constraints: StudySummary['constraints']): SeriesView {
  const units = new Map<string, string>([...objectives, ...constraints].map((o) => [o.key, o.unit]));
  const metrics = [...new Set(trials.flatMap((t) => Object.keys(t.metrics)))];
  return {
    revision, count: trials.length, id: trials.map((t) => t.id), number: trials.map((t) => t.number), state: trials.map((t) => t.state), onFront: trials.map((t) => t.onFront), feasible: trials.map((t) => t.feasible),
    columns: Object.fromEntries([
      ...metrics.map((key) => [key, { kind: 'metric' as const, unit: units.get(key) ?? trials.find((t) => t.metrics[key])?.metrics[key]?.unit ?? null, values: trials.map((t) => t.metrics[key]?.value ?? null) }] as const),
      ...PARAMETERS.map((p) => [p.name, { kind: 'parameter' as const, unit: null, values: trials.map((t) => t.parameters[p.name] ?? null) }] as const),
    ]),
  };
}

type Node = NetworkView['nodes'][number];

/** Inverted-bottleneck network of a trial's parameters. */
export function networkOf(trial: TrialView): NetworkView {
  const p = trial.parameters;
  const nodes: Node[] = [];
  let side = Number(p['resolution']);
  const channelsOf = (base: number): number => Math.max(8, Math.round((base * Number(p['width'])) / 8) * 8);
  const add = (id: string, kind: string, label: string, inputs: string[], channels: number, block: string | null, macs: number, params: number): string => {
    nodes.push({ id, kind, block, inputs, shape: [1, channels, side, side], label, macs: Math.round(macs), params: Math.round(params) });
    return id;
  };
  let last = add('input', 'input', 'input', [], 3, null, 0, 0);
  side /= 2;
  let channels = channelsOf(16);
  last = add('stem', 'conv2d', 'conv 3×3 /2', [last], channels, 'stem', side * side * channels * 27, channels * 27);
  last = add('stem_relu', 'activation', 'relu6', [last], channels, 'stem', 0, 0);
  const k = Number(p['kernel']);
  [24, 40, 80].forEach((base, stage) => {
    for (let b = 1; b <= Number(p['depth']); b++) {
      const block = `stage${stage + 1}.block${b}`;
      const out = channelsOf(base);
      const hidden = channels * Number(p['expansion']);
      const entry = last;
      let x = add(`${block}.expand`, 'conv2d', `conv 1×1`, [entry], hidden, block, side * side * channels * hidden, channels * hidden);
      if (b === 1) side /= 2;
      x = add(`${block}.dw`, 'conv2d', `depthwise ${k}×${k}${b === 1 ? ' /2' : ''}`, [x], hidden, block, side * side * hidden * k * k, hidden * k * k);
      if (p['attention'] !== 'none') {
        const gate = add(`${block}.att`, 'channelAttention', String(p['attention']).toUpperCase(), [x], hidden, block, hidden * 3, 3);
        x = add(`${block}.scale`, 'mul', 'scale', [x, gate], hidden, block, 0, 0);
      }
      x = add(`${block}.project`, 'conv2d', 'conv 1×1', [x], out, block, side * side * out * hidden, out * hidden);
      last = b > 1 ? add(`${block}.add`, 'add', 'add', [x, entry], out, block, 0, 0) : x;
      channels = out;
    }
  });
  const features = side * side;
  side = 1;
  last = add('pool', 'globalAvgPool', 'global average', [last], channels, 'head', features * channels, 0);
  nodes.push({ id: 'fc', kind: 'linear', block: 'head', inputs: [last], shape: [1, 1000], label: 'linear 1000', macs: channels * 1000, params: channels * 1000 + 1000 });
  return { trialId: trial.id, name: `trial ${trial.number}`, inputShape: [1, 3, Number(p['resolution']), Number(p['resolution'])], macs: sum(nodes, 'macs'), params: sum(nodes, 'params'), madds: 2 * sum(nodes, 'macs'), nodes, devices: [priced(nodes, DEVICE, 1.6e8, 'int8', 1), priced(nodes, 'pixel-3', 9e9, 'fp32', 4)] };
}

const sum = (nodes: readonly Node[], key: 'macs' | 'params'): number => nodes.reduce((s, n) => s + n[key], 0);

function priced(nodes: readonly Node[], device: string, rate: number, precision: string, bytes: number): NetworkView['devices'][number] {
  const size = (n: Node): number => n.shape.reduce((a, b) => a * b, 1) * bytes;
  const byId = new Map(nodes.map((n) => [n.id, n]));
  const layers = nodes.map((n) => {
    const live = size(n) + n.inputs.reduce((s, i) => s + size(byId.get(i)!), 0);
    const latency = n.macs / rate / (n.label.startsWith('depthwise') ? 0.4 : 1) + (n.kind === 'input' ? 0 : 4e-5) + size(n) / 4e8;
    return { node: n.id, latency, energy: latency * 0.19, liveBytes: live, weightBytes: n.params * bytes, bound: n.kind === 'input' ? 'free' : n.macs === 0 ? 'memory' : 'compute' };
  });
  const total = (f: (l: (typeof layers)[number]) => number): number => layers.reduce((s, l) => s + f(l), 0);
  const estimate = (value: number, unit: string): TrialView['metrics'][string] => ({ value, unit, provenance: 'estimated', interval: [value * 0.85, value * 1.15], source: 'roofline 1' });
  return { device, precision, layers, totals: { latency: estimate(total((l) => l.latency), 's'), energy: estimate(total((l) => l.energy), 'J'), peakRam: estimate(Math.max(...layers.map((l) => l.liveBytes)), 'B'), flash: estimate(total((l) => l.weightBytes), 'B') } };
}

const figure = (v: number): DeviceView['ram'] => ({ value: v, unit: 'B', source: 'data sheet' });
export const DEVICES: readonly DeviceView[] = [
  { id: DEVICE, title: 'Cortex-M7, 216 MHz', class: 'mcu', description: '320 KiB of SRAM, 1 MiB of flash', precisions: ['int8', 'fp32'], defaultPrecision: 'int8', ram: figure(327_680), flash: figure(1_048_576), runtime: 'CMSIS-NN', notes: [] },
  { id: 'pixel-3', title: 'Pixel 3, one big core', class: 'mobile', description: null, precisions: ['fp32', 'int8'], defaultPrecision: 'fp32', ram: figure(4e9), flash: figure(64e9), runtime: 'TensorFlow Lite', notes: [] },
  { id: 'v100', title: 'V100', class: 'cloud', description: null, precisions: ['fp32', 'fp16'], defaultPrecision: 'fp16', ram: figure(16e9), flash: null, runtime: 'CUDA', notes: [] },
];

export const SPACES: readonly SpaceView[] = [
  { name: 'nas-bench-201', title: 'NAS-Bench-201', description: 'All cells of four nodes whose six edges each carry one of five operations. Tabulated.', family: 'nas-bench-201', cardinality: 15_625, parameters: PARAMETERS.slice(3, 6).map((p) => ({ ...p })), accuracy: ['table'], sources: ['ICLR 2020'], tabulated: ['accuracy', 'latency@pixel-3'] },
  { name: 'mbconv', title: 'Inverted bottlenecks', description: 'Resolution, width, depth, kernel and expansion of a mobile network.', family: 'mbconv', cardinality: null, parameters: [...PARAMETERS], accuracy: ['surrogate'], sources: ['fixture'], tabulated: [] },
];
