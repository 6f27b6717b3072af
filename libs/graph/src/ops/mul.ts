import { mul as times } from '../tape/arithmetic.js';
import { binaryOp } from './binary.js';

export const mul = binaryOp<'mul'>('Mul', '×', (a, b) => a * b, (tape, a, b, dy) => [times(tape, dy, b), times(tape, dy, a)]);
