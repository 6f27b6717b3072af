/**
 * An execution plan for runtimes whose generated code plans its own overlays (TinyEngine, X-CUBE-AI): element-wise operators write
 * over an input nobody reads afterwards, and a depthwise convolution that keeps the size of its map runs in place, one channel at a
 * time through a spare plane (MCUNet, arXiv 2007.10319, § 3.2: peak (1 + 1/C)·C·H·W in place of 2·C·H·W).
 */
import { elements, isKind } from '@app/graph';
import type { ExecutionPlan, Unit } from '../plan.js';
import type { MemoryOp, MemoryProgram } from './program.js';

export interface OverlayRules {
  /** B of an activation */
  readonly bytesPerElement: number;
  readonly depthwiseInPlace: boolean;
}

/** Renamings vanish and constants take nothing; operators keep their units' ids and order. */
export function overlayProgram(plan: ExecutionPlan, rules: OverlayRules): MemoryProgram {
  const { bytesPerElement } = rules;
  const tensors: number[] = [];
  const inputs: number[] = [];
  const ops: MemoryOp[] = [];
  const tensorOf = new Map<string, number>();
  for (const unit of plan.units) {
    const reads = [...new Set(unit.inputs.map((id) => tensorOf.get(id)!))].filter((t) => t >= 0);
    if (unit.node.kind === 'constant') {
      tensorOf.set(unit.id, -1);
      continue;
    }
    if (unit.view) {
      tensorOf.set(unit.id, reads[0] ?? -1);
      continue;
    }
    const bytes = unit.outputElements * bytesPerElement;
    const out = tensors.push(bytes) - 1;
    tensorOf.set(unit.id, out);
    if (unit.node.kind === 'input') {
      inputs.push(out);
      continue;
    }
    const depthwise = rules.depthwiseInPlace && isDepthwise(unit);
    const overwrites = unit.elementwise || depthwise ? reads.filter((t) => tensors[t] === bytes) : [];
    const plane = elements(unit.outputShape.slice(2)) * bytesPerElement;
    ops.push({ id: unit.id, inputs: reads, outputs: [out], scratch: depthwise && overwrites.length > 0 ? [plane] : [], overwrites });
  }
  const outputs = [...new Set([...plan.outputs].map((id) => tensorOf.get(id)!))].filter((t) => t >= 0);
  return { tensors, ops, inputs, outputs };
}

function isDepthwise({ node, outputShape }: Unit): boolean {
  return isKind(node, 'conv2d') && node.attrs.groups > 1 && node.attrs.groups === outputShape[1];
}
