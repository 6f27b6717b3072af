import { GraphError } from '../errors.js';
import { isKind } from '../op.js';
import { exp, mul, reshape, scale, shift, sub, sum } from '../tape/arithmetic.js';
import type { Tape, Value } from '../tape/tape.js';
import type { Graph, Shape } from '../types.js';
import { inferShapes } from '../verify.js';

/** Input, output and sizes of a network that tells classes apart. @throws GraphError if it has other inputs or outputs */
export function faceOf(net: Graph): { input: string; output: string; classes: number; imageShape: Shape } {
  const shapes = inferShapes(net);
  const inputs = net.nodes.filter((node) => isKind(node, 'input'));
  const [input, output] = [inputs[0]?.id, net.outputs[0]];
  if (inputs.length !== 1 || net.outputs.length !== 1) throw GraphError.of(net.name, `expected one input and one output to train, got ${inputs.length} and ${net.outputs.length}`);
  const shape = shapes.get(output!)!;
  if (shape.length !== 2 || shape[1]! < 2) throw GraphError.of(net.name, `expected an output [1, classes] of at least 2 classes to train, got [${[1, ...shape.slice(1)].join(', ')}]`);
  return { input: input!, output: output!, classes: shape[1]!, imageShape: shapes.get(input!)! };
}

/** Mean over the batch of −Σ t·log softmax(logits), t smoothed (Szegedy et al. 2016, § 7); its gradient is (softmax − t) / N for rows of t that sum to 1. */
export function crossEntropy(tape: Tape, logits: Value, targets: Value, smoothing: number): { loss: Value; dLogits: Value } {
  const [n, classes] = logits.shape as [number, number];
  const smoothed = shift(tape, scale(tape, targets, 1 - smoothing), smoothing / classes);
  const logShares = tape.op('LogSoftmax', [logits], logits.shape, { axis: { int: 1 } });
  const loss = scale(tape, reshape(tape, sum(tape, mul(tape, smoothed, logShares), [0, 1]), []), -1 / n);
  return { loss, dLogits: scale(tape, sub(tape, exp(tape, logShares), smoothed), 1 / n) };
}
