import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lockDirectory } from './directory-lock.js';
import type { PgliteThreadData } from './pglite-thread.js';
import { threadFile } from './thread-file.js';

/** Longest path of a unix socket that all systems take (sun_path is 104 bytes on some). */
const MAX_SOCKET_PATH = 103;
const START_MS = 60_000;
const STOP_MS = 10_000;

export interface EmbeddedPostgres {
  /** as `pg` wants it: `host` is the directory of the socket */
  readonly endpoint: { readonly host: string; readonly port: number; readonly username: string; readonly password: string; readonly database: string };
  close(): Promise<void>;
}

/**
 * Postgres in a thread of this process (PGlite), behind a unix socket of its own. All its clients share one session and take turns by
 * transaction: no session state, no named statements, no LISTEN, and inside a transaction no second connection.
 *
 * @throws DirectoryLocked if a living process has the directory
 */
export async function startEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  const directory = resolve(dataDir);
  const unlock = lockDirectory(directory);
  let temporary: string | null = null;
  const cleanUp = (): void => {
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    unlock();
  };
  try {
    const port = 5432;
    const name = `.s.PGSQL.${port}`;
    if (Buffer.byteLength(join(directory, name)) > MAX_SOCKET_PATH) temporary = mkdtempSync(join(tmpdir(), 'caddis-'));
    else chmodSync(directory, 0o700);
    const host = temporary ?? directory;
    const socket = join(host, name);
    rmSync(socket, { force: true });
    const files = join(directory, 'pg');
    const ready = join(directory, 'pg.ready');
    const fresh = !existsSync(ready);
    // Without the mark a first start was cut short, and nothing can have been stored yet.
    if (fresh) rmSync(files, { recursive: true, force: true });
    const worker = await startThread({ files, socket, fresh });
    writeFileSync(ready, '');
    return {
      endpoint: { host, port, username: 'postgres', password: 'postgres', database: 'postgres' },
      close: async () => {
        await stopThread(worker);
        rmSync(socket, { force: true });
        cleanUp();
      },
    };
  } catch (error) {
    cleanUp();
    throw error;
  }
}

async function startThread(data: PgliteThreadData): Promise<Worker> {
  const worker = new Worker(threadFile(import.meta.url, 'pglite-thread'), { workerData: data, execArgv: [] });
  const timer = new AbortController();
  try {
    await Promise.race([
      once(worker, 'message', { signal: timer.signal }),
      once(worker, 'exit', { signal: timer.signal }).then(([code]) => { throw new Error(`the embedded database ended at its start (exit code ${code})`); }),
      new Promise((_, reject) => {
        const after = setTimeout(() => reject(new Error(`the embedded database did not start within ${START_MS / 1000} s`)), START_MS);
        timer.signal.addEventListener('abort', () => clearTimeout(after));
      }),
    ]);
  } catch (error) {
    await worker.terminate();
    throw new Error(`can't open the database in ${data.files}: ${(error as Error).message}`, { cause: error });
  } finally {
    timer.abort();
  }
  // A fault of the thread shows as refused connections; unheard it would end the process.
  worker.on('error', (error) => process.emitWarning(`the embedded database failed: ${error.message}`));
  return worker;
}

async function stopThread(worker: Worker): Promise<void> {
  const ended = once(worker, 'exit');
  const timer = setTimeout(() => void worker.terminate(), STOP_MS);
  worker.postMessage('stop');
  await ended;
  clearTimeout(timer);
}
