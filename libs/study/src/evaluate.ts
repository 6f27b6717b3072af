import { METRICS, metricKey, type MetricValue, type Metrics, type TrialProgress } from '@app/contracts';
import type { Estimate, NetworkEstimates } from '@app/cost';
import type { Graph, PiecedGraph } from '@app/graph';
import type { Point } from '@app/space';
import { EvaluatorError, StoppedEarly, type AccuracyEvaluator, type AccuracyRequest } from './accuracy.js';
import { costingOf } from './costing.js';
import { STOPPED_EARLY, stopWhen, type EarlyStopping } from './early-stopping.js';
import { inWords } from './in-words.js';
import { hasNoNetwork } from './no-network.js';
import { OUTSCORED, outscored, SCORE, type Prefilter } from './prefilter.js';
import { objectiveValues, violationValues, type StudyTerms } from './problem.js';
import type { StudyDefinition, TrialOutcome } from './records.js';

/** An accuracy that takes longer than this is not sought for a candidate that breaks a limit which can be computed. */
const CHEAP_SECONDS = 1;

export interface EvaluationContext {
  readonly definition: StudyDefinition;
  readonly terms: StudyTerms;
  readonly evaluator: AccuracyEvaluator;
  /** milliseconds, monotonic */
  readonly now: () => number;
  readonly onProgress?: ((progress: TrialProgress) => void) | undefined;
  readonly onWeights?: ((weights: Uint8Array) => void) | undefined;
  /** null, left out: evaluations run to their end */
  readonly stopping?: EarlyStopping | null | undefined;
  /** null, left out: what is scored is evaluated too */
  readonly prefilter?: Prefilter | null | undefined;
  /** what the study's skip says of the candidate once it is scored (null: it has no score); null, left out: it has no say then */
  readonly foresee?: ((score: number | null, known: readonly (number | null)[]) => Promise<TrialOutcome | null>) | null | undefined;
}

/**
 * Decode, price, find the accuracy: point → outcome. Faults of the candidate or its evaluator are outcomes with a reason;
 * what throws here is a fault of ours.
 */
export async function evaluateCandidate(context: EvaluationContext, point: Point, signal: AbortSignal, fidelity?: number): Promise<TrialOutcome> {
  const { definition, terms, evaluator } = context;
  const began = context.now();
  const finish = (partial: Omit<TrialOutcome, 'objectives' | 'violations' | 'feasible' | 'durationMs'>): TrialOutcome => {
    const objectives = objectiveValues(terms, partial.metrics);
    const violations = violationValues(terms, partial.metrics);
    const known = violations.every((g) => g !== null);
    const feasible = violations.some((g) => g !== null && g > 0) ? false : known && partial.state !== 'failed' ? true : null;
    return { ...partial, objectives, violations, feasible, durationMs: context.now() - began };
  };
  let metrics: Metrics = {};
  try {
    // Decoded when first looked at: a table that answers all there is to know needs no network, and is ten times as quick without.
    let decoded: Graph | PiecedGraph | undefined;
    let whole: Graph | undefined;
    const pieces = (): Graph | PiecedGraph => (decoded ??= costingOf(definition).network(point));
    const network = (): Graph | null => (definition.space.family === 'none' ? null : (whole ??= costingOf(definition).graph(point, pieces())));
    metrics = computedMetrics(context, pieces);
    const request: AccuracyRequest = { space: definition.space, point, get graph() { return network(); }, task: definition.spec.task, signal, ...(fidelity === undefined ? {} : { fidelity }), onProgress: context.onProgress, onWeights: context.onWeights, get stopWhen() { return context.stopping ? stopWhen(context.stopping, terms, objectiveValues(terms, metrics)) : undefined; } };
    for (const part of evaluator.parts ?? [evaluator]) {
      const broken = part.secondsPerTrial > CHEAP_SECONDS ? brokenLimits(terms, metrics) : [];
      if (broken.length > 0) return finish({ state: 'infeasible', reason: 'constraint', message: `${broken.join('; ')}; ${part.metrics.join(', ') || 'accuracy'} was not sought`, metrics });
      // A table's measurement stands above our own estimate.
      metrics = { ...metrics, ...(await part.evaluate(request)) };
      const passedOver = context.prefilter && part.metrics.includes(SCORE) ? outscored(context.prefilter, terms, metrics, objectiveValues(terms, metrics)) : null;
      if (passedOver !== null) return { ...finish({ state: 'infeasible', reason: OUTSCORED, message: passedOver, metrics }), feasible: null };
      const foreseen = context.foresee && part.metrics.includes(SCORE) ? await context.foresee(metrics[SCORE]?.value ?? null, objectiveValues(terms, metrics)) : null;
      if (foreseen !== null) return { ...foreseen, metrics: { ...metrics, ...foreseen.metrics }, durationMs: context.now() - began };
    }
    const wrong = Object.entries(metrics).find(([, m]) => !Number.isFinite(m.value));
    if (wrong) {
      const { [wrong[0]]: _, ...rest } = metrics;
      metrics = rest;
      throw new EvaluatorError('invalid-metric', `metric "${wrong[0]}" is ${wrong[1].value}; a finite number is due`);
    }
    const missing = [...terms.objectives, ...terms.constraints].find((t) => metrics[t.key] === undefined);
    if (missing) throw new EvaluatorError('missing-metric', `no value for "${missing.key}"; the evaluator "${evaluator.id}" answers ${evaluator.metrics.join(', ') || 'nothing'}`);
    const violated = brokenLimits(terms, metrics);
    return finish(
      violated.length > 0
        ? { state: 'infeasible', reason: 'constraint', message: violated.join('; '), metrics }
        : { state: 'completed', reason: null, message: null, metrics },
    );
  } catch (error) {
    if (error instanceof StoppedEarly) {
      const outcome = finish({ state: 'infeasible', reason: STOPPED_EARLY, message: error.message, metrics: { ...metrics, ...error.metrics }, reached: error.reached });
      // what part of an evaluation has come to is no result: it is shown, and told to no one
      return { ...outcome, objectives: objectiveValues(terms, metrics), violations: violationValues(terms, metrics), feasible: null };
    }
    if (error instanceof EvaluatorError) return finish({ state: 'failed', reason: error.reason, message: error.message, metrics: { ...metrics, ...error.metrics } });
    if (hasNoNetwork(error)) {
      return finish({ state: 'failed', reason: 'decode-error', message: error.message, metrics });
    }
    if (signal.aborted) return finish({ state: 'failed', reason: 'timeout', message: `stopped: ${String(signal.reason)}`, metrics });
    throw error;
  }
}

