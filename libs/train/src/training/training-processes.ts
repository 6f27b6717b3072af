import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EvaluatorError } from '@app/study';
import { packageRoot } from '../package-root.js';
import type { Answer, Task } from './protocol.js';

type Last<T extends Task> = Extract<Answer, { kind: { train: 'trained' | 'diverged'; proxy: 'scored'; data: 'sound'; supernet: 'supernet' | 'diverged'; inherit: 'inherited'; calibrate: 'calibrated' }[T['kind']] }>;

export type EpochReport = Extract<Answer, { kind: 'epoch' }>;

/**
 * Processes that train or score, one network at a time each; an idle one is used again, so the data are read once. Processes and not threads:
 * a thread that is ended within onnxruntime takes the whole program with it.
 */
export class TrainingProcesses {
  readonly #idle: ChildProcess[] = [];
  readonly #busy = new Set<ChildProcess>();
  #next = 0;
  #closed = false;

  /** @throws EvaluatorError as the process says, or `evaluator-exited`, `evaluator-closed`; the signal's reason once it is aborted, which ends the process */
  run<T extends Task>(task: Omit<T, 'id'>, signal: AbortSignal, onEpoch?: (epoch: EpochReport) => void): Promise<Last<T>> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.#closed) return Promise.reject(new EvaluatorError('evaluator-closed', 'the trainer is closed'));
    const child = this.#take();
    this.#busy.add(child);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const settle = (reusable: boolean, act: () => void): void => {
        child.removeAllListeners();
        signal.removeEventListener('abort', abort);
        this.#busy.delete(child);
        if (reusable && !this.#closed) this.#idle.push(child);
        else child.kill('SIGKILL');
        // one that dies while it waits is not used again
        child.once('exit', () => this.#forget(child));
        child.once('error', () => this.#forget(child));
        act();
      };
      const abort = (): void => settle(false, () => reject(signal.reason as Error));
      signal.addEventListener('abort', abort, { once: true });
      child.on('message', (answer: Answer) => {
        if (answer.id !== id) return;
        if (answer.kind === 'epoch') return onEpoch?.(answer);
        if (answer.kind === 'failed') settle(true, () => reject(errorOf(answer)));
        else settle(true, () => resolve(answer as Last<T>));
      });
      const died = (how: string): void => settle(false, () => reject(this.#closed ? new EvaluatorError('evaluator-closed', 'the trainer was closed') : new EvaluatorError('evaluator-exited', `the training process ${how}`)));
      child.on('error', (error) => died(`failed: ${error.message}`));
      child.on('exit', (code, by) => died(by === null ? `ended with code ${code}` : `was ended by ${by}`));
      child.send({ ...task, id });
    });
  }

  #take(): ChildProcess {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      idle.removeAllListeners();
      return idle;
    }
    return fork(processFile(), { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  #forget(child: ChildProcess): void {
    const at = this.#idle.indexOf(child);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#idle.splice(0), ...this.#busy];
    await Promise.all(all.map((child) => new Promise<void>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    })));
  }
}

function errorOf({ reason, message, stack }: Extract<Answer, { kind: 'failed' }>): Error {
  if (reason !== null) return new EvaluatorError(reason, message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** Compiled entry of the process: from source too, it runs what was built. @throws if it was not built */
function processFile(): string {
  const here = fileURLToPath(import.meta.url);
  const file = join(here.endsWith('.ts') ? join(packageRoot(), 'dist', relative(packageRoot(), dirname(here))) : dirname(here), 'train-process.js');
  if (!existsSync(file)) throw new Error(`${file} is not there; build the project first: npm run build:server`);
  return file;
}
