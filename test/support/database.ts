import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

export interface FreshDatabase {
  /** what to set for a process that is to use it; empty: the embedded pair */
  readonly env: Readonly<Record<string, string>>;
  drop(): Promise<void>;
}

/** A database of its own on the server that DATABASE_URL names, with REDIS_URL beside it; neither set: the embedded pair. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (!DATABASE_URL) return { env: {}, drop: () => Promise.resolve() };
  const name = `caddis_test_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: DATABASE_URL });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const url = new URL(DATABASE_URL);
  url.pathname = `/${name}`;
  return {
    env: { DATABASE_URL: url.href, ...(REDIS_URL ? { REDIS_URL, CADDIS_QUEUE_PREFIX: name } : {}) },
    async drop() {
      await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
