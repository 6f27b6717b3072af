import { isKind, type Annealing } from '../op.js';
import { anneals } from '../ops/channel-attention.js';
import { lower } from '../tape/lower.js';
import { Tape, type Value } from '../tape/tape.js';
import type { Graph } from '../types.js';
import { faceOf } from './classifier.js';
import { packingOf, unpackOnTape } from './packing.js';
import type { Quantization } from './quantization.js';
import { withBatch } from './rebatch.js';

/** A classifier on a tape of its own, its weights unpacked from the inputs `parameters` and `statistics`, with `images` going in. */
export function lowerNetwork(graph: Graph, batch: number, training: boolean, quantization?: Quantization, annealFrom: number | null = null) {
  const net = withBatch(graph, batch);
  const { input, output, classes, imageShape } = faceOf(net);
  const packing = packingOf(net, quantization);
  const tape = new Tape();
  const weights = new Map<string, Record<string, Value>>();
  unpackOnTape(tape, packing.parameters, tape.input('parameters', [packing.parameterCount]), weights);
  if (packing.statisticCount > 0) unpackOnTape(tape, packing.statistics, tape.input('statistics', [packing.statisticCount]), weights);
  const images = tape.input('images', imageShape);
  return { tape, net, packing, weights, output, face: { imageShape, classes }, lowered: lower(tape, net, new Map([[input, images]]), weights, { training, quantization, annealing: annealingOf(tape, net, annealFrom) }) };
}

/** The input `annealing` [], if a network has anything that anneals from there. */
export function annealingOf(tape: Tape, net: Graph, from: number | null): Annealing | null {
  if (from === null || !net.nodes.some((node) => isKind(node, 'channelAttention') && anneals(node.attrs, from))) return null;
  return { from, share: tape.input('annealing', []) };
}
