import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of Caddis' own package.json, the nearest above this file: the same from source and from the build. @throws if there is none */
export function packageRoot(): string {
  const from = dirname(fileURLToPath(import.meta.url));
  for (let dir = from; ; dir = dirname(dir)) {
    const file = join(dir, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'caddis') return dir;
    if (dir === dirname(dir)) throw new Error(`expected the package.json of caddis above ${from}, found none`);
  }
}
