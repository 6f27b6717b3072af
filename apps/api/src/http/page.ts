import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { NextFunction, Request, Response } from 'express';

/** Addresses the page routes itself. */
const PAGES = /^\/(studies(\/[^/.]+)?\/?)?$/;

/** Where the built page lies, seen from the compiled file as well as from the source. */
export function builtPage(): string {
  const up = join(import.meta.dirname, '../../../..');
  return [join(up, 'web'), join(up, 'dist/web')].find((folder) => existsSync(join(folder, 'index.html'))) ?? join(up, 'dist/web');
}

/** Serves the built page: hashed assets for ever, index.html asked for each time. */
export function servePage(app: NestExpressApplication, folder: string): void {
  const index = join(folder, 'index.html');
  app.use((request: Request, response: Response, next: NextFunction): void => {
    if ((request.method !== 'GET' && request.method !== 'HEAD') || !PAGES.test(request.path)) {
      next();
      return;
    }
    response.set('Cache-Control', 'no-cache');
    if (existsSync(index)) {
      response.sendFile(index, { cacheControl: false, dotfiles: 'allow' });
      return;
    }
    response.status(404).type('text/plain').send('The page has not been built: run "npm run build:web". The service is at /v1/studies and described at /openapi.json.\n');
  });
  app.useStaticAssets(join(folder, 'assets'), { prefix: '/assets', immutable: true, maxAge: '1y', index: false, fallthrough: true });
  app.useStaticAssets(folder, { index: false, maxAge: 0, fallthrough: true });
}
