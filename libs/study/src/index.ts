export type * from './records.js';
export * from './ports.js';
export * from './accuracy.js';
