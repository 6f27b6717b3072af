import { convert, metricKey, type DryRunReport } from '@app/contracts';
import { Rng } from '@app/numeric';
import { evaluateCandidate } from './evaluate.js';
import { inTurn, type AccuracyEvaluator } from './accuracy.js';
import { meanFidelity, studyProblem } from './problem.js';
import type { StudyDefinition } from './records.js';

export interface DryRunOptions {
  /** points to sample at the most */
  readonly samples?: number;
  /** stop sampling after this, ms */
  readonly timeMs?: number;
  readonly now: () => number;
  /** called between samples so that a server goes on answering */
  readonly breathe?: () => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Remarks on metric values that a report repeats, the commonest first. */
const MOST_REMARKS = 8;

/** Evaluators slower than this are not asked in a dry run: only what can be computed is looked at. */
const QUICK_SECONDS = 0.25;

/**
 * Is the study possible, and what will it cost? Uniformly drawn points (all of them, if the space is that small) are priced, and the
 * share that meets each limit and all together is counted. Creates nothing.
 */
export async function dryRun(definition: StudyDefinition, evaluator: AccuracyEvaluator, options: DryRunOptions): Promise<DryRunReport> {
  const { samples = 256, timeMs = 2500, now } = options;
  const { terms, space } = studyProblem(definition);
  const quick = evaluator.secondsPerTrial <= QUICK_SECONDS;
  const asked = quick ? evaluator : inTurn((evaluator.parts ?? [evaluator]).filter((part) => part.secondsPerTrial <= QUICK_SECONDS));
  const context = { definition, terms, evaluator: asked, now };
  const signal = options.signal ?? new AbortController().signal;
  const rng = Rng.of(definition.spec.seed, 'dry-run');
  const points = space.cardinality <= samples ? [...space.enumerate()] : Array.from({ length: samples }, () => space.fromUnit(Array.from({ length: space.dimension }, () => rng.next())));
  const began = now();
  const warnings = new Set<string>();
  for (const key of [...terms.objectives, ...terms.constraints].map((t) => t.key)) {
    const device = definition.devices.find((d) => d.measure?.metrics.some((name) => metricKey(name, d.id) === key));
    if (device !== undefined) warnings.add(`${key} is measured by the study; a dry run measures nothing, so limits on it are judged by the profile's estimate`);
  }
  const shown = new Set([...terms.objectives, ...terms.constraints].map((t) => t.key));
  const remarks = new Map<string, { readonly keys: Set<string>; points: number }>();
  const values: (number | null)[][] = terms.constraints.map(() => []);
  const met: boolean[][] = [];
  let failures = 0;
  let firstFailure: string | null = null;
  let sampled = 0;
  for (const genes of points) {
    if (now() - began > timeMs && sampled >= 8) break;
    const outcome = await evaluateCandidate(context, space.decode(genes), signal);
    sampled++;
    if (outcome.state === 'failed' && !(outcome.reason === 'missing-metric' && !quick)) {
      failures++;
      firstFailure ??= outcome.message;
    }
    const said = new Set<string>();
    for (const [key, m] of Object.entries(outcome.metrics)) {
      for (const text of shown.has(key) ? m.warnings ?? [] : []) {
        const remark = remarks.get(text) ?? { keys: new Set<string>(), points: 0 };
        remark.keys.add(key);
        if (!said.has(text)) remark.points++;
        said.add(text);
        remarks.set(text, remark);
      }
    }
    terms.constraints.forEach((c, i) => values[i]!.push(outcome.metrics[c.key]?.value ?? null));
    met.push(terms.constraints.map((_, i) => outcome.violations[i] == null || outcome.violations[i]! <= 0));
    await options.breathe?.();
  }
  const measuredSeconds = (now() - began) / 1000 / Math.max(1, sampled);
  const constraints = terms.constraints.map((c, i) => {
    const known = values[i]!.filter((v) => v !== null).sort((a, b) => a - b);
    const shown = (v: number | undefined): number | null => (v === undefined ? null : convert(v, c.unit, c.shownUnit));
    const passed = known.filter((v) => (c.op === '<=' ? v <= c.limit : v >= c.limit)).length;
    return {
      key: c.key, op: c.op, limit: convert(c.limit, c.unit, c.shownUnit), unit: c.shownUnit, share: known.length === 0 ? null : passed / known.length,
      best: shown(c.op === '<=' ? known[0] : known.at(-1)), median: shown(known[Math.floor(known.length / 2)]),
    };
  });
  const judged = constraints.filter((c) => c.share !== null);
  const hardest = judged.reduce<(typeof judged)[number] | null>((h, c) => (c.share! < 1 && (h === null || c.share! < h.share!) ? c : h), null);
  for (const c of judged) {
    if (c.share === 0) warnings.add(`no sampled point meets ${c.key} ${c.op} ${c.limit} ${c.unit}; the best seen is ${Number(c.best!.toPrecision(5))} ${c.unit}`);
  }
  if (failures > 0) warnings.add(`${failures} of ${sampled} sampled points could not be evaluated; the first: ${firstFailure}`);
  const common = [...remarks].sort(([, a], [, b]) => b.points - a.points).slice(0, MOST_REMARKS);
  for (const [text, { keys, points: n }] of common) warnings.add(`${n} of ${sampled} sampled points: ${[...keys].join(', ')}: ${text}`);
  if (remarks.size > common.length) warnings.add(`${remarks.size - common.length} more remarks on single values; each trial carries its own`);
  const budget = definition.spec.budget;
  const trials = Math.min(budget.maxTrials, space.cardinality);
  if (trials < budget.maxTrials) warnings.add(`the space has ${space.cardinality} points; the study ends after trying them all`);
  const secondsPerTrial = quick ? measuredSeconds : evaluator.secondsPerTrial + measuredSeconds;
  const estimated = (secondsPerTrial * meanFidelity(definition.spec) * trials) / (quick ? 1 : budget.maxParallelTrials);
  return {
    valid: failures < sampled, sampled, cardinality: Number.isFinite(space.cardinality) ? space.cardinality : null, constraints,
    feasibleShare: judged.length === 0 ? null : met.filter((m) => m.every(Boolean)).length / sampled,
    hardest: hardest?.key ?? null, secondsPerTrial, estimatedSeconds: budget.maxDuration === undefined ? estimated : Math.min(estimated, budget.maxDuration),
    trials, evaluator: evaluator.id, warnings: [...warnings],
  };
}
