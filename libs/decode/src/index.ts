export { DecodeError } from './decode-error.js';
export { decode, pointFromArchitecture, FAMILIES, FAMILY_NAMES, isFamily, type FamilyName, type SpaceLike } from './decode.js';
export type { DecodeContext, Family, Task } from './family.js';
export { SectionDecoder, SECTIONS_KEPT } from './section-decoder.js';
export { roundChannels } from './round-channels.js';
export { architectureCode, EDGE_OPERATIONS, isDegenerate, pointFromCode, type EdgeOperation } from './nas-bench-201.js';
export { FBNET_BLOCKS, fbnetCode, pointFromFbnetCode, type FbnetBlock } from './fbnet.js';
export { stageDepths } from './resnet18-scaling.js';
