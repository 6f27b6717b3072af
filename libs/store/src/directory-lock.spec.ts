import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DirectoryLocked, lockDirectory } from './directory-lock.js';

let directory: string;
const lockFile = (): string => join(directory, 'caddis.lock');
beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'caddis-test-')); });
afterEach(() => rmSync(directory, { recursive: true }));

it('gives a directory to one holder at a time, making it if need be', () => {
  const inner = join(directory, 'a', 'b');
  const unlock = lockDirectory(inner);
  expect(() => lockDirectory(inner)).toThrow(DirectoryLocked);
  expect(() => lockDirectory(inner)).toThrow(`the data directory ${inner} is in use by process ${process.pid} (this one); end it, or name another directory`);
  unlock();
  const again = lockDirectory(inner);
  unlock();
  expect(existsSync(join(inner, 'caddis.lock')), 'unlocking twice leaves the next holder alone').toBe(true);
  again();
  expect(existsSync(join(inner, 'caddis.lock'))).toBe(false);
});

it('names another process that lives', () => {
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)']);
  writeFileSync(lockFile(), `${child.pid}\n`);
  expect(() => lockDirectory(directory)).toThrow(`in use by process ${child.pid}; end it`);
  child.kill('SIGKILL');
});

it('takes over from a process that was killed', () => {
  const { pid } = spawnSync(process.execPath, ['-e', 'process.kill(process.pid, "SIGKILL")']);
  writeFileSync(lockFile(), `${pid} 12345\n`);
  const unlock = lockDirectory(directory);
  expect(readFileSync(lockFile(), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
  unlock();
});

it.runIf(existsSync('/proc/self/stat'))('takes over from a dead process whose id another has by now', () => {
  writeFileSync(lockFile(), `${process.pid} 1\n`);
  lockDirectory(directory)();
  expect(existsSync(lockFile())).toBe(false);
});

it('takes over a lock that was cut off while it was written', () => {
  writeFileSync(lockFile(), '');
  lockDirectory(directory)();
});
