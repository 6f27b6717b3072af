export { stateDict, toPyTorch, torchNames } from './to-pytorch.js';
export { torchFile } from './torch-file.js';
