import type { NetworkView, ParameterView, SeriesView, StudySummary } from '@app/contracts';
import { plotData, type PlotData } from './plot-data.js';

/** Eight trials of two objectives and a limit: three on the front, two dominated, one infeasible, one failed, one running. */
export const objectives: StudySummary['objectives'] = [
  { key: 'accuracy', metric: 'accuracy', target: null, direction: 'maximize', unit: '%', reference: 50 },
  { key: 'latency@m7', metric: 'latency', target: 'm7', direction: 'minimize', unit: 'ms', reference: 100 },
];
export const constraints: StudySummary['constraints'] = [{ key: 'latency@m7', metric: 'latency', target: 'm7', op: '<=', value: 45, unit: 'ms' }];

const blank = { description: null, min: null, max: null, step: null, scale: null } as const;
export const parameters: ParameterView[] = [
  { ...blank, name: 'kernel', type: 'categorical', values: [7, 3, 5] },
  { ...blank, name: 'gate', type: 'categorical', values: [true, false] },
];

export const series: SeriesView = {
  revision: 9, count: 8,
  id: Array.from({ length: 8 }, (_, i) => `00000000-0000-5000-8000-00000000000${i}`),
  number: [1, 2, 3, 4, 5, 6, 7, 8],
  state: ['completed', 'completed', 'completed', 'completed', 'completed', 'infeasible', 'failed', 'running'],
  onFront: [true, false, true, false, true, false, false, false],
  feasible: [true, true, true, true, true, false, null, null],
  columns: {
    'latency@m7': { kind: 'metric', unit: 'ms', values: [10, 25, 20, 44, 40, 60, null, null] },
    accuracy: { kind: 'metric', unit: '%', values: [60, 58, 70, 69, 80, 85, null, null] },
    kernel: { kind: 'parameter', unit: null, values: [3, 3, 5, 7, 3, 5, 7, 3] },
    gate: { kind: 'parameter', unit: null, values: [true, null, false, true, true, false, true, null] },
    depth: { kind: 'parameter', unit: null, values: [2, 2, 2, 2, 2, 2, 2, 2] },
  },
};

export const data = (): PlotData => plotData(series, { objectives, constraints, parameters });

const node = (id: string, inputs: string[], block: string | null, macs: number): NetworkView['nodes'][number] => ({ id, kind: 'conv2d', block, inputs, shape: [1, 8, 4, 4], label: 'conv 3×3', macs, params: 10 });

/** in → a block with a branch and a skip → two alike chained blocks → out */
export const nodes: NetworkView['nodes'] = [
  node('in', [], null, 0),
  node('a1', ['in'], 'a', 60), node('a2', ['in'], 'a', 40), node('a3', ['a1', 'a2', 'in'], 'a', 0),
  node('b1', ['a3'], 'b1', 20), node('b2', ['b1'], 'b1', 5),
  node('c1', ['b2'], 'b2', 20), node('c2', ['c1'], 'b2', 5),
  node('out', ['c2'], null, 50),
];
