/**
 * Successive halving around any optimizer: a bracket of its candidates is evaluated at the lowest fidelity, the best 1/η of them by
 * non-domination rank, then crowding, at the next, and so on; the last rung is the full evaluation. Rungs are synchronous within their
 * bracket, so that the order of arrival counts for nothing; where workers would wait the next bracket begins. The last one is as large as
 * the budget can bring to its end; what is left then goes to full evaluations at once.
 * Jamieson & Talwalkar, Non-stochastic best arm identification (2016); Schmucker, Donini, Zafar, Salinas, Archambeau, Multi-objective
 * asynchronous successive halving (2021), here without the asynchrony.
 *
 * The optimizer inside is told every point once: with its full evaluation, or when it drops out with an estimate of it, the value at its
 * last fidelity plus the mean of what points known at both have gained from there. Told at less than full, `fidelity` says so; `partial` has
 * what was told at each.
 */
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { compareStandings, standings } from '../evolution/standing.js';
import { readSnapshot } from '../ledger.js';
import { Gains } from './gains.js';

const VERSION = 2;
/** Versions of the optimizer inside stay below. */
const VERSION_STEP = 1000;
/** With several objectives a rung needs more than η points for ranks to mean something. */
const MANY_OBJECTIVES = 2;

/** A bracket at the rung it has come to. */
interface Rung {
  readonly bracket: number;
  /** rung it began with */
  readonly start: number;
  rung: number;
  /** points of the rung */
  due: number;
  /** keys of the points asked at this rung, pending or told */
  members: string[];
  /** keys of points that rose to this rung and wait to be asked */
  waiting: string[];
}

/** What a candidate carries beside the inner optimizer's note. */
interface Note {
  readonly bracket: number;
  readonly rung: number;
  readonly inner: Json;
}

interface State {
  rungs: Rung[];
  next: number;
  /** candidates so far */
  asked: number;
  /** places in the history, [from, to): candidates of some other halving, told as imports */
  strangers: [number, number][];
}

class HalvingRun implements OptimizerRun {
  readonly #levels: readonly number[];
  readonly #eta: number;
  /** of points in open brackets, by key, lowest fidelity first */
  readonly #results = new Map<string, Told[]>();
  readonly #gains: Gains;
  #told = 0;
  inner!: OptimizerRun;

  constructor(readonly problem: SearchProblem, readonly self: Pick<Optimizer, 'name' | 'version'>, readonly state: State = { rungs: [], next: 0, asked: 0, strangers: [] }) {
    this.#levels = problem.fidelities ?? [1];
    this.#eta = this.#levels.length > 1 ? Math.round(this.#levels[1]! / this.#levels[0]!) : 1;
    this.#gains = new Gains(this.#levels.length, problem.objectives, problem.constraints);
  }

  get screened(): number {
    return this.inner.screened;
  }

