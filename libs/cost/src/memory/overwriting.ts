/**
 * Live activations where an operator writes over an input that nobody reads afterwards, though the sizes differ: TinyEngine and
 * X-CUBE-AI 7 run depthwise convolutions of any stride that way, X-CUBE-AI 7 pointwise ones as well. The greater of both is needed
 * then, not the sum.
 */
import { isKind } from '@app/graph';
import type { ExecutionPlan, Unit } from '../plan.js';
import { overlayProgram } from './overlay.js';

export interface OverwritingRules {
  /** B of an activation */
  readonly bytesPerElement: number;
  /** 1×1 convolutions with stride 1 too */
  readonly pointwise: boolean;
}

/** B, the largest sum of tensors needed at one time, in the plan's order. */
export function overwritingPeak(plan: ExecutionPlan, rules: OverwritingRules): number {
  const { tensors, ops, inputs, outputs } = overlayProgram(plan, { bytesPerElement: rules.bytesPerElement, depthwiseInPlace: false });
  const unitOf = new Map(plan.units.map((u) => [u.id, u]));
  const lastReader = new Int32Array(tensors.length).fill(-1);
  ops.forEach((op, k) => op.inputs.forEach((t) => (lastReader[t] = k)));
  for (const t of outputs) lastReader[t] = ops.length;
  let live = inputs.reduce((sum, t) => sum + tensors[t]!, 0);
  let peak = live;
  ops.forEach((op, k) => {
    const dying = op.inputs.filter((t) => lastReader[t] === k);
    const released = dying.reduce((sum, t) => sum + tensors[t]!, 0);
    const written = op.outputs.reduce((sum, t) => sum + tensors[t]!, 0);
    const over = overwrites(unitOf.get(op.id)!, rules) ? dying.reduce((most, t) => Math.max(most, tensors[t]!), 0) : 0;
    peak = Math.max(peak, live + Math.max(0, written - over));
    live += written - released;
    for (const t of op.outputs) if (lastReader[t] === -1) live -= tensors[t]!;
  });
  return peak;
}

/** May it write over an input that nobody reads afterwards, whatever the sizes? */
export function overwrites(unit: Unit, { pointwise }: Pick<OverwritingRules, 'pointwise'>): boolean {
  if (unit.elementwise || isDepthwise(unit)) return true;
  if (!pointwise || !isKind(unit.node, 'conv2d')) return false;
  const { kernel, stride } = unit.node.attrs;
  return kernel[0] * kernel[1] === 1 && stride[0] * stride[1] === 1;
}

function isDepthwise({ node, outputShape }: Unit): boolean {
  return isKind(node, 'conv2d') && node.attrs.groups > 1 && node.attrs.groups === outputShape[1];
}

/**
 * B of the one buffer TinyEngine's kernels share: two columns of a convolution's inputs in 16 bits, or for a depthwise convolution its
 * channel's padded input and its output (Lin et al., arXiv 2007.10319, § 3.2, and the sizes its code generator prints).
 */
export function tinyEngineBuffer(plan: ExecutionPlan, bytesPerElement: number): number {
  const shapeOf = new Map(plan.units.map((u) => [u.id, u.outputShape]));
  return plan.units.reduce((most, unit) => {
    if (!isKind(unit.node, 'conv2d')) return most;
    const { kernel, padding } = unit.node.attrs;
    const [, channels = 1, height = 1, width = 1] = shapeOf.get(unit.inputs[0]!)!;
    const [, , outHeight = 1, outWidth = 1] = unit.outputShape;
    const [top, left, bottom, right] = padding;
    const bytes = isDepthwise(unit) ? ((height + top + bottom) * (width + left + right) + outHeight * outWidth) * bytesPerElement : 2 * 2 * kernel[0] * kernel[1] * channels;
    return Math.max(most, bytes);
  }, 0);
}
