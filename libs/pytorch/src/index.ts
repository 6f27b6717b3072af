export { stateDict, toPyTorch, torchNames } from './to-pytorch.js';
