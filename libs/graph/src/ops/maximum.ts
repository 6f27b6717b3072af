import { mul, step, sub } from '../tape/arithmetic.js';
import { binaryOp } from './binary.js';

/** Where both are equal the gradient goes to the second. */
export const maximum = binaryOp<'maximum'>('Max', 'max', Math.max, (tape, a, b, dy) => {
  const toFirst = mul(tape, dy, step(tape, sub(tape, a, b)));
  return [toFirst, sub(tape, dy, toFirst)];
});
