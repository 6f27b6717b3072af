import { neg } from '../tape/arithmetic.js';
import { binaryOp } from './binary.js';

export const sub = binaryOp<'sub'>('Sub', '−', (a, b) => a - b, (tape, _a, _b, dy) => [dy, neg(tape, dy)]);
