import {
  ALLOWED_ACTIONS, convert, type ConstraintView, type CurvesView, type FrontView, type MetricValue, type Metrics, type NetworkView, type ObjectiveView, type ParameterView, type SeriesView, type StudyDetail, type StudyEvent, type StudySummary, type TrialProgress, type TrialView,
} from '@app/contracts';
import { priceByDefault } from '@app/cost';
import { decode } from '@app/decode';
import { countOps, describeNode, inferShapes, totals } from '@app/graph';
import { crowdingDistance, kneePoints } from '@app/pareto';
import type { Parameter } from '@app/space';
import { deviceMetrics } from './evaluate.js';
import { givenReference, studyTerms, type StudyTerms } from './problem.js';
import { runningSeconds, studyProgress } from './progress.js';
import type { StoredEvent } from './ports.js';
import type { HistoryEntry, StudyRecord, TrialCounts, TrialRecord } from './records.js';

const iso = (d: Date | null): string | null => d?.toISOString() ?? null;

/** Values leave in the units the spec chose: turning round and scaling happen here and where the spec is read, nowhere else. */
export function studySummaryView(study: StudyRecord, counts: TrialCounts, now: Date): StudySummary {
  const terms = studyTerms(study.spec);
  return {
    id: study.id, name: study.name, labels: { ...study.labels }, state: study.state, reason: study.reason, message: study.message, revision: study.revision,
    createdAt: study.createdAt.toISOString(), startedAt: iso(study.startedAt), finishedAt: iso(study.finishedAt), runningSeconds: runningSeconds(study, now),
    counts, progress: studyProgress(study, counts, now),
    objectives: objectiveViews(study, terms), constraints: constraintViews(terms),
    frontSize: study.frontSize, hypervolume: shownHypervolume(study.hypervolume, terms),
    space: study.space.name, algorithm: study.spec.algorithm.name, allowedActions: [...ALLOWED_ACTIONS[study.state]],
  };
}

export function studyDetailView(study: StudyRecord, counts: TrialCounts, now: Date): StudyDetail {
  return { ...studySummaryView(study, counts, now), spec: study.spec, parameters: study.space.parameters.map(parameterView), devices: study.devices.map((d) => d.id) };
}

function objectiveViews(study: StudyRecord, terms: StudyTerms): ObjectiveView[] {
  const reference = givenReference(study.spec, terms) ?? study.referencePoint;
  return terms.objectives.map((o, j) => ({
    key: o.key, metric: o.metric, target: o.target, direction: o.direction, unit: o.shownUnit,
    reference: reference === null ? null : convert(o.sign * reference[j]!, o.unit, o.shownUnit),
  }));
}

function constraintViews(terms: StudyTerms): ConstraintView[] {
  return terms.constraints.map((c) => ({ key: c.key, metric: c.metric, target: c.target, op: c.op, value: convert(c.limit, c.unit, c.shownUnit), unit: c.shownUnit }));
}

/** A hypervolume is a product of the objectives' units: it scales with them. */
function shownHypervolume(value: number | null, terms: StudyTerms): number | null {
  return value === null ? null : terms.objectives.reduce((v, o) => convert(v, o.unit, o.shownUnit), value);
}

/** Stored events carry values as they are inside; a reader gets them in the units of the study's spec. */
export function shownEvents(events: readonly StoredEvent[], study: StudyRecord): StoredEvent[] {
  const terms = studyTerms(study.spec);
  return events.map((e) => {
    if (e.type !== 'front.changed') return e;
    const data = e.data as Extract<StudyEvent, { type: 'front.changed' }>['data'];
    return { ...e, data: { ...data, hypervolume: shownHypervolume(data.hypervolume, terms) } };
  });
}

export function parameterView(p: Parameter): ParameterView {
  const numeric = p.type === 'float' || p.type === 'int';
  return {
    name: p.name, type: p.type, description: p.description ?? null,
    min: numeric ? p.min : null, max: numeric ? p.max : null, step: numeric ? (p.step ?? (p.type === 'int' ? 1 : null)) : null, scale: numeric ? (p.scale ?? 'linear') : null,
    values: numeric ? null : [...p.values],
  };
}

/** Metric key → unit the study shows it in, where that is not the metric's own. */
function shownUnits(terms: StudyTerms): Map<string, string> {
  return new Map([...terms.constraints, ...terms.objectives].map((t) => [t.key, t.shownUnit]));
}

