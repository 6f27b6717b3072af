/**
 * Mesh adaptive direct search as ask and tell, one objective or several, with granular variables, categories and a progressive barrier.
 *
 * An iteration runs through the stages of state.ts around the centres chosen from the barrier. A stage makes a queue of points; a success
 * drops what of it was not asked yet. The iteration fails, and refines its centre's mesh, when all its points are told without success.
 * A point told after its iteration ended moves the barrier, never a mesh.
 */
import { Rng, Sobol } from '@app/numeric';
import { dominates, weaklyDominates } from '@app/pareto';
import type { Genes, SearchSpace } from '@app/space';
import type { Candidate, Json, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { Barrier, covers, type Listed } from './barrier.js';
import { chooseCentres } from './centres.js';
import { freeCategories, freeCoordinates, type Context, type Proposal } from './context.js';
import { Features } from './features.js';
import { Acquisition } from './distance-search.js';
import { evaluated, violationScales, type Evaluated } from './evaluated.js';
import { initialMesh, isFinest, meshAxes, refined, type Mesh, type MeshAxis } from './granular-mesh.js';
import { coefficients, localModel, type LocalModel } from './local-model.js';
import { farthestPoint, fillPoint } from './restart.js';
import type { MadsSettings } from './settings.js';
import { stagePoints } from './stages.js';
import { learn, Surrogates } from './surrogates.js';
import { initialState, MARGIN, noteOf, STAGES, type Iteration, type MadsState, type Stage } from './state.js';

export const NAME = 'mads';
export const VERSION = 9;

/** After this many searches in a row that ended the iteration, the poll has its turn. */
const SEARCHES_IN_ROW = 12;
/** From twice so many trials on the learned distances have a turn only every second generation, and so on: the cost of a trial stays bounded. */
const ACQUISITION_EASE = 300;
/** The latest told points that a local model looks through. */
const MOST_KIN = 2000;
const POLL = STAGES.indexOf('poll');
const JUMP = STAGES.indexOf('jump');
/** Points a stage makes besides the first, one after the other's outcome. */
const REPEATS: Partial<Record<Stage, number>> = { 'nelder-mead': 1 };
type Turn = Readonly<Partial<Record<Stage, Stage>>>;
/** In every second generation the quadratic models search before the learned distances. */
const TURNED: Turn = { distance: 'model', model: 'distance' };
/**
 * From so many objectives on hardly a point is dominated, so whatever searches first keeps the turn: while fewer trials are told than this
 * part of a full quadratic's coefficients, the middle of the widest gap, which needs no model, is first every third time.
 */
const MANY_OBJECTIVES = 3;
const SCARCE = 0.6;
const TURNS: readonly Turn[] = [{}, TURNED, { distance: 'middle', middle: 'distance' }];
/** Steps whose successes give a direction to go on along. */
const DIRECTIONAL = ['poll', 'poll-second', 'speculative', 'extended'];

export class MadsRun implements OptimizerRun, Context {
  readonly space: SearchSpace;
  readonly axes: readonly (MeshAxis | null)[];
  readonly ledger: Ledger;
  readonly features: Features;
  readonly sobol: Sobol;
  barrier: Barrier;
  rng: Rng;
  state: MadsState = initialState();
  #front: Evaluated[] = [];
  readonly #successes: Evaluated[] = [];
  readonly #kin = new Map<string, Told[]>();
  /** number of parameters on the mesh */
  readonly #ordered: number;
  /** no categories and no conditions: all points are kin */
  readonly #alike: boolean;
  #model: { readonly at: string; readonly value: LocalModel | null } | null = null;
  #surrogates: Surrogates | null = null;
  #acquisition: { readonly at: string; readonly value: Acquisition | null } | null = null;

  constructor(readonly problem: SearchProblem, readonly settings: MadsSettings, pending: Json = [], history: readonly Told[] = []) {
    this.space = problem.space;
    this.axes = meshAxes(problem.space);
    this.features = new Features(problem.space);
    this.ledger = new Ledger(problem, pending, history);
    this.sobol = new Sobol(problem.space.dimension, problem.seed);
    this.barrier = new Barrier(this.axes);
    this.rng = Rng.of(problem.seed, NAME);
    this.#ordered = this.axes.filter((a) => a !== null).length;
    this.#alike = problem.space.parameters.every((p, i) => (this.axes[i] !== null || problem.space.sizes[i] === 1) && Object.keys(p.when ?? {}).length === 0);
    for (const told of this.ledger.history) this.#enrol(told);
  }

  static restore(problem: SearchProblem, snapshot: Json, history: readonly Told[], settings: MadsSettings): MadsRun {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const run = new MadsRun(problem, settings, fields['pending'], history);
    run.rng = Rng.fromState(fields['rng'] as number[]);
    run.state = structuredClone(fields['state']) as unknown as MadsState;
    if (run.state.scales === null) return run;
    run.barrier.hmax = (fields['hmax'] as number | null) ?? Infinity;
    const meshes = fields['meshes'] as Readonly<Record<string, number[]>>;
    run.ledger.history.forEach((told, i) => run.#admit(told, i));
    for (const l of [...run.barrier.feasible, ...run.barrier.infeasible]) l.mesh = meshes[l.point.key] ?? initialMesh(run.axes);
    return run;
  }

  get screened(): number {
    return this.ledger.screened;
  }

  snapshot(): Json {
    const plain = initialMesh(this.axes);
    const moved = [...this.barrier.feasible, ...this.barrier.infeasible].filter((l) => l.mesh.some((level, i) => level !== plain[i]));
    return {
      optimizer: NAME,
      version: VERSION,
      rng: this.rng.state(),
      state: structuredClone(this.state) as unknown as Json,
      hmax: Number.isFinite(this.barrier.hmax) ? this.barrier.hmax : null,
      meshes: Object.fromEntries(moved.map((l) => [l.point.key, [...l.mesh]])),
      pending: this.ledger.pendingState(),
    };
  }

  get scales(): readonly number[] {
    return this.state.scales ?? new Array<number>(this.problem.constraints).fill(1);
  }

  front(): readonly Evaluated[] {
    return this.#front;
  }

  successes(): readonly Evaluated[] {
    return this.#successes;
  }

  meshOf(key: string): Mesh {
    return this.barrier.find(key)?.mesh ?? initialMesh(this.axes);
  }

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n && !this.ledger.exhausted) {
      const candidate = this.#first() ?? this.#next();
      if (candidate === null) break;
      out.push(candidate);
    }
    return out;
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) {
      if (!this.ledger.settle(told)) continue;
      this.#enrol(this.ledger.history.at(-1)!);
      this.#learnFrom(told);
    }
  }

  /** Start points, then the design. */
  #first(): Candidate | null {
    const start = this.ledger.nextStart();
    if (start !== null) return this.ledger.propose(start, 'start');
    const known = this.ledger.history.length + this.ledger.pending.size;
    return this.state.scales === null && known < this.#designSize() ? this.#sobolPoint() : null;
  }

  /** Start points and trials of others included. */
  #designSize(): number {
    const { maxTrials, start } = this.problem;
    const given = start?.length ?? 0;
    const usual = Math.max(given > 0 ? 0 : 1, Math.min(2 * (this.space.dimension + 1), 20) - given);
    return given + (this.settings.initialPoints ?? Math.min(usual, Math.max(given > 0 ? 0 : 1, Math.floor((maxTrials ?? Infinity) / 3))));
  }

  #sobolPoint(): Candidate | null {
    const genes = this.ledger.drawUnseen(this.rng, () => this.space.fromUnit(this.sobol.point(this.state.sobolIndex++)));
    if (genes === null) return null;
    if (this.state.sobolIndex === 0) this.state.sobolIndex = 1;
    return this.ledger.propose(genes, 'mads:sobol');
  }

  #next(): Candidate | null {
    if (this.state.scales === null) {
      if (this.ledger.pending.size > 0) return this.#sobolPoint();
      this.#openBarrier();
    }
    for (;;) {
      const it = this.state.iteration;
      if (it === null) {
        if (this.#begin()) continue;
        return this.ledger.pending.size > 0 ? this.#fill() : this.#restart();
      }
      const proposal = it.queue.shift();
      if (proposal) {
        if (this.ledger.has(this.space.key(proposal.genes))) continue;
        return this.#proposeFor(it, proposal);
      }
      if (it.open.length > 0) return this.#fill();
      this.#advance(it);
    }
  }

  #openBarrier(): void {
    this.state.scales = violationScales(this.ledger.history, this.problem.constraints);
    this.ledger.history.forEach((told, i) => this.#admit(told, i));
  }

  #begin(): boolean {
    const centres = chooseCentres(this.barrier, new Set(this.state.done));
    if (centres === null) return false;
    this.state.generation++;
    this.state.iteration = { primary: centres.primary.point.key, secondary: centres.secondary?.point.key ?? null, stage: -1, repeats: 0, queue: [], open: [], polled: [], improving: false };
    return true;
  }

  #proposeFor(it: Iteration, p: Proposal): Candidate {
    const note: Json = { generation: this.state.generation, from: p.from, mesh: [...p.mesh], along: p.along, step: p.step };
    const candidate = this.ledger.propose(p.genes, `mads:${p.step}`, note);
    it.open.push(candidate.key);
    if (p.step === 'poll' && p.from === it.primary) it.polled.push(p.genes);
    return candidate;
  }

  /** Fills the queue from the next stage, or from this one again where it goes on; ends the iteration after the last. */
  #advance(it: Iteration): void {
    const present = STAGES[it.stage];
    if (present !== undefined && it.repeats < (REPEATS[this.#turned(present)] ?? 0)) {
      it.repeats++;
      it.queue = stagePoints(this, it, this.#turned(present));
      if (it.queue.length > 0) return;
    }
    it.repeats = 0;
    it.stage++;
    if (it.stage < JUMP && this.state.searchesInRow >= SEARCHES_IN_ROW) it.stage = JUMP;
    const stage = STAGES[it.stage];
    if (stage === undefined) this.#conclude(it, it.improving ? 'improving' : 'failure');
    else it.queue = stagePoints(this, it, this.#turned(stage));
  }

  /** What stands in the place of a stage in this generation. */
  #turned(stage: Stage): Stage {
    const { objectives } = this.problem;
    const scarce = objectives >= MANY_OBJECTIVES && this.ledger.history.length < SCARCE * coefficients(this.#ordered);
    const turn = scarce ? TURNS[this.state.generation % TURNS.length]! : objectives === 1 || this.state.generation % 2 === 1 ? TURNED : {};
    return turn[stage] ?? stage;
  }

  #conclude(it: Iteration, how: 'success' | 'improving' | 'failure'): void {
    const { barrier } = this;
    const centre = barrier.find(it.primary);
    const infeasible = [it.primary, it.secondary].map((k) => (k === null ? undefined : barrier.find(k))).find((l) => l !== undefined && l.point.h > 0);
    if (infeasible) {
      const h = infeasible.point.h;
      const below = barrier.infeasible.map((l) => l.point.h).filter((v) => v < h);
      barrier.lower(how === 'improving' && below.length > 0 ? Math.max(...below) : h);
    }
    if (how === 'failure' && centre) {
      if (isFinest(this.axes, centre.mesh)) this.state.done.push(it.primary);
      centre.mesh = refined(this.axes, centre.mesh);
    }
    if (how !== 'success') this.state.searchesInRow = 0;
    this.state.done = this.state.done.filter((key) => barrier.find(key));
    this.state.iteration = null;
  }

  /** Updates front, barrier and, if the point belongs to it, the iteration. */
  #learnFrom(told: Told): void {
    if (this.state.scales === null) return;
    const it = this.state.iteration;
    const note = noteOf(told.note);
    const own = it !== null && it.open.includes(told.key);
    const centres = it === null ? [] : [it.primary, it.secondary].flatMap((k) => (k === null ? [] : (this.barrier.find(k) ?? [])));
    const hadFeasible = this.barrier.feasible.length > 0;
    const { point, insertion } = this.#admit(told, this.ledger.history.length - 1);
    if (it === null || !own) return;
    it.open = it.open.filter((k) => k !== told.key);
    if (note?.step === 'model' && point !== null) {
      this.state.margin = point.h === 0 ? Math.max(MARGIN.least, this.state.margin / 10) : Math.min(MARGIN.most, this.state.margin * 10);
    }
    if (point === null || insertion === 'rejected') return;
    const searching = it.stage < POLL;
    const against = centres.filter((c) => (c.point.h > 0) === (point.h > 0));
    const full = point.h === 0
      ? !hadFeasible || (against.length > 0 ? against.some((c) => dominates(point.f, c.point.f)) : insertion === 'dominating') || searching
      : against.some((c) => covers(point, c.point)) || (!hadFeasible && centres.every((c) => point.h < c.point.h));
    if (full) {
      this.state.searchesInRow = searching ? this.state.searchesInRow + 1 : 0;
      this.#rememberStep(told, note !== null && DIRECTIONAL.includes(note.step));
      if (this.settings.opportunistic || searching) this.#conclude(it, 'success');
    } else if (point.h > 0 && centres.some((c) => c.point.h > point.h)) it.improving = true;
  }

  #rememberStep(told: Told, along: boolean): void {
    const from = noteOf(told.note)?.from;
    const parent = from === undefined ? undefined : this.ledger.told(from);
    this.state.lastStep = parent && along ? { to: told.key, step: told.genes.map((g, i) => (this.axes[i] ? g - parent.genes[i]! : 0)), speculated: false } : null;
  }

  /** Into the front of the run and, if it is of this epoch, the barrier. */
  #admit(told: Told, index: number): { point: Evaluated | null; insertion: 'rejected' | 'listed' | 'dominating' } {
    const point = evaluated(told, this.scales);
    if (point === null) return { point, insertion: 'rejected' };
    if (point.h === 0 && !this.#front.some((e) => weaklyDominates(e.f, point.f))) {
      this.#front = this.#front.filter((e) => !weaklyDominates(point.f, e.f));
      this.#front.push(point);
      this.#successes.push(point);
    }
    if (index < this.state.epoch) return { point, insertion: 'rejected' };
    const note = noteOf(told.note);
    const parent = note?.along ? this.ledger.told(note.from) : undefined;
    const step = parent ? told.genes.map((g, i) => (this.axes[i] ? g - parent.genes[i]! : 0)) : null;
    return { point, insertion: this.barrier.insert(point, note?.mesh ?? initialMesh(this.axes), step) };
  }

  /** For idle askers while an iteration waits: points beside the queue, which move no mesh. */
  #fill(): Candidate | null {
    const p = fillPoint(this);
    if (p === null) return this.#sobolPoint();
    return this.ledger.propose(p.genes, 'mads:fill', { generation: -1, from: p.from, mesh: [...p.mesh], along: p.along, step: p.step });
  }

  /** Every listed point is polled to the end: a new barrier from the least explored place on. */
  #restart(): Candidate | null {
    const genes = farthestPoint(this);
    if (genes === null) return null;
    this.state.epoch = this.ledger.history.length;
    this.state.done = [];
    this.state.lastStep = null;
    this.barrier = new Barrier(this.axes);
    return this.ledger.propose(genes, 'mads:restart');
  }

  /** Of the present history; null: too little known, or not the turn of this generation in a long run. */
  acquisition(): Acquisition | null {
    if (this.state.generation % Math.max(1, Math.floor(this.ledger.history.length / ACQUISITION_EASE)) !== 0) return null;
    const at = `${this.ledger.history.length} ${this.state.generation}`;
    if (this.#acquisition?.at === at) return this.#acquisition.value;
    const surrogates = this.#follow();
    const value = surrogates?.complete ? new Acquisition(this, surrogates, Rng.of(this.problem.seed, NAME, 'acquisition', this.ledger.history.length, this.state.generation)) : null;
    this.#acquisition = { at, value };
    return value;
  }

  /** Models of all that is told; null: too little of it. */
  #follow(): Surrogates | null {
    const learned = learn(this, this.features, this.state.learned);
    if (learned === null) return null;
    if (this.#surrogates === null || learned !== this.state.learned) this.#surrogates = new Surrogates(this, this.features, learned);
    else this.#surrogates.follow();
    this.state.learned = learned;
    return this.#surrogates;
  }

  model(centre: Listed): LocalModel | null {
    const at = `${this.ledger.history.length} ${centre.point.key} ${centre.mesh.join()}`;
    if (this.#model?.at !== at) this.#model = { at, value: localModel(this, centre) };
    return this.#model.value;
  }

  kin(genes: Genes): readonly Told[] {
    return (this.#kin.get(this.#signature(genes)) ?? []).slice(-MOST_KIN);
  }

  /** Categories and what is active. */
  #signature(genes: Genes): string {
    if (this.#alike) return '';
    const active = this.space.active(genes);
    return genes.map((g, i) => (!active[i] ? '-' : this.axes[i] ? '' : g)).join();
  }

  #enrol(told: Told): void {
    const signature = this.#signature(told.genes);
    const list = this.#kin.get(signature);
    if (list) list.push(told);
    else this.#kin.set(signature, [told]);
  }

  free(genes: Genes): { readonly coordinates: number[]; readonly categories: number[] } {
    return { coordinates: freeCoordinates(this, genes), categories: freeCategories(this, genes) };
  }
}
