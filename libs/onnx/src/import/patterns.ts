import type { Attribute, Constant, OnnxModel, OnnxNode } from './model.js';

/**
 * Composites that exporters write as several nodes, found by structure and replaced by one node of the domain FUSED:
 * SiLU, hard-swish, GELU, a bias behind MatMul or Conv, a batch norm written as a product and a sum behind Conv, zero padding before Conv,
 * head reduction and channel attention.
 */
export const FUSED = 'caddis.fused';

type Replacement = Pick<OnnxNode, 'opType' | 'inputs'> & { readonly attributes?: Record<string, number | string | readonly number[] | OnnxNode['attributes']> };

class View {
  private readonly producers = new Map<string, OnnxNode>();
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly outputs: ReadonlySet<string>;
  /** inner nodes the current pattern takes */
  inner: OnnxNode[] = [];

  constructor(private readonly model: Pick<OnnxModel, 'nodes' | 'outputs' | 'constants'>) {
    this.outputs = new Set(model.outputs);
    for (const node of model.nodes) {
      for (const name of node.outputs) this.producers.set(name, node);
      for (const name of node.inputs) {
        const list = this.readers.get(name);
        if (list === undefined) this.readers.set(name, [node]);
        else list.push(node);
      }
    }
  }

  /** The node that makes `name`, taken into the pattern, if it is of this type. */
  take(name: string | undefined, opType: string): OnnxNode | null {
    const node = name === undefined ? undefined : this.producers.get(name);
    if (node === undefined || node.domain !== '' || node.opType !== opType || node.outputs[0] !== name) return null;
    this.inner.push(node);
    return node;
  }

  isMadeBy(name: string | undefined, opType: string): boolean {
    const node = name === undefined ? undefined : this.producers.get(name);
    return node?.domain === '' && node.opType === opType;
  }

  constant(name: string | undefined): Constant | null {
    if (name === undefined) return null;
    const stored = this.model.constants.get(name);
    if (stored !== undefined) return stored;
    const node = this.producers.get(name);
    const value = node?.opType === 'Constant' ? node.attributes.get('value') : undefined;
    return value?.kind === 'tensor' ? value.value : null;
  }

  isScalar(name: string | undefined, value: number): boolean {
    const c = this.constant(name);
    return c !== null && c.data.length === 1 && Math.abs(c.data[0]! - value) < 1e-4 * Math.max(1, Math.abs(value));
  }

  /** May the inner nodes go, that is, does nobody outside read them? */
  isClosed(tail: OnnxNode): boolean {
    const own = new Set<OnnxNode>([tail, ...this.inner]);
    return this.inner.every((node) => node.outputs.every((name) => !this.outputs.has(name) && (this.readers.get(name) ?? []).every((r) => own.has(r))));
  }
}

function numbersOf(node: OnnxNode, name: string): readonly number[] | null {
  const a = node.attributes.get(name);
  return a?.kind === 'numbers' ? a.value : null;
}

function numberOf(node: OnnxNode, name: string, fallback: number): number {
  const a = node.attributes.get(name);
  return a?.kind === 'number' ? a.value : fallback;
}

/** The two ways to order a commutative node's inputs. */
function bothOrders(node: OnnxNode): [string, string][] {
  const [a, b] = node.inputs;
  return a === undefined || b === undefined ? [] : [[a, b], [b, a]];
}

/** Tries each order of the inputs with a clean slate. */
function firstOrder(view: View, node: OnnxNode, attempt: (a: string, b: string) => Replacement | null): Replacement | null {
  for (const [a, b] of bothOrders(node)) {
    const mark = view.inner.length;
    const found = attempt(a, b);
    if (found !== null) return found;
    view.inner.length = mark;
  }
  return null;
}

function silu(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Mul') return null;
  return firstOrder(view, node, (x, gate) => (view.take(gate, 'Sigmoid')?.inputs[0] === x ? { opType: 'Silu', inputs: [x] } : null));
}

/** Clip(x + 3, 0, 6), as its bounds stand in inputs or attributes. */
function isShiftedRelu6(view: View, clipped: string, x: string): boolean {
  const clip = view.take(clipped, 'Clip');
  if (clip === null) return false;
  const bounded = clip.inputs.length > 1 ? view.isScalar(clip.inputs[1], 0) && view.isScalar(clip.inputs[2], 6) : numberOf(clip, 'min', NaN) === 0 && numberOf(clip, 'max', NaN) === 6;
  const add = bounded ? view.take(clip.inputs[0], 'Add') : null;
  return add !== null && bothOrders(add).some(([a, b]) => a === x && view.isScalar(b, 3));
}

