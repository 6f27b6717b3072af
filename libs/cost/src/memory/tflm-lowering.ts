/**
 * An execution plan as the operators of a TensorFlow Lite model, as converters write it: relu and relu6 run inside the operator before
 * them, other activations on their own; padding that is neither SAME nor VALID becomes an operator that copies the padded input;
 * flattening before a linear layer disappears. Attention becomes means, a convolution over channels, a gate and a product.
 * Head reduction has no operator of its own there and is taken as one reduction that reads the heads where they lie.
 */
import { elements, isKind, samePadding, type ActivationFn, type Graph, type Node, type Shape } from '@app/graph';
import { planExecution, type ExecutionPlan, type Unit } from '../plan.js';
import type { MemoryOp } from './program.js';
import { cmsisNnScratch, referenceScratch, type KernelCall, type TflmKind, type TflmNetwork, type TflmOperator } from './tflm.js';

export interface TflmTarget {
  /** B of an activation: 1 for int8, else 4 */
  readonly bytesPerElement: number;
  readonly kernels: 'reference' | 'cmsis-nn';
}

/** relu and relu6 are fields of these operators */
const FUSING: ReadonlySet<TflmKind> = new Set<TflmKind>(['conv', 'dwconv', 'fc', 'add', 'sub', 'mul', 'avg_pool', 'max_pool', 'concat']);
const FUSED: ReadonlySet<ActivationFn> = new Set<ActivationFn>(['relu', 'relu6']);

/** @throws GraphError if the graph breaks a rule */
export function tflmNetworkOf(graph: Graph, target: TflmTarget): TflmNetwork {
  return lowerToTflm(planExecution(graph), target);
}

export function lowerToTflm(plan: ExecutionPlan, target: TflmTarget): TflmNetwork {
  const lowering = new Lowering(plan, target);
  for (const unit of plan.units) lowering.lower(unit);
  return lowering.network();
}

interface Operand {
  /** tensor, −1: a constant */
  readonly tensor: number;
  readonly shape: Shape;
}

class Lowering {
  private readonly tensors: number[] = [];
  private readonly ops: MemoryOp[] = [];
  private readonly operators: TflmOperator[] = [];
  private readonly inputs: number[] = [];
  private readonly values = new Map<string, Operand>();
  private readonly readers = new Map<string, Unit[]>();
  private readonly producerKind = new Map<number, TflmKind>();

  constructor(private readonly plan: ExecutionPlan, private readonly target: TflmTarget) {
    for (const unit of plan.units) for (const id of unit.inputs) this.readers.set(id, [...(this.readers.get(id) ?? []), unit]);
  }

  network(): TflmNetwork {
    const { tensors, ops, inputs, operators } = this;
    const outputs = [...new Set([...this.plan.outputs].map((id) => this.values.get(id)!.tensor))].filter((t) => t >= 0);
    return { program: { tensors, ops, inputs, outputs }, operators, quantized: this.target.bytesPerElement === 1 };
  }

  lower(unit: Unit): void {
    this.values.set(unit.id, this.valueOf(unit));
  }

  private valueOf(unit: Unit): Operand {
    const { node, outputShape: shape, id } = unit;
    const operands = unit.inputs.map((i) => this.values.get(i)!);
    const [x] = operands;
    if (node.kind === 'input') {
      const tensor = this.tensor(shape);
      this.inputs.push(tensor);
      return { tensor, shape };
    }
    if (node.kind === 'constant') return { tensor: -1, shape };
    if (unit.view) return this.isRenaming(unit) ? { tensor: x!.tensor, shape } : this.op(id, 'reshape', operands, shape, { constants: 1 });
    if (isKind(node, 'activation')) return this.activation(unit, x!);
    const result = this.operator(unit, node, operands);
    return unit.activation !== null && !FUSED.has(unit.activation) ? this.op(`${id}.${unit.activation}`, 'elementwise', [result], shape) : result;
  }

  /** A flattening that only linear layers read, or behind a mean that keeps no 1s. */
  private isRenaming({ node, id, inputs }: Unit): boolean {
    if (node.kind !== 'flatten' && node.kind !== 'reshape') return true;
    const readers = this.readers.get(id) ?? [];
    return (readers.length > 0 && readers.every((r) => r.node.kind === 'linear')) || this.producerKind.get(this.values.get(inputs[0]!)!.tensor) === 'mean';
  }

  private activation(unit: Unit, x: Operand): Operand {
    const { node } = unit;
    if (!isKind(node, 'activation')) return x;
    const kind = this.producerKind.get(x.tensor);
    const alone = (this.readers.get(unit.inputs[0]!) ?? []).length === 1 && !this.plan.outputs.has(unit.inputs[0]!);
    if (FUSED.has(node.attrs.fn) && kind !== undefined && FUSING.has(kind) && alone) return x;
    return this.op(unit.id, FUSED.has(node.attrs.fn) ? 'relu' : 'elementwise', [x], unit.outputShape);
  }

