import { binaryOp } from './binary.js';

export const add = binaryOp<'add'>('Add', '+', (a, b) => a + b, (_tape, _a, _b, dy) => [dy, dy]);