/** x·HardSigmoid(x), x·Clip(x + 3)/6 and (x·Clip(x + 3))/6. */
function hardSwish(view: View, node: OnnxNode): Replacement | null {
  const done = (x: string): Replacement => ({ opType: 'HardSwish', inputs: [x] });
  const sixth = (n: OnnxNode): string | null => {
    if (n.opType === 'Div' && view.isScalar(n.inputs[1], 6)) return n.inputs[0]!;
    if (n.opType !== 'Mul') return null;
    return bothOrders(n).find(([, b]) => view.isScalar(b, 1 / 6))?.[0] ?? null;
  };
  const product = sixth(node);
  if (product !== null) {
    const mul = view.take(product, 'Mul');
    if (mul !== null) return firstOrder(view, mul, (x, clipped) => (isShiftedRelu6(view, clipped, x) ? done(x) : null));
    view.inner = [];
  }
  if (node.opType !== 'Mul') return null;
  return firstOrder(view, node, (x, gate) => {
    const hard = view.take(gate, 'HardSigmoid');
    if (hard !== null) return hard.inputs[0] === x && Math.abs(numberOf(hard, 'alpha', 0.2) - 1 / 6) < 1e-4 && numberOf(hard, 'beta', 0.5) === 0.5 ? done(x) : null;
    const scaled = view.take(gate, 'Div') ?? view.take(gate, 'Mul');
    const clipped = scaled === null ? null : sixth(scaled);
    return clipped !== null && isShiftedRelu6(view, clipped, x) ? done(x) : null;
  });
}

/** 0.5 · (x · (1 + erf(x / √2))) */
function gelu(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Mul') return null;
  return firstOrder(view, node, (product, half) => {
    const mul = view.isScalar(half, 0.5) ? view.take(product, 'Mul') : null;
    if (mul === null) return null;
    return firstOrder(view, mul, (x, twicePhi) => {
      const add = view.take(twicePhi, 'Add');
      const erfOutput = add === null ? undefined : bothOrders(add).find(([, one]) => view.isScalar(one, 1))?.[0];
      const erf = view.take(erfOutput, 'Erf');
      if (erf === null) return null;
      const div = view.take(erf.inputs[0], 'Div');
      if (div !== null) return div.inputs[0] === x && view.isScalar(div.inputs[1], Math.SQRT2) ? { opType: 'Gelu', inputs: [x] } : null;
      const scaled = view.take(erf.inputs[0], 'Mul');
      return scaled !== null && bothOrders(scaled).some(([a, b]) => a === x && view.isScalar(b, Math.SQRT1_2)) ? { opType: 'Gelu', inputs: [x] } : null;
    });
  });
}

/** MatMul with stored columns, then a stored bias of their number. */
function linearWithBias(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Add') return null;
  return firstOrder(view, node, (product, bias) => {
    const stored = view.constant(bias);
    const matMul = stored === null ? null : view.take(product, 'MatMul');
    const weight = matMul === null ? null : view.constant(matMul.inputs[1]);
    if (stored === null || weight === null || weight.shape.length !== 2) return null;
    return stored.shape.length === 1 && stored.shape[0] === weight.shape[1] ? { opType: 'Linear', inputs: [matMul!.inputs[0]!, matMul!.inputs[1]!, bias] } : null;
  });
}

/** A number a channel, as it acts on [N, C, H, W]: [C, 1, 1] or [1, C, 1, 1]. */
function perChannel(stored: Constant | null): stored is Constant {
  if (stored === null || (stored.shape.length !== 3 && stored.shape.length !== 4)) return false;
  return stored.data.length > 1 && stored.shape.at(-3) === stored.data.length;
}

/** Behind a convolution, a number a channel is added: its bias, if it has none. */
function convWithBias(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Add') return null;
  return firstOrder(view, node, (x, bias) => {
    const stored = view.constant(bias);
    const conv = perChannel(stored) ? view.take(x, 'Conv') : null;
    if (conv === null || (conv.inputs[2] ?? '') !== '' || view.constant(conv.inputs[1])?.shape[0] !== stored!.data.length) return null;
    return { opType: 'Conv', inputs: [conv.inputs[0]!, conv.inputs[1]!, bias], attributes: { from: conv.attributes } };
  });
}

