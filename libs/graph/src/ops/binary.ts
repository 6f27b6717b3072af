import { BINARY, NO_WEIGHTS, singleNode, type OpDefinition } from '../op.js';
import { broadcastShape, elements, stridesOf, tensor } from '../shape.js';
import { unbroadcast } from '../tape/arithmetic.js';
import type { Tape, TapeOp, Value } from '../tape/tape.js';
import type { Shape } from '../types.js';

type BinaryKind = 'add' | 'sub' | 'mul' | 'maximum';

/** Steps through an operand as the output is walked row by row: 0 along broadcast axes. */
function broadcastStrides(shape: Shape, output: Shape): number[] {
  const own = stridesOf(shape);
  const lead = output.length - shape.length;
  return output.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : own[i - lead]!));
}

/** Gradients by the two operands, before they are summed down to the operands' shapes. */
export type Slopes = (tape: Tape, a: Value, b: Value, dy: Value) => readonly [Value, Value];

/** Rules shared by the element-wise operations of two tensors, with numpy broadcasting; one scalar operation per output element. */
export function binaryOp<K extends BinaryKind>(opType: TapeOp, label: string, f: (a: number, b: number) => number, slopes: Slopes): OpDefinition<K> {
  return {
    arity: BINARY,
    inferShape: (_attrs, [a, b]) => broadcastShape(a!, b!),
    weights: NO_WEIGHTS,
    work: (_attrs, _inputs, output) => ({ macs: 0, elementOps: elements(output), madds: 0 }),
    evaluate: (_attrs, [a, b], _weights, output) => {
      const y = tensor(output);
      const stepsA = broadcastStrides(a!.shape, output);
      const stepsB = broadcastStrides(b!.shape, output);
      const index = new Int32Array(output.length);
      let ia = 0;
      let ib = 0;
      for (let i = 0; i < y.data.length; i++) {
        y.data[i] = f(a!.data[ia]!, b!.data[ib]!);
        for (let d = output.length - 1; d >= 0; d--) {
          ia += stepsA[d]!;
          ib += stepsB[d]!;
          if (++index[d]! < output[d]!) break;
          index[d] = 0;
          ia -= stepsA[d]! * output[d]!;
          ib -= stepsB[d]! * output[d]!;
        }
      }
      return y;
    },
    onnx: (site) => singleNode(site, opType),
    differentiate: ({ tape, inputs, output }) => {
      const [a, b] = inputs as [Value, Value];
      return {
        output: tape.op(opType, [a, b], output),
        backward: (dy) => ({ inputs: slopes(tape, a, b, dy).map((g, i) => unbroadcast(tape, g, inputs[i]!.shape)) }),
      };
    },
    label: () => label,
  };
}
