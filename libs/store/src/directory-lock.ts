import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';

const LOCK_FILE = 'caddis.lock';
const TAKE_OVER_MS = 50;

/** Someone else has the directory. */
export class DirectoryLocked extends Error {
  constructor(readonly directory: string, readonly pid: number) {
    super(`the data directory ${directory} is in use by process ${pid}${pid === process.pid ? ' (this one)' : ''}; end it, or name another directory`);
    this.name = 'DirectoryLocked';
  }
}

/**
 * Takes a directory for this process, creating it if need be. The lock is a file made with O_EXCL that holds the owner's process id and,
 * where /proc tells it, its start time: an owner that was killed leaves a file that holds no one back, even if its id is in use again.
 *
 * @returns gives the directory back; calling it twice is harmless
 * @throws DirectoryLocked if a living process has it, this one included
 */
export function lockDirectory(directory: string): () => void {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const file = join(path, LOCK_FILE);
  const mine = `${process.pid} ${startTime(process.pid)}\n`;
  for (let tries = 0; ; tries++) {
    try {
      const fd = openSync(file, 'wx', 0o600);
      writeSync(fd, mine);
      closeSync(fd);
      if (tries === 0) break;
      // Another process may have judged the same dead owner, and removed this file for that one's.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TAKE_OVER_MS);
      if (readHolder(file)?.text === mine) break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = readHolder(file);
      if (holder !== null && (isOwner(holder) || tries === 3)) throw new DirectoryLocked(path, holder.pid);
      // The owner is dead. Only the text that was judged is removed, so that of two who find it just one goes on.
      if (holder !== null && readHolder(file)?.text === holder.text) rmSync(file, { force: true });
    }
  }
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (readHolder(file)?.text === mine) rmSync(file, { force: true });
  };
}

interface Holder {
  readonly text: string;
  readonly pid: number;
  readonly started: string;
}

function readHolder(file: string): Holder | null {
  try {
    const text = readFileSync(file, 'utf8');
    const [pid, started] = text.trim().split(' ');
    return { text, pid: Number(pid), started: started ?? '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function isOwner({ pid, started }: Holder): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startTime(pid);
  return started === '' || now === '' || started === now;
}

/** Clock ticks from boot to the start of the process; empty where there is no /proc. Field 22 of proc(5) stat. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Ended, and only waiting for its parent to ask how: it holds nothing any more.
    return fields[0] === 'Z' ? 'ended' : fields[19] ?? '';
  } catch {
    return '';
  }
}
