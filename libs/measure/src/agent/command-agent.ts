/**
 * A user's program that measures: started at the first request and again after it ended, one JSON object a line each way. It reads
 * `{"id": 7, "device": …, "model": {"path": …}, …}` and answers one line; lines that are no JSON object are passed over.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EvaluatorError } from '@app/study';
import { killGroup, LineSplitter } from '@app/train';
import { MOST_OUTPUT, type Agent, type AgentRequest } from './agent.js';
import { answerObject, readAnswer, type Readings } from './answer.js';

/** Bytes of standard error kept for messages. */
const STDERR_TAIL = 4096;
/** Time between SIGTERM and SIGKILL, ms. */
const KILL_AFTER = 2000;

export function commandAgent(command: readonly string[]): Agent {
  let life: Life | null = null;
  let next = 1;
  const name = command.join(' ');
  const end = async (): Promise<void> => {
    const ending = life;
    life = null;
    await ending?.end();
  };
  return {
    name,
    async ask({ model, timeout, ...request }, signal) {
      if (life === null || life.dead) life = new Life(command, name);
      const folder = mkdtempSync(join(tmpdir(), 'caddis-measure-'));
      try {
        const path = join(folder, 'network.onnx');
        writeFileSync(path, model);
        return await life.ask({ id: next++, ...request, model: { path } } satisfies CommandRequest, timeout, signal);
      } catch (error) {
        // what it still has to say is about a question no one waits for
        const answered = error instanceof EvaluatorError && (error.reason === 'agent-error' || error.reason === 'invalid-measurement');
        if (!answered) await end();
        throw error;
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    close: end,
  };
}

type CommandRequest = Omit<AgentRequest, 'model' | 'timeout'> & { readonly id: number; readonly model: { readonly path: string } };

/** One life of the program. */
class Life {
  dead = false;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #lines = new LineSplitter();
  #stderr = Buffer.alloc(0);
  #output = 0;
  #stray = '';
  #waiting: { readonly id: number; readonly settle: (outcome: Readings | Error) => void } | null = null;

  constructor(command: readonly string[], private readonly name: string) {
    const [program, ...args] = command;
    // a group of its own, so that what the program started ends with it
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: process.platform !== 'win32' });
    this.#exited = new Promise((resolve) => {
      const die = (how: string): void => {
        this.dead = true;
        const stderr = this.#stderr.toString('utf8').trim();
        this.#settle(this.#fault('agent-exited', [how, ...(stderr === '' ? [] : [`standard error ends with:\n${stderr}`]), ...(this.#stray === '' ? [] : [`last line that was no answer: ${this.#stray}`])].join('; ')));
        resolve();
      };
      this.#child.once('error', (error) => die(`could not be started: ${error.message}`));
      // the exit may overtake the last answer in its pipe
      this.#child.once('exit', (code, signal) => setTimeout(die, 100, signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr!.on('data', (chunk: Buffer) => { this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-STDERR_TAIL); });
    // a program that stops reading shows by its exit
    this.#child.stdin!.on('error', () => undefined);
  }

  ask(request: CommandRequest, timeout: number, signal: AbortSignal): Promise<Readings> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    this.#output = 0;
    this.#stray = '';
    return new Promise((resolve, reject) => {
      const silent = setTimeout(() => this.#settle(this.#fault('agent-silent', `no answer for ${timeout} s${this.#stray === '' ? '' : `; last line that was no answer: ${this.#stray}`}`)), 1000 * timeout);
      const abort = (): void => this.#settle(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting = {
        id: request.id,
        settle: (outcome) => {
          clearTimeout(silent);
          signal.removeEventListener('abort', abort);
          if (outcome instanceof Error) reject(outcome);
          else resolve(outcome);
        },
      };
      this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  async end(): Promise<void> {
    if (this.dead) return;
    this.dead = true;
    this.#settle(this.#fault('agent-exited', 'was closed'));
    this.#child.stdin!.end();
    killGroup(this.#child, 'SIGTERM');
    const timer = setTimeout(() => killGroup(this.#child, 'SIGKILL'), KILL_AFTER);
    await this.#exited;
    clearTimeout(timer);
  }

  #read(chunk: Buffer): void {
    this.#output += chunk.length;
    if (this.#output > MOST_OUTPUT) {
      this.#settle(this.#fault('agent-too-much-output', `expected an answer within ${MOST_OUTPUT} bytes of output`));
      this.#lines = new LineSplitter();
      this.#output = 0;
      return;
    }
    for (const line of this.#lines.push(chunk)) {
      const answer = answerObject(line);
      if (answer === undefined || this.#waiting === null) this.#stray = line.slice(0, 200);
      else this.#settle(attempt(() => readAnswer(answer, this.#waiting!.id), this.name));
    }
  }

  #settle(outcome: Readings | Error): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.settle(outcome);
  }

  #fault(reason: string, message: string): EvaluatorError {
    return new EvaluatorError(reason, `agent ${this.name}: ${message}`);
  }
}

/** The readings, or the fault with the agent's name before it. */
function attempt(read: () => Readings, name: string): Readings | Error {
  try {
    return read();
  } catch (error) {
    return error instanceof EvaluatorError ? new EvaluatorError(error.reason, `agent ${name}: ${error.message}`) : (error as Error);
  }
}
