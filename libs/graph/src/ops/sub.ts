import { binaryOp } from './binary.js';

export const sub = binaryOp<'sub'>('Sub', '−', (a, b) => a - b);
