import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { threadFile } from './thread-file.js';

it('finds the built file of a caller that runs from source', () => {
  const file = fileURLToPath(threadFile(import.meta.url, 'pglite-thread'));
  expect(file).toMatch(/dist\/libs\/store\/src\/pglite-thread\.js$/);
  expect(existsSync(file)).toBe(true);
});

it('finds the file beside a caller that was built', () => {
  const built = threadFile(import.meta.url, 'pglite-thread');
  expect(threadFile(new URL('index.js', built).href, 'pglite-thread').href).toBe(built.href);
});

it('names a file that is not there', () => {
  expect(() => threadFile(import.meta.url, 'nothing')).toThrow(/dist\/libs\/store\/src\/nothing\.js is not there; build the project first/);
});
