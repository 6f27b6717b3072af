import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startFixtureServer } from './fixture-server.js';

export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Where the page is driven: a service that runs already (`CADDIS_URL`; vitest takes BASE_URL for itself), or the fixture service with the built page. */
export async function startService(): Promise<Service> {
  const given = process.env['CADDIS_URL'];
  if (given !== undefined && given !== '') return { url: given.replace(/\/$/, ''), close: () => Promise.resolve() };
  const root = join(import.meta.dirname, '../../dist/web');
  if (!existsSync(join(root, 'index.html'))) throw new Error(`expected the built page in ${root}; run "npm run build:web" first`);
  return startFixtureServer(root);
}
