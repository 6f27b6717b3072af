export type * from './parameter.js';
export type * from './search-space.js';
