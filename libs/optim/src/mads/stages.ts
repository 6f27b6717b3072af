/** The points of each stage of an iteration. */
import { categoricalNeighbours } from './categorical-poll.js';
import { freeCategories, freeCoordinates, type Proposal } from './context.js';
import type { Listed } from './barrier.js';
import { distancePoint } from './distance-search.js';
import { jump } from './jump.js';
import type { MadsRun } from './mads-run.js';
import { middlePoint } from './middle-point.js';
import { goalFor, modelPoint, rankByModel } from './model-search.js';
import { nelderMead } from './nelder-mead.js';
import { completingPoint, pollAround, pollPair, speculate, type Ranking } from './quantitative-poll.js';
import type { Iteration, Stage } from './state.js';

/** Slack of the extended poll, as a part of the observed range of each objective. */
const XI = 0.05;

export function stagePoints(run: MadsRun, it: Iteration, stage: Stage): Proposal[] {
  const { settings } = run;
  const centre = run.barrier.find(it.primary);
  const second = it.secondary === null ? undefined : run.barrier.find(it.secondary);
  if (!centre) return [];
  switch (stage) {
    case 'speculative':
      return settings.speculativeSearch ? speculativePoint(run) : [];
    case 'distance': {
      const acquisition = settings.distanceSearch ? run.acquisition() : null;
      return acquisition ? distancePoint(run, acquisition) : [];
    }
    case 'model': {
      const model = settings.modelSearch ? run.model(centre) : null;
      return model ? modelPoint(run, centre, model, run.state.margin) : [];
    }
    case 'model-second': {
      const model = settings.modelSearch && second ? run.model(second) : null;
      return model ? modelPoint(run, second!, model, run.state.margin) : [];
    }
    case 'nelder-mead':
      return settings.nelderMeadSearch && run.problem.objectives === 1 ? nelderMead(run, centre) : [];
    case 'jump':
      return settings.jumpSearch ? jump(run) : [];
    case 'middle':
      return settings.middleSearch ? middlePoint(run) : [];
    case 'poll': {
      const half = settings.directions === 'n+1';
      return [...pollAround(run, centre, half, ranking(run, centre)), ...(second && worthPolling(run, centre, second) ? pollPair(run, second) : [])];
    }
    case 'poll-last': {
      const half = settings.directions === 'n+1';
      return half && it.polled.length > 0 ? completingPoint(run, centre, it.polled, settings.modelSearch && run.problem.objectives === 1 ? run.model(centre) : null) : [];
    }
    case 'categorical':
      return categoricalPoll(run, centre);
    case 'extended':
      return extendedPoll(run, centre);
  }
}

/** With one objective an infeasible secondary centre that is no better than the feasible primary one has nothing to lead to. */
function worthPolling(run: MadsRun, centre: Listed, second: Listed): boolean {
  return run.problem.objectives > 1 || second.point.h === 0 || centre.point.h > 0 || second.point.f[0]! < centre.point.f[0]!;
}

function speculativePoint(run: MadsRun): Proposal[] {
  const last = run.state.lastStep;
  const from = last && !last.speculated ? run.barrier.find(last.to) : undefined;
  if (!last || !from) return [];
  last.speculated = true;
  return speculate(run, from, last.step);
}

/** By the quadratic model if there is one, else by the angle to the last success. */
function ranking(run: MadsRun, centre: Listed): Ranking {
  const model = run.settings.modelSearch ? run.model(centre) : null;
  if (model) {
    const goal = goalFor(run, centre, model);
    return (proposals) => rankByModel(model, goal, proposals);
  }
  const last = run.state.lastStep?.step;
  if (!last) return (proposals) => proposals;
  const cosine = (p: Proposal): number => {
    const move = p.genes.map((g, i) => (run.axes[i] ? (g - centre.point.genes[i]!) / run.axes[i].range : 0));
    const dot = move.reduce((s, v, i) => s + (v * last[i]!) / (run.axes[i]?.range ?? 1), 0);
    return dot / (Math.hypot(...move) || 1);
  };
  return (proposals) => [...proposals].sort((a, b) => cosine(b) - cosine(a));
}

/**
 * Unseen neighbours, the best predicted first: half as many as there are categories an iteration, so that the searches, which learn from
 * each, come between. The point is poll-optimal only when none is left.
 */
function categoricalPoll(run: MadsRun, centre: Listed): Proposal[] {
  const categories = freeCategories(run, centre.point.genes);
  if (categories.length === 0) return [];
  const batch = Math.max(1, Math.floor(categories.length / 2));
  const acquisition = run.acquisition();
  const hamming = (genes: readonly number[]): number => genes.reduce((s, g, i) => s + (g === centre.point.genes[i] ? 0 : 1), 0);
  const neighbours = categoricalNeighbours(run, centre, acquisition ? (genes) => acquisition.distance(centre.point.genes, genes) : hamming);
  if (!acquisition) return neighbours.slice(0, batch);
  return neighbours.map((p) => ({ p, score: acquisition.score(p.genes) })).sort((a, b) => b.score - a.score).map((s) => s.p).slice(0, batch);
}

/** Around the best categorical neighbour that is hardly worse than the centre, its quantitative frame, once. */
function extendedPoll(run: MadsRun, centre: Listed): Proposal[] {
  const c = centre.point;
  if (freeCategories(run, c.genes).length === 0 || freeCoordinates(run, c.genes).length === 0 || c.h > 0) return [];
  const categories = freeCategories(run, c.genes);
  const known = run.ledger.history.filter((t) => t.objectives.every((v) => v !== null));
  const ranges = c.f.map((_, j) => {
    const column = known.map((t) => t.objectives[j]!);
    return Math.max(...column) - Math.min(...column);
  });
  const near = known
    .filter((t) => t.key !== c.key && t.state === 'completed' && categories.some((i) => t.genes[i] !== c.genes[i]) && run.axes.every((a, i) => a === null || t.genes[i] === c.genes[i]))
    .map((told) => ({ told, worse: Math.max(...c.f.map((v, j) => (told.objectives[j]! - v) / (ranges[j]! || 1))) }))
    .filter((n) => n.worse <= XI)
    .sort((a, b) => a.worse - b.worse)[0];
  if (!near) return [];
  const point = { key: near.told.key, genes: near.told.genes, f: near.told.objectives.map((v) => v!), h: 0 };
  return pollAround(run, { point, mesh: centre.mesh }, true, (proposals) => proposals, 'extended');
}
