/**
 * Never two measurements at once of one thing, over all processes of a machine. The lock is a name to listen on, which the system gives
 * back with the process that held it, however that ended: there is no stale lock. Containers see neither each other's names nor locks.
 */
import { createHash } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Pause before the next try, ms. */
const RETRY_MS = 20;

/**
 * Waits until no one holds the name, then holds it.
 *
 * @returns gives it back
 * @throws the signal's reason once it is aborted while waiting
 */
export async function holdMachine(name: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const address = addressOf(name);
  for (;;) {
    if (signal.aborted) throw signal.reason;
    const server = await listen(address);
    if (server !== null) return () => new Promise((resolve) => server.close(() => resolve()));
    if (!address.startsWith('\0') && process.platform !== 'win32') await removeAbandoned(address);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, RETRY_MS);
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Lock of this machine's own measurements. */
export const HOST = 'host';

/** Does something while no one else holds the name. @throws what it throws; the signal's reason once it is aborted while waiting */
export async function alone<T>(name: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  const release = await holdMachine(name, signal);
  try {
    return await act();
  } finally {
    await release();
  }
}

function addressOf(name: string): string {
  const id = `caddis-measure-${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
  if (process.platform === 'linux') return `\0${id}`;
  return process.platform === 'win32' ? `\\\\.\\pipe\\${id}` : join(tmpdir(), `${id}.sock`);
}

/** Null: someone else listens. */
function listen(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    // waiting for a lock keeps no process alive, nor does holding one
    server.listen(address, () => resolve(server.unref()));
  });
}

/** A socket file outlives its process where names are files (macOS): no one answers there. */
function removeAbandoned(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => (socket.destroy(), resolve()));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        try {
          unlinkSync(path);
        } catch {
          // another waiter was quicker
        }
      }
      resolve();
    });
  });
}
