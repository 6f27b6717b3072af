export * from './metrics.js';
export * from './study-spec.js';
export * from './rest.js';
