import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'weights';
const ENDING = '.safetensors';

/** Weights of trials: files of their own, since a journal of them would hardly be read in; without a directory, in memory. */
export class WeightFiles {
  private readonly kept = new Map<string, Uint8Array>();
  private readonly sizes = new Map<string, number>();

  private constructor(private readonly directory: string | null) {}

  static inMemory(): WeightFiles {
    return new WeightFiles(null);
  }

  /** Those of a directory that belong to a trial still there; what a crash left of others goes. */
  static open(directory: string, has: (trialId: string) => boolean): WeightFiles {
    const files = new WeightFiles(join(directory, FOLDER));
    mkdirSync(files.directory!, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(files.directory!)) {
      const id = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : null;
      if (id !== null && has(id)) files.sizes.set(id, statSync(join(files.directory!, name)).size);
      else rmSync(join(files.directory!, name), { force: true, recursive: true });
    }
    return files;
  }

  /** Bytes of these trials. */
  total(trialIds: Iterable<string>): number {
    let sum = 0;
    for (const id of trialIds) sum += this.sizes.get(id) ?? 0;
    return sum;
  }

  put(trialId: string, content: Uint8Array): void {
    if (this.directory === null) this.kept.set(trialId, Uint8Array.from(content));
    else {
      const path = this.path(trialId);
      writeFileSync(`${path}.next`, content, { mode: 0o600 });
      renameSync(`${path}.next`, path);
    }
    this.sizes.set(trialId, content.length);
  }

  get(trialId: string): Uint8Array | null {
    if (!this.sizes.has(trialId)) return null;
    return this.directory === null ? Uint8Array.from(this.kept.get(trialId)!) : new Uint8Array(readFileSync(this.path(trialId)));
  }

  drop(trialIds: Iterable<string>): void {
    for (const id of trialIds) {
      if (!this.sizes.delete(id)) continue;
      if (this.directory === null) this.kept.delete(id);
      else rmSync(this.path(id), { force: true });
    }
  }

  private path(trialId: string): string {
    return join(this.directory!, `${trialId}${ENDING}`);
  }
}
