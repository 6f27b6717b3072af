import { binaryOp } from './binary.js';

export const maximum = binaryOp<'maximum'>('Max', 'max', (a, b) => Math.max(a, b));
