/**
 * Bayesian optimisation as ask and tell: Sobol design, then log expected hypervolume improvement (log expected improvement for one
 * objective) on exact Gaussian processes, limits by their probability, failures learned, pending points believed.
 *
 * An ask depends on the told points, the pending ones, θ and a few counters only; θ is the one thing learned that the snapshot holds,
 * since it comes from local searches that start at the previous θ.
 */
import { Rng, Sobol } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Candidate, Json, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { Ledger, readSnapshot } from '../ledger.js';
import { Acquisition } from './acquisition.js';
import { FeatureMap } from './features.js';
import { maximiseAcquisition, type Spot } from './maximise.js';
import { modelPoints } from './model-points.js';
import { Observations, type Observation } from './observations.js';
import type { BoSettings } from './settings.js';
import { Learner, thetaSize, type Fits, type Surrogates } from './surrogates.js';
import { afterOutcome, boxAround, centreAt, centresOf, entersFront, FRESH_LENGTH, localPoints, type RegionLength } from './trust-region.js';
import { WatchedPoints } from './watched-points.js';

export const NAME = 'bo';
export const VERSION = 7;

/** A finite space is looked at point by point if it is this small and the covariances kept for that take at most so many places. */
const LISTED_UP_TO = 50_000;
const LISTING_PLACES = 2.5e7;

/** More parameters are searched in trust regions as well. */
const REGIONS_FROM = 20;
const REGION_STEP = 'bo:trust-region';

interface State {
  readonly sobolIndex: number;
  /** candidates proposed from models */
  readonly turn: number;
  /** told points when all θ were fitted last */
  readonly fittedAt: number;
  readonly fits: Fits;
  readonly region: RegionLength;
}

interface Listed {
  readonly genes: Genes;
  readonly key: string;
  readonly features: Float64Array;
}

export class BoRun implements OptimizerRun {
  readonly #sobol: Sobol;
  readonly #learner: Learner;
  readonly #map: FeatureMap;
  readonly #ledger: Ledger;
  readonly #observations = new Observations();
  #state: State = { sobolIndex: 0, turn: 0, fittedAt: 0, fits: {}, region: FRESH_LENGTH };
  /** caches only */
  #listed: Listed[] | null = null;
  readonly #watched: WatchedPoints[] = [];

  constructor(readonly problem: SearchProblem, readonly settings: BoSettings, pending: Json = [], history: readonly Told[] = []) {
    this.#sobol = new Sobol(problem.space.dimension, problem.seed);
    this.#map = new FeatureMap(problem.space);
    this.#learner = new Learner(problem, this.#map, settings.noise);
    this.#ledger = new Ledger(problem, pending, history);
  }

