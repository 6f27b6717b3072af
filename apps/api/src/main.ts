import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '@app/catalog';
import { ConfigError, readConfig, startServer } from './server.js';

/** The service alone, for a deployment with PostgreSQL and Redis whose workers are processes of their own. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  if (config.databaseUrl === null || config.redisUrl === null) {
    throw new ConfigError('this process takes requests only: set DATABASE_URL and REDIS_URL, or use "caddis serve", which needs neither');
  }
  const { version } = JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string };
  await startServer({ config, version });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof ConfigError ? 2 : 1;
});
