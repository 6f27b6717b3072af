export type * from './records.js';
export * from './ports.js';
