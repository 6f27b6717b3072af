import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { elements, type Graph, type Weights } from '@app/graph';
import { stateDict, toPyTorch } from '@app/pytorch';

export const FORMS = ['eager', 'channels_last', 'split heads', 'split heads, channels_last', 'compiled', 'compiled, split heads'] as const;
export type Form = (typeof FORMS)[number];

/** Bytes of an array, for a file that numpy reads. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** bench/peers/torch_worker.py under the given Python, one order at a time. */
export class TorchProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'caddis-torch-'));
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(python: string, threads: number) {
    this.#process = spawn(python, [join('bench', 'peers', 'torch_worker.py'), String(threads)], {
      stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, OMP_NUM_THREADS: String(threads), MKL_NUM_THREADS: String(threads) },
    });
    this.#answers = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]();
  }

  /** @throws Error with what Python said went wrong */
  async ask<T>(order: Readonly<Record<string, unknown>>): Promise<T> {
    this.#process.stdin!.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the Python process ended');
    const answer = JSON.parse(value) as T & { error?: string };
    if (answer.error !== undefined) throw new Error(`PyTorch: ${answer.error}`);
    return answer;
  }

  /** The network's module and weights as files, and what an order calls them by. */
  place(graph: Graph, weights: ReadonlyMap<string, Weights>): { module: string; weights: { file: string; tensors: [string, readonly number[]][] } } {
    const module = this.file('network.py', toPyTorch(graph));
    const tensors = [...stateDict(graph, weights)];
    const values = new Float32Array(tensors.reduce((sum, [, { shape }]) => sum + elements(shape), 0));
    let at = 0;
    for (const [, { data }] of tensors) {
      values.set(data, at);
      at += data.length;
    }
    return { module, weights: { file: this.file('weights.bin', bytesOf(values)), tensors: tensors.map(([name, { shape }]) => [name, shape]) } };
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  close(): void {
    this.#process.stdin!.end();
    rmSync(this.folder, { recursive: true });
  }
}
