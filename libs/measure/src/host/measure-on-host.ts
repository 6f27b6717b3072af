import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EvaluatorError } from '@app/study';
import { noiseWarnings, summarize, type Summary } from '../statistics.js';
import type { HostAnswer, HostTask } from './protocol.js';

export interface HostSettings {
  readonly threads: number;
  /** runs before those that count */
  readonly warmup: number;
  /** runs that count: more until a quarter of a second has passed, fewer on a busy machine */
  readonly repeats: number;
  /** s the measurement may take once it has the machine */
  readonly timeout: number;
}

export interface HostMeasurement {
  /** s */
  readonly latency: Summary;
  /** s, in the order they ran: those that nothing interrupted; if that was too few, all, interrupted ones by their processor time */
  readonly times: readonly number[];
  readonly warnings: readonly string[];
  readonly settings: HostSettings;
  readonly runtime: string;
  readonly inputs: Extract<HostAnswer, { kind: 'measured' }>['inputs'];
  readonly machine: Machine;
}

/** What the times hang on besides the network. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** processes that wanted a core in the last minute, when the measurement began */
  readonly load: number;
  readonly platform: string;
}

/** Runs a task and answers it; the default starts a process. */
export type HostRunner = (task: HostTask, signal: AbortSignal) => Promise<HostAnswer>;

/** Share of interrupted runs from which on a warning says so. */
const SHOWN_SHARE = 0.1;
/** Calm runs that a median is taken of, rather than of all. */
const ENOUGH_RUNS = 10;
/** Time that the runs which count take at least, s. */
const MIN_SECONDS = 0.25;

/**
 * Time of one inference on this machine, batch 1, in a process of its own. Callers see to it that no other measurement runs beside it
 * (`alone`).
 *
 * @param model  ONNX bytes; an open batch is 1, inputs are standard normal
 * @throws EvaluatorError `unsupported` (onnxruntime refuses the model), `measurement-exited` (the process died), `measurement-timeout`;
 *   the signal's reason once it is aborted
 */
export async function measureOnHost(model: Uint8Array, settings: HostSettings, signal: AbortSignal, run: HostRunner = runInProcess): Promise<HostMeasurement> {
  const machine: Machine = { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism(), load: loadavg()[0]!, platform: `${process.platform} ${process.arch}` };
  const limit = AbortSignal.timeout(1000 * settings.timeout);
  let answer: HostAnswer;
  try {
    answer = await run({ model, threads: settings.threads, warmup: settings.warmup, repeats: settings.repeats, minSeconds: MIN_SECONDS }, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (limit.aborted && !signal.aborted) throw new EvaluatorError('measurement-timeout', `the measurement took longer than ${settings.timeout} s: ${settings.warmup} + ${settings.repeats} runs with ${threadsOf(settings.threads)}`);
    throw error;
  }
  if (answer.kind === 'refused') throw new EvaluatorError('unsupported', answer.message);
  const { judged, warnings } = undisturbed(answer, settings);
  return { latency: summarize(judged), times: judged, warnings: [...warnings, ...noiseWarnings(judged)], settings, runtime: answer.runtime, inputs: answer.inputs, machine };
}

/**
 * Interrupted runs tell of the machine's other work, not of the network; they are left out as long as enough others are there. Where they
 * are not, what an interrupted run of one thread took is its processor time.
 */
function undisturbed({ times, interrupted, processor }: Extract<HostAnswer, { kind: 'measured' }>, { repeats, threads }: HostSettings): { judged: readonly number[]; warnings: string[] } {
  const calm = times.filter((_, i) => interrupted[i] !== true);
  const disturbed = times.length - calm.length;
  const enough = calm.length >= Math.min(repeats / 2, ENOUGH_RUNS);
  const instead = enough ? 'which are left out' : threads === 1 ? 'whose processor time counts instead' : 'too many to leave them out';
  const warnings = disturbed <= SHOWN_SHARE * times.length ? [] : [`the machine is busy: other work interrupted ${disturbed} of ${times.length} runs, ${instead}`];
  const spent = (time: number, i: number): number => (threads === 1 && interrupted[i] === true && processor[i]! > 0 ? Math.min(time, processor[i]!) : time);
  return { judged: enough ? calm : times.map(spent), warnings };
}

export const threadsOf = (n: number): string => `${n} thread${n === 1 ? '' : 's'}`;

/** A process and not a thread: onnxruntime that is ended within a thread takes the whole program with it. */
const runInProcess: HostRunner = (task, signal) => new Promise((resolve, reject) => {
  if (signal.aborted) {
    reject(signal.reason as Error);
    return;
  }
  const child = fork(processFile(), { execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => { errors = (errors + chunk.toString('utf8')).slice(-2000); });
  const settle = (act: () => void): void => {
    child.removeAllListeners();
    signal.removeEventListener('abort', abort);
    child.once('error', () => undefined);
    child.kill('SIGKILL');
    act();
  };
  const abort = (): void => settle(() => reject(signal.reason as Error));
  signal.addEventListener('abort', abort, { once: true });
  const died = (how: string): void => settle(() => reject(new EvaluatorError('measurement-exited', `the measuring process ${how}${errors.trim() === '' ? '' : `; standard error ends with:\n${errors.trim()}`}`)));
  child.once('message', (answer: HostAnswer) => settle(() => resolve(answer)));
  child.once('error', (error) => died(`failed: ${error.message}`));
  child.once('exit', (code, by) => died(by === null ? `ended with code ${code}` : `was ended by ${by}`));
  child.send(task, (error) => { if (error) died(`failed: ${error.message}`); });
});

/** Compiled entry of the process: from source too, it runs what was built. @throws if it was not built */
function processFile(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = import.meta.url.endsWith('.ts') ? join(here, '../../../../dist/libs/measure/src/host/host-process.js') : join(here, 'host-process.js');
  if (!existsSync(file)) throw new Error(`${file} is not there; build the project first: npm run build:server`);
  return file;
}