  static restore(problem: SearchProblem, snapshot: Json, history: readonly Told[], settings: BoSettings): BoRun {
    const fields = readSnapshot(snapshot, NAME, VERSION);
    const run = new BoRun(problem, settings, fields['pending'], history);
    const state = structuredClone(fields['state']) as unknown as State;
    // A space may have come to know more of its points since: what was fitted without it is fitted anew.
    const fits = Object.fromEntries(Object.entries(state.fits).filter(([name, { theta }]) => theta.length === thetaSize(name, run.#map)));
    run.#state = { ...state, fits };
    return run;
  }

  get screened(): number {
    return this.#ledger.screened;
  }

  snapshot(): Json {
    return { optimizer: NAME, version: VERSION, state: structuredClone(this.#state) as unknown as Json, pending: this.#ledger.pendingState() };
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) {
      const fresh = this.#ledger.settle(told);
      if (!fresh || told.proposedBy !== REGION_STEP) continue;
      const region = afterOutcome(this.#state.region, entersFront(told, this.#ledger.history), this.problem.space.dimension);
      this.#state = { ...this.#state, region };
    }
  }

  ask(n: number): Candidate[] {
    const out: Candidate[] = [];
    while (out.length < n && !this.#ledger.exhausted) {
      const candidate = this.#next();
      if (candidate === null) break;
      out.push(candidate);
    }
    return out;
  }

  #next(): Candidate | null {
    const start = this.#ledger.nextStart();
    if (start !== null) return this.#ledger.propose(start, 'start');
    if (this.#ledger.history.length + this.#ledger.pending.size < this.#designSize()) return this.#sobolPoint();
    return this.#modelPoint() ?? this.#sobolPoint();
  }

  #designSize(): number {
    const usual = Math.min(2 * (this.problem.space.dimension + 1), 20);
    return this.settings.initialPoints ?? Math.max(2, Math.min(usual, Math.floor((this.problem.maxTrials ?? Infinity) / 3)));
  }

  #sobolPoint(): Candidate | null {
    let index = this.#state.sobolIndex;
    const rng = Rng.of(this.problem.seed, NAME, 'unseen', index);
    const genes = this.#ledger.drawUnseen(rng, () => this.problem.space.fromUnit(this.#sobol.point(index++)));
    // At least one on, so that the next draw among the unseen is another one.
    this.#state = { ...this.#state, sobolIndex: Math.max(index, this.#state.sobolIndex + 1) };
    return genes === null ? null : this.#ledger.propose(genes, 'bo:sobol');
  }

  /** null: nothing to learn from yet, or every point that was looked at is taken */
  #modelPoint(): Candidate | null {
    const { pending } = this.#ledger;
    const history = this.#observations.of(this.#ledger.history);
    const cap = this.settings.modelPoints;
    const thinned = modelPoints(history, cap);
    this.#refit(history, thinned);
    const { turn, fits, region } = this.#state;
    const theta = (fits['f0@'] ?? fits['f0'])?.theta ?? null;
    // In many dimensions every other ask, beyond the points a process can carry every one.
    const centres = thinned.length < history.length || (this.problem.space.dimension > REGIONS_FROM && turn % 2 === 1) ? centresOf(history) : [];
    const centre = centreAt(centres, Math.floor(turn / 2));
    const kept = centre === undefined || thinned.length === history.length ? thinned : localPoints(this.#learner.featuresOf(history), centre, centres, cap, this.#map, theta);
    const surrogates = this.#learner.build(history, [...pending.values()].map((c) => c.genes), kept, fits, turn, this.settings.kappa);
    if (surrogates === null) return null;
    this.#state = { ...this.#state, turn: turn + 1 };
    const { space } = this.problem;
    const aids = {
      space,
      map: this.#map,
      taken: (key: string): boolean => this.#ledger.has(key),
      open: (genes: Genes): boolean => this.#ledger.isOpen(genes),
      elite: surrogates.elite,
      box: centre === undefined ? null : boxAround(this.problem.space, this.#map, history[centre]!.genes, region.length, theta),
      candidates: this.settings.candidates,
      localSearches: this.settings.localSearches,
      rng: Rng.of(this.problem.seed, NAME, 'search', turn),
    };
    const listed = this.#canList(surrogates);
    const spot = listed ? this.#bestOfAll(surrogates.acquisition) : maximiseAcquisition(surrogates.acquisition, aids);
    if (spot === null) return null;
    const gain = `bo:log-${surrogates.acquisition instanceof Acquisition ? '' : 'n'}${this.problem.objectives === 1 ? 'ei' : 'ehvi'}`;
    const step = centre !== undefined && !listed ? REGION_STEP : this.settings.kappa !== null ? 'bo:lcb' : gain;
    return this.#ledger.propose(spot.genes, step, surrogates.reference === null ? undefined : { reference: [...surrogates.reference] });
  }

  /** All θ at every tell up to 40 told points, every 5 up to 300, every 20 above; a model that is new at once. */
  #refit(history: readonly Observation[], thinned: readonly number[]): void {
    const { fits, fittedAt, turn } = this.#state;
    const told = this.#ledger.history.length;
    const due = told - fittedAt >= (told <= 40 ? 1 : told <= 300 ? 5 : 20);
    if (!due && this.#learner.names(history, thinned, turn).every((name) => name in fits)) return;
    const fitted = this.#learner.fit(history, thinned, fits, turn, (name) => due || !(name in fits));
    this.#state = { ...this.#state, fits: fitted, fittedAt: due ? told : fittedAt };
  }

  #canList({ models, points }: Surrogates): boolean {
    const { cardinality } = this.problem.space;
    return cardinality <= LISTED_UP_TO && points <= this.settings.modelPoints && cardinality * models * points <= LISTING_PLACES;
  }

  /** The best open point of all; null if there is none. */
  #bestOfAll(acquisition: Surrogates['acquisition']): Spot | null {
    const { space } = this.problem;
    this.#listed ??= Array.from(space.enumerate(), (genes) => ({ genes, key: space.key(genes), features: this.#map.of(genes) })).filter((p) => this.#ledger.excess(p.genes) === 0);
    const points = this.#listed;
    if (points.length === 0) return null;
    const values = !(acquisition instanceof Acquisition) ? acquisition.values(points) : acquisition.valuesOfWatched(points, (process, place) => (this.#watched[place] ??= new WatchedPoints(points.map((p) => p.features))).predict(process));
    let best = -1;
    points.forEach((p, i) => {
      if ((best < 0 || values[i]! > values[best]!) && !this.#ledger.has(p.key)) best = i;
    });
    return best < 0 ? null : { ...points[best]!, value: values[best]! };
  }
}
