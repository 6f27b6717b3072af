export type * from './parameter.js';
export type * from './search-space.js';
export { SpaceError, type SpaceIssue } from './space-error.js';
export { createSearchSpace, type SpaceAids } from './create-search-space.js';
export { gridNeighbours } from './neighbours.js';
