import 'reflect-metadata';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { migrations } from '@app/migrations';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import { entities } from './entities/index.js';
import { keepTidy } from './tidy.js';

export interface Database {
  readonly dataSource: DataSource;
  readonly kind: 'postgres' | 'embedded';
  /** Ends connections, and the embedded database with its lock. */
  close(): Promise<void>;
}

const POOL_SIZE = 8;
const CONNECT_MS = 10_000;
const QUERY_MS = 60_000;
const TIDY_MS = 60_000;
/** Any fixed number: processes that migrate the same database wait for each other at it. */
const MIGRATION_LOCK = 0x0cadd15;

/**
 * The database, its schema brought up to date.
 *
 * @param options  `url` of a Postgres server, or the directory of an embedded one that this process alone uses
 * @throws DirectoryLocked if a living process has the directory; the driver's error if the server can't be reached
 */
export async function openDatabase(options: { readonly url?: string | undefined; readonly dataDir?: string | undefined }): Promise<Database> {
  if (options.url !== undefined) {
    const dataSource = await new DataSource(dataSourceOptions({ url: options.url })).initialize();
    return closedOnError({ dataSource, kind: 'postgres', close: () => destroy(dataSource) }, () => migrateAlone(dataSource));
  }
  if (options.dataDir === undefined) throw new Error('openDatabase: expected url or dataDir, got neither');
  const embedded = await startEmbeddedPostgres(options.dataDir);
  const dataSource = new DataSource(dataSourceOptions(embedded.endpoint));
  const stopTidying = keepTidy(dataSource, TIDY_MS);
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    stopTidying();
    return (closing ??= destroy(dataSource).finally(() => embedded.close()));
  };
  // The directory is locked: no one else can be migrating it, and whoever held a lease is dead.
  return closedOnError({ dataSource, kind: 'embedded', close }, async () => {
    await (await dataSource.initialize()).runMigrations();
    for (const table of ['study', 'trial', 'export']) await dataSource.query(`update "${table}" set "lease_until" = now() where "lease_until" > now()`);
  });
}

export type DatabaseEndpoint =
  | { readonly url: string }
  | { readonly host: string; readonly port: number; readonly username: string; readonly password: string; readonly database: string };

/** Options of a TypeORM DataSource for either kind; nothing is migrated or created by it. */
export function dataSourceOptions(endpoint: DatabaseEndpoint): DataSourceOptions {
  return {
    type: 'postgres',
    ...endpoint,
    entities,
    migrations,
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    applicationName: 'caddis',
    extra: { max: POOL_SIZE, connectionTimeoutMillis: CONNECT_MS, query_timeout: QUERY_MS },
  };
}

async function closedOnError(database: Database, prepare: () => Promise<void>): Promise<Database> {
  try {
    await prepare();
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function destroy(dataSource: DataSource): Promise<void> {
  if (dataSource.isInitialized) await dataSource.destroy();
}

async function migrateAlone(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations();
  } finally {
    await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).finally(() => runner.release());
  }
}
