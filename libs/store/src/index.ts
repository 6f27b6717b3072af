export { dataSourceOptions, openDatabase, type Database, type DatabaseEndpoint } from './database.js';
export { DirectoryLocked, lockDirectory } from './directory-lock.js';
export { AttemptEntity, entities, ExportEntity, FrontHistoryEntity, IdempotencyEntity, StudyEntity, StudyEventEntity, TrialEntity } from './entities/index.js';
export { MemoryStore } from './memory/memory-store.js';
export { PostgresStore } from './postgres/postgres-store.js';
export { CommitConflict } from './study-life.js';
export { threadFile } from './thread-file.js';
export { tidy } from './tidy.js';
