export * from './bundle.js';
export type { WeightsAbout } from './carried-weights.js';
