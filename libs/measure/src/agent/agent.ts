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
  /** @throws EvaluatorError with a reason of `AGENT_FAULTS`; the signal's reason once it is aborted */
  ask(request: AgentRequest, signal: AbortSignal): Promise<Readings>;
  close(): Promise<void>;
}

/** Bytes of output taken for one answer. */
export const MOST_OUTPUT = 1 << 20;

/** Reasons a measurement fails with (docs/devices.md says what each means); true: an accident that another attempt may not meet. */
export const AGENT_FAULTS: Readonly<Record<string, boolean>> = {
  'agent-silent': true, 'agent-exited': true, 'agent-unreachable': true, 'measurement-exited': true,
  'measurement-timeout': false, 'agent-error': false, 'agent-invalid-answer': false, 'agent-wrong-id': false, 'agent-too-much-output': false, 'invalid-measurement': false, unsupported: false,
};

/** Reasons worth another attempt. */
export const PASSING_FAULTS: readonly string[] = Object.keys(AGENT_FAULTS).filter((reason) => AGENT_FAULTS[reason]);

/** @throws EvaluatorError `agent-invalid-answer` naming the metrics that are missing */
export function requireMetrics(readings: Readings, due: readonly string[], name: string): void {
  const missing = due.filter((metric) => readings[metric as keyof Readings] === undefined);
  if (missing.length > 0) throw new EvaluatorError('agent-invalid-answer', `${name}: expected ${missing.join(', ')}, got ${Object.keys(readings).join(', ') || 'no measurement'}`);
}