  /** Points of a bracket's first rung. */
  get #size(): number {
    const least = this.#eta ** (this.#levels.length - 1);
    return this.#levels.length > 1 && this.problem.objectives > 1 ? MANY_OBJECTIVES * least : least;
  }

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n) {
      const candidate = this.#promoted() ?? this.#fresh() ?? this.#promoted();
      if (candidate === null) break;
      out.push(candidate);
    }
    return out;
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) for (const known of this.#settle(told)) this.inner.tell([known]);
  }

  snapshot(): Json {
    return { optimizer: this.self.name, version: this.self.version, state: structuredClone(this.state) as unknown as Json, inner: this.inner.snapshot() };
  }

  #promoted(): Candidate | null {
    const rung = this.state.rungs.find((r) => r.waiting.length > 0);
    if (!rung) return null;
    const key = rung.waiting.shift()!;
    const before = this.#results.get(key)![0]!;
    return this.#candidate(rung, { genes: before.genes, key, proposedBy: 'halving:promoted', note: noteOf(before)!.inner });
  }

  /** From the optimizer inside, for the first bracket that is not full or a new one. Null: it has none; such a bracket goes on with what it has. */
  #fresh(): Candidate | null {
    let rung = this.state.rungs.find((r) => r.rung === r.start && r.members.length < r.due);
    if (!rung) {
      const opened = this.#open();
      if (opened === null) return null;
      this.state.rungs.push((rung = opened));
    }
    const [candidate] = this.inner.ask(1);
    if (candidate === undefined) {
      rung.due = rung.members.length;
      if (rung.due === 0) this.state.rungs = this.state.rungs.filter((r) => r !== rung);
      else for (const known of this.#endRung(rung)) this.inner.tell([known]);
      return null;
    }
    this.state.next = Math.max(this.state.next, rung.bracket + 1);
    return this.#candidate(rung, candidate);
  }

  /** Null: all that is left of the budget is due to brackets that are open. */
  #open(): Rung | null {
    const last = this.#levels.length - 1;
    const bracket = (start: number, due: number): Rung => ({ bracket: this.state.next, start, rung: start, due, members: [], waiting: [] });
    const left = (this.problem.maxTrials ?? Infinity) - this.state.asked;
    if (left <= 0) return bracket(0, this.#size);
    const free = left - this.state.rungs.reduce((sum, r) => sum + this.#ahead(r.rung, r.due) - r.members.length, 0);
    if (free <= 0) return null;
    let due = this.#size;
    while (due > 0 && this.#ahead(0, due) > free) due--;
    return due > 0 ? bracket(0, due) : bracket(last, free);
  }

  /** Evaluations of a bracket from a rung of so many points on. */
  #ahead(rung: number, due: number): number {
    return due + (rung === this.#levels.length - 1 ? 0 : this.#ahead(rung + 1, this.#rising(due)));
  }

  #rising(due: number): number {
    return Math.max(1, Math.floor(due / this.#eta));
  }

  #candidate(rung: Rung, { genes, key, proposedBy, note }: Candidate): Candidate {
    const fidelity = this.#levels[rung.rung]!;
    rung.members.push(key);
    this.state.asked++;
    const own: Note = { bracket: rung.bracket, rung: rung.rung, inner: note ?? null };
    return { genes, key: fidelity === 1 ? key : `${key}@${fidelity}`, proposedBy, note: own as unknown as Json, ...(fidelity === 1 ? {} : { fidelity }) };
  }

  /** @returns what the optimizer inside learns from it now */
  #settle(told: Told): Told[] {
    const place = this.#told++;
    const note = noteOf(told);
    const key = this.problem.space.key(told.genes);
    const rung = note && this.state.rungs.find((r) => r.bracket === note.bracket && r.rung === note.rung && r.members.includes(key));
    if (!note || !rung) {
      if (note) this.#addStranger(place);
      return isFull(told) ? [{ ...told, note: note?.inner ?? told.note }] : [];
    }
    const results = this.#results.get(key) ?? [];
    this.#results.set(key, [...results, told]);
    if (isFull(told)) results.forEach((low, level) => this.#gains.learn(level, low, told));
    return [...(isFull(told) ? [inward(told, key, results)] : []), ...this.#endRung(rung)];
  }

  /** Once all of a rung are told the best rise and the others drop out. */
  #endRung(rung: Rung): Told[] {
    const told = rung.members.map((key) => this.#results.get(key)?.[rung.rung]);
    if (rung.members.length < rung.due || told.includes(undefined)) return [];
    const results = told as Told[];
    const last = rung.rung === this.#levels.length - 1;
    const rated = standings(results);
    const order = results.map((_, i) => i).sort((a, b) => compareStandings(rated[a]!, rated[b]!) || a - b);
    const rising = last ? [] : order.filter((i) => results[i]!.state !== 'failed').slice(0, this.#rising(rung.due));
    const dropped = last ? [] : results.flatMap((t, i) => (rising.includes(i) ? [] : [inward(this.#gains.estimate(rung.rung, t), rung.members[i]!, this.#results.get(rung.members[i]!)!)]));
    const kept = rising.map((i) => rung.members[i]!);
    for (const key of rung.members) if (!kept.includes(key)) this.#results.delete(key);
    if (kept.length === 0) this.state.rungs = this.state.rungs.filter((r) => r !== rung);
    else Object.assign(rung, { rung: rung.rung + 1, due: kept.length, members: [], waiting: kept });
    return dropped;
  }

  #addStranger(place: number): void {
    const last = this.state.strangers.at(-1);
    if (last?.[1] === place) last[1]++;
    else this.state.strangers.push([place, place + 1]);
  }

  /** All of the history again, as it was told: the results of open brackets, the gains, and what the optimizer inside was told. */
  recall(history: readonly Told[], kept: State): Told[] {
    const own = (place: number): boolean => !kept.strangers.some(([from, to]) => from <= place && place < to);
    const begun = new Map<number, { start: number; due: number }>(kept.rungs.flatMap((r) => (r.rung === r.start ? [[r.bracket, { start: r.start, due: r.due }]] : [])));
    const open = new Set(begun.keys());
    const inside: Told[] = [];
    history.forEach((told, place) => {
      const note = own(place) ? noteOf(told) : null;
      if (!note || open.has(note.bracket)) return;
      const first = begun.get(note.bracket);
      if (!first) begun.set(note.bracket, { start: note.rung, due: 1 });
      else if (first.start === note.rung) first.due++;
    });
    history.forEach((told, place) => {
      const note = own(place) ? noteOf(told) : null;
      if (note) {
        let rung = this.state.rungs.find((r) => r.bracket === note.bracket);
        if (!rung) this.state.rungs.push((rung = { bracket: note.bracket, rung: note.rung, ...begun.get(note.bracket)!, members: [], waiting: [] }));
        rung.members.push(this.problem.space.key(told.genes));
      }
      inside.push(...this.#settle(told));
    });
    Object.assign(this.state, structuredClone(kept));
    return inside;
  }
}

const isFull = (told: Told): boolean => (told.fidelity ?? 1) === 1;

/** As the optimizer inside knows it. */
function inward(told: Told, key: string, results: readonly Told[]): Told {
  const inner = noteOf(told)!.inner;
  const partial = results.flatMap(({ state, fidelity = 1, objectives, violations }) => (state === 'failed' || fidelity === 1 ? [] : [{ fidelity, objectives, violations }]));
  return { ...told, key, note: inner ?? undefined, ...(partial.length > 0 ? { partial } : {}) };
}

function noteOf(told: { readonly note?: Json | undefined }): Note | null {
  const { note } = told;
  return note !== null && typeof note === 'object' && !Array.isArray(note) && 'bracket' in note && 'rung' in note ? (note as unknown as Note) : null;
}

/** Successive halving over `problem.fidelities` around an optimizer; settings are the optimizer's. Without fidelities: the optimizer itself, with notes of its own. */
export function halving(optimizer: Optimizer): Optimizer {
  const self = { name: `halving(${optimizer.name})`, version: VERSION * VERSION_STEP + optimizer.version };
  const within = ({ fidelities, ...problem }: SearchProblem): SearchProblem => {
    const rungs = fidelities?.length ?? 1;
    const eta = rungs > 1 ? Math.round(fidelities![1]! / fidelities![0]!) : 1;
    // Of a bracket's evaluations those of the first rung are of new points.
    const share = eta === 1 ? 1 : (1 - 1 / eta) / (1 - eta ** -rungs);
    return { ...problem, maxTrials: problem.maxTrials === undefined ? undefined : Math.max(1, Math.floor(problem.maxTrials * share)) };
  };
  return {
    ...self,
    title: `${optimizer.title} with successive halving`,
    start(problem, settings) {
      const run = new HalvingRun(problem, self);
      run.inner = optimizer.start(within(problem), settings);
      return run;
    },
    restore(problem, snapshot, history, settings) {
      const fields = readSnapshot(snapshot, self.name, self.version);
      const run = new HalvingRun(problem, self);
      const told = run.recall(history, fields['state'] as unknown as State);
      run.inner = optimizer.restore(within(problem), fields['inner'] ?? null, told, settings);
      return run;
    },
  };
}

