/** Measured networks as the data files describe them, and the forms our libs take them in. */
import { referenceScratch, type MemoryOp, type MemoryProgram, type TflmKind, type TflmNetwork, type TflmOperator } from '@app/cost';
import { graphBuilder, samePadding, type Graph } from '@app/graph';

export interface MeasuredOp {
  readonly type: string;
  readonly inputs: readonly number[];
  readonly output: number;
  /** kernel height and width, stride, 1 if SAME; of convolutions and pools */
  readonly window: readonly [number, number, number, number, number] | null;
}

export interface MeasuredNetwork {
  readonly name: string;
  /** without the batch: [height, width, channels] or [features] */
  readonly shapes: readonly (readonly number[])[];
  readonly bytes: readonly number[];
  readonly inputs: readonly number[];
  readonly ops: readonly MeasuredOp[];
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function outputsOf({ ops }: MeasuredNetwork): number[] {
  const read = new Set(ops.flatMap((op) => op.inputs));
  return ops.map((op) => op.output).filter((t) => !read.has(t));
}

/** Constant tensors an operator brings along. Means of a file share theirs. */
const CONSTANTS: Readonly<Record<string, number>> = { conv: 2, dwconv: 2, fc: 2, pad: 1, mean: 1, reshape: 1, resize: 1, transpose: 1 };
const KINDS: Readonly<Record<string, TflmKind>> = {
  conv: 'conv', dwconv: 'dwconv', fc: 'fc', avg_pool: 'avg_pool', max_pool: 'max_pool', add: 'add', sub: 'sub', mul: 'mul', concat: 'concat', relu: 'relu', softmax: 'softmax',
  reshape: 'reshape', pad: 'pad', mean: 'mean', quantize: 'quantize', dequantize: 'dequantize', resize_nn: 'resize', transpose: 'transpose',
};

export function toTflm(network: MeasuredNetwork): TflmNetwork {
  const { shapes, bytes, ops } = network;
  const quantized = bytes[network.inputs[0]!]! < 4 * product(shapes[network.inputs[0]!]!);
  const kinds = ops.map((op) => KINDS[op.type] ?? 'other');
  const operators = ops.map((op, k): TflmOperator => {
    const kind = kinds[k]!;
    const again = kind === 'mean' && kinds.indexOf('mean') < k;
    const single = (kind === 'add' || kind === 'mul' || kind === 'sub') && op.inputs.length === 1;
    return { kind, channels: kind === 'conv' || kind === 'dwconv' ? shapes[op.output]!.at(-1)! : 0, constants: (again ? 0 : (CONSTANTS[kind] ?? 0)) + (single ? 1 : 0) };
  });
  const program: MemoryProgram = {
    tensors: bytes,
    ops: ops.map((op, k): MemoryOp => ({ id: `${k} ${op.type}`, inputs: [...new Set(op.inputs)], outputs: [op.output], scratch: referenceScratch(kinds[k]!, product(shapes[op.output]!), quantized), overwrites: [] })),
    inputs: network.inputs,
    outputs: outputsOf(network),
  };
  return { operators, program, quantized };
}

const COPIES = new Set(['pad', 'quantize', 'dequantize', 'transpose']);

/** The network as generated code runs it: convolutions pad their inputs themselves, and inputs come quantised. */
export function withoutCopies(network: MeasuredNetwork): MeasuredNetwork {
  const source = new Map<number, number>();
  const padded = new Set<number>();
  const ops: MeasuredOp[] = [];
  for (const op of network.ops) {
    const inputs = op.inputs.map((t) => source.get(t) ?? t);
    const again = op.type === 'mean' && network.shapes[op.inputs[0]!]!.length < 3;
    if (again || COPIES.has(op.type)) {
      source.set(op.output, inputs[0]!);
      if (op.type === 'pad') padded.add(op.output);
      continue;
    }
    const { window } = op;
    const pads = window !== null && padded.has(op.inputs[0]!);
    ops.push({ ...op, inputs, window: pads ? [window[0], window[1], window[2], window[3], 1] : window });
  }
  return { ...network, ops };
}

/**
 * The network with the input of each depthwise convolution copied into its padding first, as in files made from networks whose padding is
 * explicit. It is returned as it stands if it has such copies already.
 */
export function withPaddingCopies(network: MeasuredNetwork): MeasuredNetwork {
  if (network.ops.some((op) => op.type === 'pad')) return network;
  const shapes = [...network.shapes];
  const bytes = [...network.bytes];
  const ops = network.ops.flatMap((op): MeasuredOp[] => {
    if (op.type !== 'dwconv' || op.window === null || op.window[4] === 0) return [op];
    const [kh, kw, sh, sw] = op.window;
    const [height = 1, width = 1, channels = 1] = shapes[op.inputs[0]!]!;
    const padded = shapes.push([height + 2 * (kh >> 1), width + 2 * (kw >> 1), channels]) - 1;
    bytes.push(product(shapes[padded]!));
    return [{ type: 'pad', inputs: op.inputs, output: padded, window: null }, { ...op, inputs: [padded], window: [kh, kw, sh, sw, 0] }];
  });
  return { ...network, shapes, bytes, ops };
}

/** As a graph of ours; null where an operator has none (quantisation of inputs, resizing by unknown factors). */
export function toGraph(network: MeasuredNetwork): Graph | null {
  const { shapes } = network;
  const b = graphBuilder(network.name);
  const values = new Map<number, string>(network.inputs.map((t) => {
    const shape = shapes[t]!;
    return [t, b.input(shape.length === 3 ? [1, shape[2]!, shape[0]!, shape[1]!] : [1, ...shape])];
  }));
  for (const op of network.ops) {
    const operands = op.inputs.map((t) => values.get(t)!);
    const [x] = operands;
    const from = shapes[op.inputs[0]!]!;
    const channels = shapes[op.output]!.at(-1)!;
    const result = ((): string | null => {
      if (op.window !== null) {
        const [kh, kw, sh, sw, same] = op.window;
        const window = { kernel: [kh, kw] as const, stride: [sh, sw] as const, padding: same ? samePadding([from[0]!, from[1]!], [kh, kw], [sh, sw], [1, 1]) : ([0, 0, 0, 0] as const) };
        if (op.type === 'max_pool') return b.maxPool(x!, window);
        if (op.type === 'avg_pool') return b.avgPool(x!, window);
        return b.conv2d(x!, { outChannels: channels, ...window, bias: true, ...(op.type === 'dwconv' ? { groups: from[2]! } : {}) });
      }
      if (op.type === 'mean') return b.flatten(b.globalAvgPool(x!));
      if (op.type === 'fc') return b.linear(from.length > 1 ? b.flatten(x!) : x!, channels);
      if (op.type === 'add' && operands.length === 2) return b.add(x!, operands[1]!);
      if (op.type === 'concat') return b.concat(operands);
      if (op.type === 'relu') return b.activation(x!, 'relu');
      return null;
    })();
    if (result === null) return null;
    values.set(op.output, result);
  }
  for (const t of outputsOf(network)) b.output(values.get(t)!);
  return b.build();
}