function shownMetrics(metrics: Metrics, units: ReadonlyMap<string, string>): Record<string, MetricValue> {
  return Object.fromEntries(Object.entries(metrics).map(([key, m]) => {
    const unit = units.get(key) ?? m.unit;
    if (unit === m.unit) return [key, m];
    return [key, { ...m, value: convert(m.value, m.unit, unit), unit, ...(m.interval ? { interval: [convert(m.interval[0], m.unit, unit), convert(m.interval[1], m.unit, unit)] as [number, number] } : {}), ...(m.curve ? { curve: m.curve.map((v) => convert(v, m.unit, unit)) } : {}) }];
  }));
}

function shownProgress(progress: TrialProgress, units: ReadonlyMap<string, string>): TrialProgress {
  const curves = Object.entries(progress.curves).map(([key, { unit, values }]) => {
    const shown = units.get(key) ?? unit;
    return [key, { unit: shown, values: values.map((v) => convert(v, unit, shown)) }];
  });
  return { ...progress, curves: Object.fromEntries(curves) };
}

export function trialView(trial: TrialRecord, study: StudyRecord): TrialView {
  return trialWith(trial, shownUnits(studyTerms(study.spec)));
}

export function trialViews(trials: readonly TrialRecord[], study: StudyRecord): TrialView[] {
  const units = shownUnits(studyTerms(study.spec));
  return trials.map((t) => trialWith(t, units));
}

function trialWith(t: TrialRecord, units: ReadonlyMap<string, string>): TrialView {
  return {
    id: t.id, studyId: t.studyId, number: t.number, state: t.state, reason: t.reason, message: t.message, parameters: { ...t.parameters }, proposedBy: t.proposedBy, fidelity: t.fidelity,
    metrics: shownMetrics(t.metrics, units), feasible: t.feasible, onFront: t.onFront, rank: t.rank, progress: t.progress ? shownProgress(t.progress, units) : null, attempts: t.attempts,
    createdAt: t.createdAt.toISOString(), settledAt: iso(t.settledAt), durationSeconds: t.durationMs === null ? null : t.durationMs / 1000,
  };
}

/** @param columns  metric keys and parameter names; empty: all there are */
export function seriesView(study: StudyRecord, trials: readonly TrialRecord[], columns: readonly string[] = []): SeriesView {
  const units = shownUnits(studyTerms(study.spec));
  const metricUnits = new Map<string, string>();
  for (const t of trials) for (const [key, m] of Object.entries(t.metrics)) if (!metricUnits.has(key)) metricUnits.set(key, m.unit);
  const parameters = study.space.parameters.map((p) => p.name);
  const wanted = columns.length > 0 ? columns : [...metricUnits.keys(), ...parameters];
  const column = (name: string): SeriesView['columns'][string] | null => {
    const own = metricUnits.get(name);
    if (own !== undefined) {
      const unit = units.get(name) ?? own;
      return { kind: 'metric', unit, values: trials.map((t) => (t.metrics[name] === undefined ? null : convert(t.metrics[name].value, own, unit))) };
    }
    if (!parameters.includes(name)) return units.has(name) ? { kind: 'metric', unit: units.get(name)!, values: trials.map(() => null) } : null;
    return { kind: 'parameter', unit: null, values: trials.map((t) => t.parameters[name] ?? null) };
  };
  return {
    revision: study.revision, count: trials.length,
    id: trials.map((t) => t.id), number: trials.map((t) => t.number), state: trials.map((t) => t.state), onFront: trials.map((t) => t.onFront), feasible: trials.map((t) => t.feasible),
    columns: Object.fromEntries(wanted.flatMap((name) => { const c = column(name); return c ? [[name, c]] : []; })),
  };
}

/** @param metric  key of the metric whose curves are wanted; default: of the objectives the first that has curves, else of the other metrics */
export function curvesView(study: StudyRecord, trials: readonly TrialRecord[], metric?: string): CurvesView {
  const terms = studyTerms(study.spec);
  const curveOf = (t: TrialRecord, key: string): { unit: string; values: readonly number[] } | null => {
    const settled = t.metrics[key];
    if (settled?.curve) return { unit: settled.unit, values: settled.curve };
    return t.progress?.curves[key] ?? null;
  };
  const curved = new Set(trials.flatMap((t) => [...Object.entries(t.metrics).filter(([, m]) => m.curve).map(([key]) => key), ...Object.keys(t.progress?.curves ?? {})]));
  const key = metric ?? [...terms.objectives.map((o) => o.key), ...curved].find((k) => curved.has(k)) ?? terms.objectives[0]!.key;
  const rows = trials.flatMap((t) => {
    const curve = curveOf(t, key);
    return curve && curve.values.length > 0 ? [{ t, curve }] : [];
  });
  const unit = rows[0] === undefined ? null : shownUnits(terms).get(key) ?? rows[0].curve.unit;
  return {
    revision: study.revision, metric: key, unit,
    number: rows.map(({ t }) => t.number), state: rows.map(({ t }) => t.state), fidelity: rows.map(({ t }) => t.fidelity),
    values: rows.map(({ curve }) => curve.values.map((v) => convert(v, curve.unit, unit!))),
  };
}

