export { DirectoryLocked, lockDirectory } from './directory-lock.js';
export { MemoryStore } from './memory/memory-store.js';
export { CommitConflict } from './study-life.js';
export { threadFile } from './thread-file.js';
