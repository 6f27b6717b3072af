import type { Metrics, TrialProgress } from '@app/contracts';
import type { Graph } from '@app/graph';
import type { Point } from '@app/space';
import type { SpaceDefinition } from './records.js';

/** One candidate whose accuracy is asked for. */
export interface AccuracyRequest {
  readonly space: SpaceDefinition;
  readonly point: Point;
  /** null: the space's points have no network */
  readonly graph: Graph | null;
  readonly task: { readonly numClasses: number; readonly inputChannels: number };
  readonly signal: AbortSignal;
  /** 0 < fidelity ≤ 1, 1 being the full evaluation; left out: 1 */
  readonly fidelity?: number | undefined;
  /** told of learning curves as they grow; for those who watch, not for the search */
  readonly onProgress?: ((progress: TrialProgress) => void) | undefined;
  /** handed the weights the accuracy is of, as the evaluator writes them, where it has some of its own */
  readonly onWeights?: ((weights: Uint8Array) => void) | undefined;
  /** asked of learning curves as they grow: why the evaluation is to end, or null. An evaluator that can end throws StoppedEarly then */
  readonly stopWhen?: ((progress: TrialProgress) => string | null) | undefined;
}

/** Port: how a study learns the accuracy of a candidate. One evaluator serves one study and may answer many requests at once. */
export interface AccuracyEvaluator {
  readonly id: string;
  /** estimate, s, for planning how many trials one job takes */
  readonly secondsPerTrial: number;
  /** metric keys it answers; empty: none, or not known before the first answer (a user's command) */
  readonly metrics: readonly string[];
  /** it asks these one after the other; a study that can tell after one that a limit is broken does not ask the next */
  readonly parts?: readonly AccuracyEvaluator[] | undefined;
  /** What all evaluations need is there: data, say. Called before the first one. @throws EvaluatorError, which ends the study: no candidate could do better */
  prepare?(signal: AbortSignal): Promise<void>;
  /** @throws EvaluatorError, an outcome of the trial and not a fault of the program; the signal's reason once it is aborted */
  evaluate(request: AccuracyRequest): Promise<Metrics>;
  close(): Promise<void>;
}

/** Several sources of metrics as one: the quicker first, and of two that answer a metric the later one counts. */
export function inTurn(sources: readonly AccuracyEvaluator[]): AccuracyEvaluator {
  const parts = sources.flatMap((s) => s.parts ?? [s]).sort((a, b) => a.secondsPerTrial - b.secondsPerTrial);
  return {
    id: parts.map((p) => p.id).join(' + '),
    secondsPerTrial: parts.reduce((sum, p) => sum + p.secondsPerTrial, 0),
    metrics: [...new Set(parts.flatMap((p) => p.metrics))],
    parts,
    evaluate: async (request) => {
      let metrics: Metrics = {};
      for (const part of parts) metrics = { ...metrics, ...(await part.evaluate(request)) };
      return metrics;
    },
    prepare: async (signal) => {
      for (const part of parts) await part.prepare?.(signal);
    },
    close: async () => {
      await Promise.all(parts.map((p) => p.close()));
    },
  };
}

/** The candidate could not be evaluated; the trial fails with this reason. */
export class EvaluatorError extends Error {
  /** what was known all the same: a partial result is learned from */
  readonly metrics: Metrics;

  /** @param reason machine code: `invalid-metric`, `evaluator-exited`, `evaluator-error`, `timeout`, `unsupported`, … */
  constructor(readonly reason: string, message: string, options?: ErrorOptions & { readonly metrics?: Metrics }) {
    super(message, options);
    this.name = 'EvaluatorError';
    this.metrics = options?.metrics ?? {};
  }
}

/** The evaluation was ended as `stopWhen` said. */
export class StoppedEarly extends Error {
  /** @param reached  share of the evaluation that was done; `metrics` are those of that share */
  constructor(message: string, readonly reached: number, readonly metrics: Metrics) {
    super(message);
    this.name = 'StoppedEarly';
  }
}
