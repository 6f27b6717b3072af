export type * from './types.js';
export { UnsupportedPrecision } from './errors.js';
export { fits, type ExceededMemory } from './fits.js';
export { peakMemory, type MemoryProfile } from './peak-memory.js';
export { priceNetwork, ROOFLINE_MODEL } from './price-network.js';
export * from './memory/index.js';
export { operatorEnergy, operatorTime, type OperatorClass, type OperatorTime, type OperatorWork } from './roofline.js';
