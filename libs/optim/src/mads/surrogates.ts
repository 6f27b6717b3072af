/** Kriging models of every metric over the trials of a run: which trials they are made of, when their weights are learned anew. */
import type { Genes } from '@app/space';
import type { Context } from './context.js';
import type { Features } from './features.js';
import { fitHyper } from './kriging-fit.js';
import { Kriging, startHyper, type Hyper } from './kriging.js';

const MOST_POINTS = 150;
const MOST_POINTS_FITTED = 80;
const LEAST_POINTS = 6;
/** Of the points at most this part from the front. */
const FRONT_SHARE = 0.6;
/** Weights are learned anew once the history has grown by a sixth, or by so many. */
const GROWTH = { part: 1.17, most: 40 } as const;

/** What was learned last, as data: the models follow from it and the history. */
export interface Learned {
  /** objectives, then constraints; null: computed, too little known, or a constraint that never was broken */
  readonly hyper: readonly (Hyper | null)[];
  /** length of the history at that time */
  readonly points: number;
  /** indexes into the history: what the models were made of */
  readonly members: readonly number[];
}

function metric(context: Context, k: number, index: number): number | null | undefined {
  const told = context.ledger.history[index]!;
  const m = context.problem.objectives;
  return k < m ? told.objectives[k] : told.violations[k - m];
}

/** Metrics that are computed of a point, objectives then constraints: no model is needed of them. */
function computedMetrics(context: Context, genes: Genes): readonly boolean[] {
  const known = context.problem.known?.(genes);
  const { objectives, constraints } = context.problem;
  return known ? [...known.objectives, ...known.violations].map((v) => v !== null) : new Array<boolean>(objectives + constraints).fill(false);
}

/** @returns the given one while it is young enough */
export function learn(context: Context, features: Features, learned: Learned | null): Learned | null {
  const { history } = context.ledger;
  const n = history.length;
  if (n < LEAST_POINTS || (learned !== null && n < Math.min(learned.points * GROWTH.part, learned.points + GROWTH.most))) return learned;
  const members = chooseMembers(context);
  const m = context.problem.objectives;
  const computed = computedMetrics(context, history[0]!.genes);
  const hyper = Array.from({ length: m + context.problem.constraints }, (_, k) => {
    const known = members.filter((i) => metric(context, k, i) != null);
    if (computed[k] || known.length < LEAST_POINTS || (k >= m && history.every((_, i) => !(metric(context, k, i)! > 0)))) return null;
    const every = Math.max(1, known.length / MOST_POINTS_FITTED);
    const fitted = Array.from({ length: Math.min(known.length, MOST_POINTS_FITTED) }, (_, i) => known[Math.floor(i * every)]!);
    return fitHyper(features, fitted.map((i) => features.of(history[i]!.genes)), fitted.map((i) => metric(context, k, i)!), learned?.hyper[k] ?? startHyper(features), k < m);
  });
  return { hyper, points: n, members };
}

/** All of a short history; of a long one an even pick of the front, then the latest. */
function chooseMembers(context: Context): number[] {
  const n = context.ledger.history.length;
  if (n <= MOST_POINTS) return context.ledger.history.map((_, i) => i);
  const front = [...context.front()].sort((a, b) => a.f[0]! - b.f[0]!).map((e) => context.ledger.indexOf(e.key));
  const most = Math.floor(FRONT_SHARE * MOST_POINTS);
  const chosen = new Set(front.length <= most ? front : Array.from({ length: most }, (_, i) => front[Math.floor((i * front.length) / most)]!));
  for (let i = n - 1; chosen.size < MOST_POINTS; i--) chosen.add(i);
  return [...chosen].sort((a, b) => a - b);
}

export class Surrogates {
  /** objectives, then constraints */
  readonly models: readonly (Kriging | null)[];
  #upTo: number;

  constructor(readonly context: Context, readonly features: Features, readonly learned: Learned) {
    const { history } = context.ledger;
    this.models = learned.hyper.map((hyper, k) => {
      if (hyper === null) return null;
      const known = learned.members.filter((i) => metric(context, k, i) != null);
      return new Kriging(features, known.map((i) => features.of(history[i]!.genes)), known.map((i) => metric(context, k, i)!), hyper);
    });
    this.#upTo = learned.points;
    this.follow();
  }

  /** Every objective is modelled or computed. */
  get complete(): boolean {
    const computed = computedMetrics(this.context, this.context.ledger.history[0]!.genes);
    return this.models.every((x, k) => k >= this.context.problem.objectives || x !== null || computed[k]);
  }

  /** Takes in what was told since. */
  follow(): void {
    const { history } = this.context.ledger;
    for (; this.#upTo < history.length; this.#upTo++) {
      const x = this.features.of(history[this.#upTo]!.genes);
      this.models.forEach((model, k) => {
        const value = metric(this.context, k, this.#upTo);
        if (model !== null && value != null) model.append(x, value);
      });
    }
  }
}
