import { EvaluatorError } from '@app/study';
import type { Readings } from './answer.js';

/** One measurement asked of an agent. */
export interface AgentRequest {
  /** of the device, as the study calls it */
  readonly device: string;
  /** ONNX, fp32 */
  readonly model: Uint8Array;
  /** what the device is to run it in; an agent of another than fp32 converts it */
  readonly precision: string;
  readonly metrics: readonly string[];
  readonly warmup: number;
  readonly repeats: number;
  /** s until its silence counts as one */
  readonly timeout: number;
}

/** Someone who reaches a device. Asked one thing at a time. */
export interface Agent {
  readonly name: string;
  /**
   * @throws EvaluatorError with a reason of `AGENT_FAULTS`; the signal's reason once it is aborted
   */
  ask(request: AgentRequest, signal: AbortSignal): Promise<Readings>;
  close(): Promise<void>;
}

/** Bytes of output taken for one answer. */
export const MOST_OUTPUT = 1 << 20;

/** Reasons a measurement fails with; `again`: an accident that another attempt may not meet. */
export const AGENT_FAULTS = {
  'agent-silent': { again: true, meaning: 'no answer in time; a command is ended and started anew' },
  'agent-exited': { again: true, meaning: 'the command ended, or could not be started' },
  'agent-unreachable': { again: true, meaning: 'no connection to the address, it broke, or status 5xx' },
  'measurement-exited': { again: true, meaning: 'the process that measures on this machine ended' },
  'measurement-timeout': { again: false, meaning: 'measuring on this machine took too long' },
  'agent-error': { again: false, meaning: 'the agent says it can\'t, or status 4xx' },
  'agent-invalid-answer': { again: false, meaning: 'not a JSON object, or a metric is missing that was asked for' },
  'agent-wrong-id': { again: false, meaning: 'the answer carries another id' },
  'agent-too-much-output': { again: false, meaning: 'more than 1 MiB before an answer' },
  'invalid-measurement': { again: false, meaning: 'negative, zero, not a number, without a unit or with one that measures something else' },
} as const;

/** Reasons worth another attempt. */
export const PASSING_FAULTS: readonly string[] = Object.entries(AGENT_FAULTS).flatMap(([reason, { again }]) => (again ? [reason] : []));

/** @throws EvaluatorError `agent-invalid-answer` naming the metrics that are missing */
export function requireMetrics(readings: Readings, due: readonly string[], name: string): void {
  const missing = due.filter((metric) => readings[metric as keyof Readings] === undefined);
  if (missing.length > 0) throw new EvaluatorError('agent-invalid-answer', `${name}: expected ${missing.join(', ')}, got ${Object.keys(readings).join(', ') || 'no measurement'}`);
}
