export { stateDict, toPyTorch, torchName, torchNames } from './to-pytorch.js';
export { torchFile } from './torch-file.js';
