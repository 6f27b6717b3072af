/**
 * A user's program that evaluates points: one process, many evaluations, one JSON object a line each way. It reads
 * `{"id": 7, "parameters": {…}, "fidelity": 1}` and answers `{"id": 7, "metrics": {…}}` or `{"id": 7, "error": "…"}`, in any order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Metrics, TrialProgress } from '@app/contracts';
import type { Scalar } from '@app/space';
import { EvaluatorError } from '@app/study';
import { metricsOf, progressOf, readAnswer, type Answer, type CommandId } from './answer.js';
import { killGroup } from './kill-group.js';
import { LineSplitter } from './line-splitter.js';

export interface CommandOptions {
  /** program and arguments; no shell */
  readonly command: readonly string[];
  readonly cwd?: string | undefined;
  /** metrics every answer must have */
  readonly metrics?: readonly string[] | undefined;
  /** told of each line on standard output that answers nothing */
  readonly onStray?: ((line: string) => void) | undefined;
  /** time between SIGTERM and SIGKILL, ms; default 2000 */
  readonly killAfterMs?: number | undefined;
}

export interface CommandRunner {
  /**
   * @param id  not pending already
   * @returns the metrics the program reported, all finite
   * @throws EvaluatorError `evaluator-error` (the program says so), `invalid-metric`, `invalid-answer`, `evaluator-exited`,
   *   `evaluator-closed`; the signal's reason once it is aborted; RangeError if the id is pending
   */
  evaluate(id: CommandId, parameters: Readonly<Record<string, Scalar>>, fidelity?: number, signal?: AbortSignal): Promise<Record<string, number>>;
  /** The same with fields of the question beside the parameters, and with units, source and learning curves; told of those that come before the answer. */
  ask(id: CommandId, question: Question, signal?: AbortSignal, onProgress?: (progress: TrialProgress) => void): Promise<Metrics>;
  /** Ends the program: its input is closed and it is told to terminate, later killed. What is pending fails. */
  close(): Promise<void>;
}

export interface Question {
  readonly parameters: Readonly<Record<string, Scalar>>;
  readonly fidelity: number;
  readonly [field: string]: unknown;
}

interface Pending {
  readonly resolve: (metrics: Metrics) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: ((progress: TrialProgress) => void) | undefined;
}

/** Bytes of standard error kept for messages. */
const STDERR_TAIL = 4096;
/** Time for last answers to arrive after the program ended. */
const DRAIN_MS = 500;

/** The program is started at the first question, and again at the next one after it died. */
export function startCommand(options: CommandOptions): CommandRunner {
  if (options.command.length === 0 || options.command[0] === '') throw new RangeError('command: expected a program and its arguments, got an empty list');
  return new Runner(options);
}

class Runner implements CommandRunner {
  #process: Running | null = null;
  readonly #ending = new Set<Promise<void>>();
  #closed = false;

  constructor(private readonly options: CommandOptions) {}

  async evaluate(id: CommandId, parameters: Readonly<Record<string, Scalar>>, fidelity = 1, signal?: AbortSignal): Promise<Record<string, number>> {
    const metrics = await this.ask(id, { parameters, fidelity }, signal);
    return Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value]));
  }

  ask(id: CommandId, question: Question, signal?: AbortSignal, onProgress?: (progress: TrialProgress) => void): Promise<Metrics> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#closed) return Promise.reject(new EvaluatorError('evaluator-closed', `the evaluator ${show(this.options.command)} is closed`));
    if (this.#process === null || this.#process.dead) this.#process = new Running(this.options);
    const running = this.#process;
    if (running.pending.has(id)) return Promise.reject(new RangeError(`id ${JSON.stringify(id)} is pending already`));
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        running.pending.delete(id);
        // the protocol can't take a question back: a program that works on nothing else is replaced
        if (running.pending.size === 0) this.#end(running);
        settle.reject(signal!.reason);
      };
      const settle: Pending = {
        resolve: (metrics) => (signal?.removeEventListener('abort', abort), resolve(metrics)),
        reject: (reason) => (signal?.removeEventListener('abort', abort), reject(reason as Error)),
        onProgress,
      };
      signal?.addEventListener('abort', abort, { once: true });
      running.pending.set(id, settle);
      running.send({ id, ...question });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#process) this.#end(this.#process);
    await Promise.all(this.#ending);
  }

  #end(running: Running): void {
    if (this.#process === running) this.#process = null;
    const ended = running.end();
    this.#ending.add(ended);
    void ended.then(() => this.#ending.delete(ended));
  }
}