  private operator(unit: Unit, node: Node, operands: readonly Operand[]): Operand {
    const { id, outputShape: shape } = unit;
    const [x] = operands;
    if (isKind(node, 'conv2d')) {
      const { kernel, stride, padding, dilation, groups } = node.attrs;
      const [, channels = 1, height = 1, width = 1] = x!.shape;
      const depthwise = groups > 1 && groups === channels;
      const padded = this.padded(id, x!, padding, samePadding([height, width], kernel, stride, dilation));
      const direct = kernel[0] * kernel[1] === 1;
      return this.op(id, depthwise ? 'dwconv' : 'conv', [padded], shape, { constants: 2, channels: shape[1]!, kernelArea: kernel[0] * kernel[1], inputChannels: depthwise ? channels : channels / groups, direct });
    }
    if (isKind(node, 'maxPool') || isKind(node, 'avgPool')) {
      const { kernel, stride, padding } = node.attrs;
      const [, channels = 1, height = 1, width = 1] = x!.shape;
      const padded = this.padded(id, x!, padding, samePadding([height, width], kernel, stride, [1, 1]));
      return this.op(id, node.kind === 'maxPool' ? 'max_pool' : 'avg_pool', [padded], shape, { inputChannels: channels });
    }
    if (isKind(node, 'channelAttention')) return this.attention(id, x!, node.attrs.statistics, node.attrs.excitation);
    switch (node.kind) {
      case 'linear': return this.op(id, 'fc', operands, shape, { constants: 2 });
      case 'globalAvgPool': return this.op(id, 'mean', operands, shape, { constants: 1 });
      case 'batchNorm': return this.op(`${id}.shift`, 'add', [this.op(id, 'mul', operands, shape, { constants: 1 })], shape, { constants: 1 });
      case 'headReduce': {
        const [headed, bare] = operands;
        const reduced = this.op(id, 'reduce', [headed!], shape, { constants: 1 });
        return bare === undefined ? reduced : this.op(`${id}.funnel`, 'maximum', [reduced, bare], shape);
      }
      case 'slice': return this.op(id, 'slice', operands, shape, { constants: 3 });
      case 'padChannels': return this.op(id, 'pad', operands, shape, { constants: 1 });
      case 'transpose': return this.op(id, 'transpose', operands, shape, { constants: 1 });
      case 'resize': return this.op(id, 'resize', operands, shape, { constants: 1 });
      case 'add': case 'sub': case 'mul': case 'maximum': case 'concat': case 'softmax': return this.op(id, node.kind, operands, shape);
      default: return this.op(id, 'other', operands, shape);
    }
  }

  private attention(id: string, x: Operand, statistics: 'mean' | 'mean-variance', excitation: 'sigmoid' | 'softmax'): Operand {
    const [n = 1, channels = 1] = x.shape;
    const gates: Shape = [n, channels, 1, 1];
    const mean = this.op(`${id}.mean`, 'mean', [x], gates, { constants: 1 });
    let scored: Operand[] = [mean];
    if (statistics === 'mean-variance') {
      const squares = this.op(`${id}.deviations`, 'sub', [x, mean], x.shape);
      scored = [this.op(`${id}.statistics`, 'concat', [mean, this.op(`${id}.variance`, 'mean', [squares], gates, { constants: 1 })], [n, 2 * channels, 1, 1])];
    }
    const scores = this.op(`${id}.scores`, 'conv', scored, gates, { constants: 2, channels: 1 });
    const gate = this.op(`${id}.gate`, excitation === 'sigmoid' ? 'elementwise' : 'softmax', [scores], gates);
    return this.op(id, 'mul', [x, gate], x.shape);
  }

  /** The input with explicit padding copied around it, where the operator can't pad so itself. */
  private padded(id: string, x: Operand, padding: readonly number[], same: readonly number[]): Operand {
    if (padding.every((p) => p === 0) || padding.every((p, i) => p === same[i])) return x;
    const [n = 1, channels = 1, height = 1, width = 1] = x.shape;
    const [top = 0, left = 0, bottom = 0, right = 0] = padding;
    return this.op(`${id}.pad`, 'pad', [x], [n, channels, height + top + bottom, width + left + right], { constants: 1 });
  }

  private op(id: string, kind: TflmKind, operands: readonly Operand[], shape: Shape, more: { readonly constants?: number; readonly channels?: number } & Partial<KernelCall> = {}): Operand {
    const inputs = [...new Set(operands.map((o) => o.tensor).filter((t) => t >= 0))];
    const tensor = this.tensor(shape);
    const quantized = this.target.bytesPerElement === 1;
    const outputElements = elements(shape);
    const call: KernelCall = { kind, outputElements, inputChannels: more.inputChannels ?? operands[0]?.shape[1] ?? 1, kernelArea: more.kernelArea ?? 1, direct: more.direct ?? false };
    const scratch = this.target.kernels === 'cmsis-nn' ? cmsisNnScratch(call, quantized) : referenceScratch(kind, outputElements, quantized);
    this.ops.push({ id, inputs, outputs: [tensor], scratch, overwrites: [] });
    this.operators.push({ kind, channels: more.channels ?? 0, constants: (more.constants ?? 0) + operands.filter((o) => o.tensor < 0).length });
    this.producerKind.set(tensor, kind);
    return { tensor, shape };
  }

  private tensor(shape: Shape): number {
    return this.tensors.push(elements(shape) * this.target.bytesPerElement) - 1;
  }
}