/** @param all  every trial of the study if the front is empty (to say why), else unused */
export function frontView(study: StudyRecord, front: readonly TrialRecord[], history: readonly HistoryEntry[], all: readonly TrialRecord[]): FrontView {
  const terms = studyTerms(study.spec);
  const points = front.map((t) => t.objectives as readonly number[]);
  const crowding = front.length > 0 ? crowdingDistance(points) : [];
  const knees = new Set(kneePoints(points));
  return {
    revision: study.revision, objectives: objectiveViews(study, terms), hypervolume: shownHypervolume(study.hypervolume, terms),
    history: history.map((h) => ({ trials: h.number, hypervolume: shownHypervolume(h.hypervolume, terms), frontSize: h.frontSize })),
    trials: trialViews(front, study).map((t, i) => ({ ...t, crowding: Number.isFinite(crowding[i]) ? crowding[i]! : null, knee: knees.has(i) })),
    empty: front.length > 0 ? null : whyEmpty(study, terms, all),
  };
}

function whyEmpty(study: StudyRecord, terms: StudyTerms, all: readonly TrialRecord[]): FrontView['empty'] {
  const done = all.filter((t) => t.fidelity === 1 && (t.state === 'completed' || t.state === 'infeasible' || t.state === 'failed'));
  const constraints = terms.constraints.map((c, i) => {
    const known = done.filter((t) => t.violations[i] != null);
    const nearest = known.reduce<number | null>((best, t) => {
      const value = t.metrics[c.key]!.value;
      return best === null || (c.op === '<=' ? value < best : value > best) ? value : best;
    }, null);
    return {
      key: c.key, passed: known.filter((t) => t.violations[i]! <= 0).length, of: known.length,
      nearest: nearest === null ? null : convert(nearest, c.unit, c.shownUnit), limit: convert(c.limit, c.unit, c.shownUnit), unit: c.shownUnit,
    };
  });
  const failed = done.filter((t) => t.state === 'failed');
  const message =
    done.length === 0 ? (study.state === 'running' ? 'running, no trial has finished yet' : study.message ?? 'no trial has run')
    : failed.length === done.length ? `all ${done.length} trials failed; the first: ${failed[0]!.message ?? failed[0]!.reason ?? 'no reason given'}`
    : `none of ${done.length} trials meets every limit`;
  return { message, constraints };
}

/** The trial's network, priced on every device of the study. @throws DecodeError if the space has no network */
export function networkView(trial: TrialRecord, study: StudyRecord): NetworkView {
  const graph = decode(study.space, trial.parameters, study.spec.task);
  const shapes = inferShapes(graph);
  const counts = countOps(graph);
  const { macs, params, madds } = totals(graph);
  const costs = study.devices.map((d) => priceByDefault(graph, d));
  const input = graph.nodes.find((n) => n.kind === 'input');
  return {
    trialId: trial.id, name: graph.name, inputShape: [...(input ? shapes.get(input.id)! : [])], macs, params, madds,
    nodes: graph.nodes.map((n) => ({
      id: n.id, kind: n.kind, block: n.block ?? null, inputs: [...n.inputs], shape: [...shapes.get(n.id)!], label: describeNode(n, shapes.get(n.id)!), macs: counts.get(n.id)!.macs, params: counts.get(n.id)!.params,
    })),
    devices: costs.map((c) => ({
      device: c.device, precision: c.precision, totals: Object.fromEntries(Object.entries(deviceMetrics(c)).map(([key, m]) => [key.split('@')[0]!, m])),
      layers: c.layers.map((l) => ({ node: l.node, latency: l.latency, energy: l.energy, liveBytes: l.liveBytes, weightBytes: l.weightBytes, bound: l.bound })),
    })),
  };
}