function brokenLimits(terms: StudyTerms, metrics: Metrics): string[] {
  const g = violationValues(terms, metrics);
  return terms.constraints.flatMap((c, i) => {
    if (g[i] == null || g[i]! <= 0) return [];
    return [`${c.key} is ${inWords(metrics[c.key]!.value, c.unit)}, the limit is ${c.op} ${inWords(c.limit, c.unit)}`];
  });
}

/** Metrics known without running anything: counts, and the price on each device that the evaluator's table does not answer for. */
export function computedMetrics({ definition, terms, evaluator }: Pick<EvaluationContext, 'definition' | 'terms'> & { readonly evaluator: Pick<AccuracyEvaluator, 'metrics'> }, network: () => Graph | PiecedGraph): Metrics {
  if (definition.space.family === 'none') return {};
  const answered = new Set(evaluator.metrics);
  const extra = new Set(definition.spec.devices.map((d) => d.id));
  const devices = definition.devices.filter((device) => extra.has(device.id) || [...terms.objectives, ...terms.constraints].some((t) => t.target === device.id && !answered.has(t.key)));
  const counted = !answered.has('macs') || !answered.has('params');
  if (devices.length === 0 && !counted) return {};
  const metrics: Record<string, MetricValue> = {};
  const { estimates, macs, params } = costingOf(definition).price(network(), devices);
  if (counted) {
    metrics['macs'] = { value: macs, unit: '1', provenance: 'computed', source: 'network graph' };
    metrics['params'] = { value: params, unit: '1', provenance: 'computed', source: 'network graph' };
  }
  for (const cost of estimates) {
    for (const [key, value] of Object.entries(deviceMetrics(cost))) {
      // An estimate of what will be measured decides nothing.
      if (!answered.has(key)) metrics[key] = value;
    }
  }
  return metrics;
}

/** The four device metrics of a priced network, under their keys. */
export function deviceMetrics(cost: NetworkEstimates): Record<string, MetricValue> {
  const value = (e: Estimate, unit: string): MetricValue => ({
    value: e.value, unit, provenance: 'estimated', interval: [e.low, e.high], source: `${e.model}, ${cost.precision}${cost.weightBits === undefined ? '' : `, ${cost.weightBits}-bit weights`}`,
    ...(e.warnings.length > 0 ? { warnings: [...e.warnings] } : {}),
  });
  const unit = (name: string): string => METRICS.find((m) => m.name === name)!.unit;
  return Object.fromEntries((['latency', 'energy', 'peakRam', 'flash'] as const).map((name) => [metricKey(name, cost.device), value(cost[name], unit(name))]));
}
