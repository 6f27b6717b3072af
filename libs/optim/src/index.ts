export type * from './contract.js';
export { optimizerNamed, optimizers } from './registry.js';
export { halving } from './halving/halving.js';
export { knownExcess } from './screen.js';