/** One life of the program. */
class Running {
  readonly pending = new Map<CommandId, Pending>();
  dead = false;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #lines = new LineSplitter();
  #stderr = Buffer.alloc(0);
  #lastStray = '';

  constructor(private readonly options: CommandOptions) {
    const [program, ...args] = options.command;
    // a group of its own, so that what the program started ends with it
    this.#child = spawn(program!, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'], detached: process.platform !== 'win32' });
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#die(`could not be started: ${error.message}`, resolve));
      const die = (code: number | null, signal: string | null): void => this.#die(signal ? `was ended by ${signal}` : `ended with code ${code}`, resolve);
      this.#child.once('exit', (code, signal) => {
        // what it started may hold the pipes open: don't wait for their end
        const timer = setTimeout(() => (killGroup(this.#child, 'SIGKILL'), die(code, signal)), DRAIN_MS);
        this.#child.once('close', () => (clearTimeout(timer), die(code, signal)));
      });
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_TAIL);
    });
    // a program that stops reading shows by its exit
    this.#child.stdin!.on('error', () => undefined);
  }

  send(question: object): void {
    if (!this.dead) this.#child.stdin!.write(`${JSON.stringify(question)}\n`);
  }

  async end(): Promise<void> {
    if (this.dead) return;
    this.dead = true;
    this.#failPending(new EvaluatorError('evaluator-closed', `the evaluator ${show(this.options.command)} was closed`));
    this.#child.stdin!.end();
    killGroup(this.#child, 'SIGTERM');
    const timer = setTimeout(() => killGroup(this.#child, 'SIGKILL'), this.options.killAfterMs ?? 2000);
    await this.#exited;
    clearTimeout(timer);
  }

  #read(chunk: Buffer): void {
    try {
      for (const line of this.#lines.push(chunk)) this.#take(line, readAnswer(line));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#failPending(new EvaluatorError('invalid-answer', `${show(this.options.command)}: ${error.message}`));
      void this.end();
    }
  }

  #take(line: string, answer: Answer): void {
    const pending = answer.kind === 'stray' ? undefined : this.pending.get(answer.id);
    if (answer.kind === 'stray' || pending === undefined) {
      this.#lastStray = line.slice(0, 500);
      this.options.onStray?.(line);
      return;
    }
    if (answer.kind === 'progress') return pending.onProgress?.(progressOf(answer));
    this.pending.delete(answer.id);
    if (answer.kind === 'error') pending.reject(new EvaluatorError('evaluator-error', answer.message));
    else if (answer.kind === 'invalid') pending.reject(new EvaluatorError('invalid-answer', answer.message));
    else {
      try {
        pending.resolve(metricsOf(answer, this.options.metrics ?? [], `command ${show(this.options.command)}`));
      } catch (error) {
        pending.reject(error);
      }
    }
  }

  #die(how: string, done: () => void): void {
    this.dead = true;
    const stderr = this.#stderr.toString('utf8').trim();
    const details = [...(stderr ? [`standard error ends with:\n${stderr}`] : []), ...(this.#lastStray ? [`last line that was no answer: ${this.#lastStray}`] : [])];
    this.#failPending(new EvaluatorError('evaluator-exited', [`the evaluator ${show(this.options.command)} ${how} with ${this.pending.size} answers due`, ...details].join('; ')));
    done();
  }

  #failPending(reason: EvaluatorError): void {
    for (const pending of this.pending.values()) pending.reject(reason);
    this.pending.clear();
  }
}

const show = (command: readonly string[]): string => command.join(' ');
