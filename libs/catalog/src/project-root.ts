import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The nearest folder above this file that holds both data folders: the same from source and from the build. @throws if there is none */
export function projectRoot(): string {
  const from = dirname(fileURLToPath(import.meta.url));
  for (let dir = from; ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'search-spaces')) && existsSync(join(dir, 'hw-profiles'))) return dir;
    if (dir === dirname(dir)) throw new Error(`expected a folder with search-spaces/ and hw-profiles/ above ${from}, got none`);
  }
}
