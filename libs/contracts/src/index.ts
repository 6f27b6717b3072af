export * from './metrics.js';
export * from './measure-spec.js';
export * from './study-spec.js';
export * from './rest.js';
export * from './training-spec.js';