/** Behind a convolution, a number a channel is multiplied and another one added: a batch norm whose statistics are taken in. */
function channelAffine(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Add') return null;
  return firstOrder(view, node, (product, shift) => {
    const mul = perChannel(view.constant(shift)) ? view.take(product, 'Mul') : null;
    const order = mul === null ? undefined : bothOrders(mul).find(([x, scale]) => view.isMadeBy(x, 'Conv') && perChannel(view.constant(scale)));
    if (order === undefined || view.constant(order[1])!.data.length !== view.constant(shift)!.data.length) return null;
    return { opType: 'ChannelAffine', inputs: [order[0], order[1], shift] };
  });
}

/** Zero padding of the spatial axes that only convolutions see becomes theirs. */
function paddedConv(view: View, node: OnnxNode): Replacement | null {
  const autoPad = node.attributes.get('auto_pad');
  if (node.opType !== 'Conv' || (autoPad?.kind === 'text' && autoPad.value !== 'NOTSET' && autoPad.value !== 'VALID')) return null;
  const pad = view.take(node.inputs[0], 'Pad');
  if (pad === null) return null;
  const mode = pad.attributes.get('mode');
  const amounts = numbersOf(pad, 'pads') ?? (view.constant(pad.inputs[1])?.data as ArrayLike<number> | undefined) ?? null;
  const zero = (pad.inputs[2] ?? '') === '' ? numberOf(pad, 'value', 0) === 0 : view.isScalar(pad.inputs[2], 0);
  if (amounts === null || amounts.length !== 8 || !zero || (mode?.kind === 'text' && mode.value !== 'constant') || (pad.inputs[3] ?? '') !== '') return null;
  const p = Array.from(amounts);
  if ([0, 1, 4, 5].some((i) => p[i] !== 0) || p.some((v) => v < 0)) return null;
  const own = numbersOf(node, 'pads') ?? [0, 0, 0, 0];
  const pads = [own[0]! + p[2]!, own[1]! + p[3]!, own[2]! + p[6]!, own[3]! + p[7]!];
  return { opType: 'Conv', inputs: [pad.inputs[0]!, ...node.inputs.slice(1)], attributes: { from: node.attributes, pads, auto_pad: 'NOTSET' } };
}

/** [N, C·h, …] → [N, C, h, …], reduced over h. */
function heads(view: View, reduced: OnnxNode | null): { x: string; shape: readonly number[] } | null {
  if (reduced === null || numberOf(reduced, 'keepdims', 1) !== 0) return null;
  const stored = view.constant(reduced.inputs[1]);
  const axes = numbersOf(reduced, 'axes') ?? (stored === null ? [] : Array.from(stored.data));
  const reshape = axes.length === 1 && axes[0] === 2 ? view.take(reduced.inputs[0], 'Reshape') : null;
  const shape = reshape === null ? null : view.constant(reshape.inputs[1]);
  if (reshape === null || shape === null || shape.data.length < 3 || shape.data.some((d) => d < 1)) return null;
  return { x: reshape.inputs[0]!, shape: Array.from(shape.data) };
}

function headReduction(view: View, node: OnnxNode): Replacement | null {
  const found = (h: { x: string; shape: readonly number[] } | null, reduction: string, ...more: string[]): Replacement | null =>
    h === null ? null : { opType: 'HeadReduce', inputs: [h.x, ...more], attributes: { shape: h.shape, reduction } };
  if (node.opType === 'ReduceMax') return found(heads(view, node), 'maxout');
  if (node.opType === 'Relu') return found(heads(view, view.take(node.inputs[0], 'ReduceSum')), 'sum-relu');
  if (node.opType !== 'Max' || node.inputs.length !== 2) return null;
  return firstOrder(view, node, (maximum, bare) => found(heads(view, view.take(maximum, 'ReduceMax')), 'funnel', bare));
}

function isSpatialMean(node: OnnxNode | null): node is OnnxNode {
  if (node === null || numberOf(node, 'keepdims', 1) !== 1) return false;
  const axes = numbersOf(node, 'axes');
  return axes !== null && axes.length === 2 && axes[0] === 2 && axes[1] === 3;
}

