import { binaryOp } from './binary.js';

export const mul = binaryOp<'mul'>('Mul', '×', (a, b) => a * b);
