export { mix32, Rng, type StreamKey } from './rng.js';
export { Sobol } from './sobol.js';
