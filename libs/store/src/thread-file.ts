import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * File of a thread's entry that lies beside its caller. Threads can't load TypeScript on Node 20, so a caller that runs from source
 * gets the same place under `dist`.
 *
 * @param callerUrl  `import.meta.url` of the caller
 * @param name       file name without its ending
 * @throws Error naming the file if it has not been built
 */
export function threadFile(callerUrl: string, name: string): URL {
  const caller = fileURLToPath(callerUrl);
  let file = join(dirname(caller), `${name}.js`);
  if (caller.endsWith('.ts')) {
    let root = dirname(caller);
    while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
    file = join(root, 'dist', relative(root, file));
  }
  if (!existsSync(file)) throw new Error(`${file} is not there; build the project first: npm run build:server`);
  return pathToFileURL(file);
}
