import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceProcess } from '../support/service-process.js';

export interface Service {
  readonly url: string;
  close(): Promise<void>;
}

/** Where the page is driven: a service that runs already (`CADDIS_URL`; vitest takes BASE_URL for itself), or one of its own. */
export async function startService(): Promise<Service> {
  const given = process.env['CADDIS_URL'];
  if (given !== undefined && given !== '') return { url: given.replace(/\/$/, ''), close: () => Promise.resolve() };
  const page = join(import.meta.dirname, '../../dist/web/index.html');
  if (!existsSync(page)) throw new Error(`expected the built page, ${page}; run "npm run build" first`);
  const dir = mkdtempSync(join(tmpdir(), 'caddis-browser-'));
  const service = await ServiceProcess.serve({ CADDIS_DATA_DIR: dir });
  return {
    url: service.url,
    close: async () => {
      await service.terminate();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
