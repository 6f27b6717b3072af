import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, renameSync, truncateSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

const FILE = 'journal.jsonl';
const COMPACT_ABOVE_BYTES = 32 * 1024 ** 2;
const COMPACT_FACTOR = 4;

/**
 * Append-only file, a JSON document a line. A line is with the system before `append` returns, so a killed process loses nothing it
 * reported; `close` and rewriting also wait for the disk.
 */
export class Journal {
  private fd: number;
  private bytes: number;
  private compacted: number;
  private readonly file: string;
  private broken: Error | null = null;

  private constructor(directory: string, bytes: number) {
    this.file = join(directory, FILE);
    this.fd = openSync(this.file, 'a', 0o600);
    this.bytes = bytes;
    this.compacted = bytes;
  }

  /**
   * @returns the journal and the lines in it. A last line that was cut off by a crash was never reported as done; it is dropped.
   * @throws Error with file and line number if any other line is damaged
   */
  static open(directory: string): { journal: Journal; lines: unknown[] } {
    const file = join(directory, FILE);
    const lines: unknown[] = [];
    let good = 0;
    const content = readIfThere(file);
    for (let at = 0; at < content.length; ) {
      const end = content.indexOf(10, at);
      if (end < 0) break;
      try {
        lines.push(JSON.parse(content.toString('utf8', at, end)));
      } catch (error) {
        if (end + 1 < content.length) throw new Error(`${file}, line ${lines.length + 1}: expected a JSON document (${(error as Error).message})`);
        break;
      }
      good = end + 1;
      at = end + 1;
    }
    if (good < content.length) truncateSync(file, good);
    return { journal: new Journal(directory, good), lines };
  }

  /** @throws the first write error, then and at every later call: memory and file have parted */
  append(line: string): void {
    if (this.broken) throw this.broken;
    try {
      this.bytes += writeAll(this.fd, `${line}\n`);
    } catch (error) {
      this.broken = new Error(`${this.file} can't be written: ${(error as Error).message}`, { cause: error });
      throw this.broken;
    }
  }

  /** Whether it has grown so far beyond its content that rewriting pays. */
  get isLong(): boolean {
    return this.bytes > COMPACT_ABOVE_BYTES && this.bytes > COMPACT_FACTOR * this.compacted;
  }

  /** Puts these lines in the place of all there are, in one step. */
  rewrite(lines: Iterable<string>): void {
    const next = `${this.file}.next`;
    const fd = openSync(next, 'w', 0o600);
    let bytes = 0;
    for (const line of lines) bytes += writeAll(fd, `${line}\n`);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(next, this.file);
    syncDirectory(dirname(this.file));
    closeSync(this.fd);
    this.fd = openSync(this.file, 'a', 0o600);
    this.bytes = bytes;
    this.compacted = bytes;
  }

  close(): void {
    fdatasyncSync(this.fd);
    closeSync(this.fd);
    this.broken ??= new Error(`${this.file} is closed`);
  }
}

function readIfThere(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function writeAll(fd: number, text: string): number {
  const data = Buffer.from(text);
  for (let at = 0; at < data.length; ) at += writeSync(fd, data, at);
  return data.length;
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
