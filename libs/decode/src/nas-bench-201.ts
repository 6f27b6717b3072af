/**
 * NAS-Bench-201 (Dong & Yang, ICLR 2020): one cell of four nodes and six edges, repeated in a fixed skeleton.
 *
 * Skeleton: 3×3 stem to C channels, BN · N cells · residual block to 2C at half the side · N cells · residual block to 4C · N cells ·
 * BN, ReLU, mean over the map, linear. C = 16, N = 5, side 32 in the benchmark. Node j of a cell is the sum over i < j of edge (i, j)
 * applied to node i; an operation with weights is ReLU, convolution, BN.
 *
 * At 10 classes: params = 73306 + 243040·n3 + 28000·n1 (batch norm scale and shift counted) and
 * MACs = 7783040 + 35389440·n3 + 3932160·n1 (convolution and linear products alone), n3 and n1 the 3×3 and 1×1 edges of the cell,
 * whether or not anything reaches them. These are the figures the benchmark tabulates as params and FLOPs.
 */
import type { Point } from '@app/space';
import { cellFeatures } from './cell-features.js';
import { DecodeError } from './decode-error.js';
import type { DecodeContext, Family } from './family.js';
import type { NetworkBuilder, Feature } from './network-builder.js';
import type { PointReader } from './readers.js';

/** Edge values in the order of the code's digits 0 … 4. */
export const EDGE_OPERATIONS = ['none', 'skip', 'conv1x1', 'conv3x3', 'avgpool3x3'] as const;
export type EdgeOperation = (typeof EDGE_OPERATIONS)[number];

/** Edges (target, source) in the order of the code's digits: 1←0, 2←0, 2←1, 3←0, 3←1, 3←2. */
const EDGES = [[1, 0], [2, 0], [2, 1], [3, 0], [3, 1], [3, 2]] as const;
const EDGE_NAMES = EDGES.map(([target, source]) => `edge_${target}_${source}`);

export const nasBench201: Family = {
  name: 'nas-bench-201',
  parameters: EDGE_NAMES,
  settings: ['resolution', 'channels', 'cells'],
  fromCode: pointFromCode,
  features: (point) => cellFeatures(architectureCode(point)),
  decode<T>(point: PointReader, { task, settings, network }: DecodeContext<T>): T {
    const cell = EDGE_NAMES.map((name) => point.choice(name, EDGE_OPERATIONS));
    const channels = settings.integer('channels', 1, 1024, 16);
    const cells = settings.integer('cells', 1, 64, 5);
    const side = settings.integer('resolution', 4, 1024, 32);
    if (side % 4 !== 0) throw new DecodeError('settings.resolution', side, 'a multiple of 4: two reduction blocks halve it');

    const net = network('nas-bench-201');
    let x = net.input(task.inputChannels, side);
    net.begin('stem');
    x = net.convBn('conv', x, channels, { kernel: 3 });
    for (let stage = 1; stage <= 3; stage++) {
      if (stage > 1) {
        net.begin(`reduction${stage - 1}`);
        x = reductionBlock(net, x, 2 * x.channels);
      }
      for (let i = 1; i <= cells; i++) {
        net.begin(`stage${stage}.cell${i}`);
        x = cellOf(net, cell, x);
      }
    }
    net.begin('head');
    const pooled = net.globalPool('pool', net.activation('act', net.batchNorm('bn', x), 'relu'));
    return net.finish(net.linear('classifier', pooled, task.numClasses));
  },
};

function cellOf(net: NetworkBuilder, cell: readonly EdgeOperation[], input: Feature): Feature {
  const nodes: Feature[] = [input];
  for (let target = 1; target <= 3; target++) {
    let sum: Feature | null = null;
    for (let source = 0; source < target; source++) {
      const e = EDGES.findIndex(([t, s]) => t === target && s === source);
      const arriving = edge(net, `e${target}${source}`, cell[e]!, nodes[source]!);
      sum = sum === null ? arriving : net.add(`n${target}${source}`, sum, arriving);
    }
    nodes.push(sum!);
  }
  return nodes[3]!;
}

function edge(net: NetworkBuilder, part: string, operation: EdgeOperation, x: Feature): Feature {
  switch (operation) {
    case 'none':
      return net.zeros(`${part}Zero`, x);
    case 'skip':
      return x;
    case 'conv1x1':
    case 'conv3x3':
      return reluConvBn(net, part, x, x.channels, operation === 'conv1x1' ? 1 : 3, 1);
    case 'avgpool3x3':
      return net.avgPool(`${part}Pool`, x, 3, 1, 1);
  }
}

function reluConvBn(net: NetworkBuilder, part: string, x: Feature, channels: number, kernel: number, stride: number): Feature {
  return net.convBn(`${part}Conv`, net.activation(`${part}Relu`, x, 'relu'), channels, { kernel, stride });
}

/** Two 3×3 convolutions beside a 2×2 mean and a 1×1 convolution without batch norm. */
function reductionBlock(net: NetworkBuilder, x: Feature, channels: number): Feature {
  const main = reluConvBn(net, 'b', reluConvBn(net, 'a', x, channels, 3, 2), channels, 3, 1);
  const shortcut = net.conv('shortcut', net.avgPool('shortcutPool', x, 2, 2, 0), channels);
  return net.add('add', main, shortcut);
}

/**
 * Six digits 0 … 4, one an edge in the order 1←0, 2←0, 2←1, 3←0, 3←1, 3←2: the key of the benchmark's tables.
 * @throws DecodeError if an edge is missing or unknown
 */
export function architectureCode(point: Point): string {
  return EDGE_NAMES.map((name) => {
    const digit = EDGE_OPERATIONS.findIndex((op) => op === point[name]);
    if (digit < 0) throw new DecodeError(name, point[name], `one of ${EDGE_OPERATIONS.join(', ')}`);
    return digit;
  }).join('');
}

/** Inverse of `architectureCode`. @throws DecodeError unless the code is six digits 0 … 4 */
export function pointFromCode(code: string): Point {
  checkCode(code);
  return Object.fromEntries(EDGE_NAMES.map((name, i) => [name, EDGE_OPERATIONS[Number(code[i])]!]));
}

/**
 * True if no path leads from the cell's input to its output: the network answers the same to every input, at chance accuracy. 341 of
 * the 15,625 cells; some of them still cost time on a device, since the convolutions after the break run on zeros.
 * @throws DecodeError unless the code is six digits 0 … 4
 */
export function isDegenerate(code: string): boolean {
  checkCode(code);
  const reached = [true, false, false, false];
  EDGES.forEach(([target, source], i) => {
    if (code[i] !== '0' && reached[source]) reached[target] = true;
  });
  return !reached[3];
}

function checkCode(code: string): void {
  if (!/^[0-4]{6}$/.test(code)) throw new DecodeError('code', code, 'six digits 0 … 4');
}
