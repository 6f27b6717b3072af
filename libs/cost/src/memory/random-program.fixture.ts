import fc from 'fast-check';
import type { MemoryOp, MemoryProgram } from './program.js';

/** Programs of up to `maxOps` operators: each reads one or two earlier tensors, some may be written over an input of their size. */
export function programs(maxOps: number): fc.Arbitrary<MemoryProgram> {
  const step = fc.record({ a: fc.nat(99), b: fc.nat(99), two: fc.boolean(), size: fc.integer({ min: 1, max: 20 }), scratch: fc.integer({ min: -10, max: 5 }), inPlace: fc.boolean() });
  return fc.array(step, { minLength: 1, maxLength: maxOps }).map((steps) => {
    const tensors = [7];
    const ops = steps.map(({ a, b, two, size, scratch, inPlace }, k): MemoryOp => {
      const inputs = [...new Set(two ? [a % (k + 1), b % (k + 1)] : [a % (k + 1)])];
      tensors.push(inPlace ? tensors[inputs[0]!]! : size);
      return { id: `op${k}`, inputs, outputs: [k + 1], scratch: scratch > 0 ? [scratch] : [], overwrites: inPlace ? inputs.filter((t) => tensors[t] === tensors[k + 1]) : [] };
    });
    const read = new Set(ops.flatMap((op) => op.inputs));
    return { tensors, ops, inputs: [0], outputs: [...tensors.keys()].filter((t) => !read.has(t)) };
  });
}