/** x of the rows (mean) or (mean, variance) that go into the correlation along the channels. */
function attentionInput(view: View, statistics: string): { x: string; rows: number } | null {
  const meanOf = (row: string | undefined): OnnxNode | null => {
    const reshape = view.take(row, 'Reshape');
    const mean = reshape === null ? null : view.take(reshape.inputs[0], 'ReduceMean');
    return isSpatialMean(mean) ? mean : null;
  };
  const concat = view.take(statistics, 'Concat');
  if (concat === null) {
    const mean = meanOf(statistics);
    return mean === null ? null : { x: mean.inputs[0]!, rows: 1 };
  }
  const [mean, variance] = [meanOf(concat.inputs[0]), meanOf(concat.inputs[1])];
  const squares = variance === null ? null : view.take(variance.inputs[0], 'Mul');
  const centred = squares === null || squares.inputs[0] !== squares.inputs[1] ? null : view.take(squares.inputs[0], 'Sub');
  if (mean === null || centred === null || concat.inputs.length !== 2) return null;
  return centred.inputs[0] === mean.inputs[0] && centred.inputs[1] === mean.outputs[0] ? { x: mean.inputs[0]!, rows: 2 } : null;
}

/** x times a gate per channel from the correlation of its channel statistics (flynet-spec § 5). */
function channelAttention(view: View, node: OnnxNode): Replacement | null {
  if (node.opType !== 'Mul') return null;
  return firstOrder(view, node, (x, gate) => {
    const gates = view.take(gate, 'Reshape')?.inputs[0];
    const sigmoid = view.take(gates, 'Sigmoid');
    let scores = sigmoid?.inputs[0];
    let perChannel = 1;
    let temperature = 1;
    if (sigmoid === null) {
      const div = view.take(view.take(gates, 'Softmax')?.inputs[0], 'Div');
      const byHead = div === null ? null : view.take(div.inputs[0], 'Reshape');
      const shape = byHead === null ? null : view.constant(byHead.inputs[1]);
      const divisor = view.constant(div?.inputs[1]);
      if (byHead === null || shape === null || shape.data.length !== 3 || divisor?.data.length !== 1) return null;
      scores = byHead.inputs[0];
      perChannel = shape.data[2]!;
      temperature = divisor.data[0]!;
    }
    const conv = view.take(scores, 'Conv');
    const kernel = view.constant(conv?.inputs[1]);
    if (conv === null || conv.inputs.length !== 2 || kernel === null || kernel.shape.length !== 3 || kernel.shape[0] !== 1) return null;
    const half = (kernel.shape[2]! - 1) / 2;
    if (numbersOf(conv, 'pads')?.some((p) => p !== half) !== false) return null;
    const source = attentionInput(view, conv.inputs[0]!);
    if (source === null || source.x !== x || source.rows !== kernel.shape[1]) return null;
    return { opType: 'ChannelAttention', inputs: [x, conv.inputs[1]!], attributes: { heads: perChannel, temperature, excitation: sigmoid === null ? 'softmax' : 'sigmoid' } };
  });
}

const PATTERNS = [channelAttention, headReduction, gelu, hardSwish, silu, linearWithBias, channelAffine, convWithBias, paddedConv];

function attributesOf(from: NonNullable<Replacement['attributes']>): Map<string, Attribute> {
  const result = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === 'number') result.set(name, { kind: 'number', value });
    else if (typeof value === 'string') result.set(name, { kind: 'text', value });
    else if (value instanceof Map) for (const [k, v] of value as OnnxNode['attributes']) result.set(k, v);
    else result.set(name, { kind: 'numbers', value: value as readonly number[] });
  }
  return result;
}

/** The nodes with every composite found replaced by one; longest first, from the end of the model. */
export function fuseComposites(model: Pick<OnnxModel, 'nodes' | 'outputs' | 'constants'>): readonly OnnxNode[] {
  const view = new View(model);
  const gone = new Set<OnnxNode>();
  const replaced = new Map<OnnxNode, OnnxNode>();
  for (let i = model.nodes.length - 1; i >= 0; i--) {
    const node = model.nodes[i]!;
    if (gone.has(node) || node.domain !== '') continue;
    for (const pattern of PATTERNS) {
      view.inner = [];
      const found = pattern(view, node);
      // a failed branch of a pattern may have left nodes behind; then the pattern is not closed and is passed over
      if (found === null || !view.isClosed(node) || view.inner.some((n) => gone.has(n) || replaced.has(n))) continue;
      view.inner.forEach((n) => gone.add(n));
      replaced.set(node, { name: node.name, domain: FUSED, opType: found.opType, inputs: found.inputs, outputs: node.outputs, attributes: attributesOf(found.attributes ?? {}) });
      break;
    }
  }
  return model.nodes.filter((node) => !gone.has(node)).map((node) => replaced.get(node) ?? node);
}
