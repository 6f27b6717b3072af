import { quantizeSchema, type LevelsSpec, type QuantizeSpec, type TrainAccuracy } from '@app/contracts';
import { INT8, quantizationOf, type Graph, type LayerLevels } from '@app/graph';
import type { Quantize } from './trainer.js';

/** 8 bits after training, as converters for integer runtimes do. */
export const INT8_AFTER: QuantizeSpec = quantizeSchema.parse({ when: 'after', weights: { bits: 8 }, activations: { bits: 8 } });

/** What a study asks for; `auto` is 8 bits after training if a device runs the network in int8. Null: not quantised. */
export function quantizeSpecOf({ quantize }: Pick<TrainAccuracy, 'quantize'>, runsInt8: boolean): QuantizeSpec | null {
  if (quantize === 'none') return null;
  if (quantize === 'auto') return runsInt8 ? INT8_AFTER : null;
  return quantize;
}

/** The same for one network. @throws GraphError on a block it does not have */
export function quantizeOf(graph: Graph, spec: QuantizeSpec | null): Quantize | undefined {
  if (spec === null) return undefined;
  const { scheme, ends, blocks, when, batches } = spec;
  const levels = (given: { readonly weights?: LevelsSpec | undefined; readonly activations?: LevelsSpec | undefined }): LayerLevels => ({
    weights: given.weights === undefined ? null : count(given.weights, scheme === 'affine'), activations: given.activations === undefined ? null : count(given.activations, false),
  });
  const endLevels = { int8: INT8, same: undefined, float: { weights: null, activations: null } }[ends];
  const layers = quantizationOf(graph, { scheme, ...levels(spec), ...(endLevels && { ends: endLevels }), blocks: Object.fromEntries(Object.entries(blocks).map(([name, given]) => [name, levels(given)])) });
  return { layers, when, batches };
}

/** Codes of k bits; of even weights one is not used, so that 0 is a level (1 bit: the two signs). */
const count = (spec: LevelsSpec, even: boolean): number => ('levels' in spec ? spec.levels : even && spec.bits > 1 ? 2 ** spec.bits - 1 : 2 ** spec.bits);
