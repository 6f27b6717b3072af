/** A supernet's file: its training goes on from there, whoever does it, and candidates inherit from it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QuantizeSpec, SupernetAccuracy } from '@app/contracts';
import type { Task } from '@app/decode';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from '../training/checkpoint.js';
import type { Compared } from './inheritance-error.js';
import type { SupernetSpaceDefinition } from './supernet-space.js';

/** Rises when the same question would train another supernet. */
const VERSION = 2;
/** A lock that its holder did not touch for so long is taken over. */
const STALE_MS = 60_000;
const TOUCH_MS = 5_000;
const POLL_MS = 500;

/** All that a supernet is a function of. */
export interface SupernetQuestion {
  readonly accuracy: SupernetAccuracy;
  readonly space: SupernetSpaceDefinition;
  readonly task: Task;
  readonly seed: number;
  readonly quantize: QuantizeSpec | null;
}

/** Path of the file: one for all studies that ask for the same supernet. */
export function supernetPath({ accuracy, space: { family, settings, parameters }, task, seed, quantize }: SupernetQuestion): string {
  const { dataset, epochs, batch, recipe, switches } = accuracy;
  const aware = quantize?.when === 'aware' ? quantize : null;
  const shape = parameters.map(({ description: _, ...p }) => p);
  const name = hashOf([VERSION, dataset, epochs, batch, recipe, switches, aware, family, settings, shape, task, seed]).slice(0, 32);
  return join(accuracy.checkpoints === undefined ? join(tmpdir(), `caddis-supernets-${process.getuid?.() ?? 'user'}`) : resolve(accuracy.checkpoints), `${name}.supernet`);
}

/** Null if there is none. @throws RangeError if it is no checkpoint; Error of the file system */
export function readSupernet(path: string): Checkpoint | null {
  const bytes = readIfThere(path);
  return bytes === null ? null : decodeCheckpoint(bytes);
}

export const writeSupernet = (path: string, checkpoint: Checkpoint): void => replaceFile(path, encodeCheckpoint(checkpoint));

/** Beside the supernet; another number of networks are other networks. */
function comparedPath(question: SupernetQuestion): string {
  const { accuracy: { standAlone, calibration }, quantize } = question;
  return `${supernetPath(question)}.${hashOf([standAlone, calibration, quantize]).slice(0, 8)}.json`;
}

/** Networks that were also trained alone, as far as they are. */
export function readCompared(question: SupernetQuestion): readonly Compared[] {
  const bytes = readIfThere(comparedPath(question));
  return bytes === null ? [] : (JSON.parse(bytes.toString()) as Compared[]);
}

export const writeCompared = (question: SupernetQuestion, compared: readonly Compared[]): void => replaceFile(comparedPath(question), Buffer.from(JSON.stringify(compared)));

const hashOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Readers see the old file or the new one, whole. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const fresh = `${path}.${hostname()}-${process.pid}`;
  writeFileSync(fresh, bytes);
  renameSync(fresh, path);
}

/**
 * Runs `work` while no other process does for the same path; waits until then. A holder that was killed is given up after a minute
 * without a sign of life. Should two hold it after all, both write the same: a supernet depends on its question alone.
 */
export async function whileAlone<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  mkdirSync(dirname(path), { recursive: true });
  while (!take(lock)) await sleep(POLL_MS);
  const alive = setInterval(() => {
    // taken over, if it is not there
    if (existsSync(lock)) utimesSync(lock, new Date(), new Date());
  }, TOUCH_MS);
  try {
    return await work();
  } finally {
    clearInterval(alive);
    rmSync(lock, { force: true });
  }
}

function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  if (age > STALE_MS) rmSync(lock, { force: true });
  return false;
}
