import { createSearchSpace, type Genes } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { bo } from '../bo/bo.js';
import { nsga2 } from '../evolution/nsga2.js';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { mads } from '../mads/mads.js';
import { random } from '../random/random.js';
import { tpe } from '../tpe/tpe.js';
import { halving } from './halving.js';

examineOptimizer(halving(nsga2));

const space = createSearchSpace([{ name: 'x', type: 'int', min: 0, max: 400 }, { name: 'y', type: 'int', min: 0, max: 400 }, { name: 'k', type: 'categorical', values: ['a', 'b', 'c'] }]);
const problem = (objectives: number): SearchProblem => ({ space, objectives, constraints: 1, seed: 5, maxTrials: 200, fidelities: [1 / 9, 1 / 3, 1] });

/** Error of a network after a share of its training, falling by a power law from 1 at rates of its own, and its size, known at once. */
function learned([x, y, k]: Genes, fidelity: number, objectives: number): Told['objectives'] {
  const rest = 0.05 + ((x! - 270) / 400) ** 2 + ((y! - 60) / 400) ** 2 + 0.03 * k!;
  const rate = 0.4 + ((x! * 7 + y! * 3) % 11) / 20;
  const error = rest + (1 - rest) * 0.3 * ((1 + 9 * fidelity) ** -rate - 10 ** -rate);
  return [error, (x! + y!) / 800].slice(0, objectives);
}

const settle = (c: Candidate, objectives: number): Told => {
  const failed = c.genes[0]! % 17 === 0;
  return { ...c, state: failed ? 'failed' : 'completed', objectives: failed ? new Array<null>(objectives).fill(null) : learned(c.genes, c.fidelity ?? 1, objectives), violations: [failed ? null : -1] };
};

interface Played { readonly run: OptimizerRun; readonly asked: Candidate[]; readonly history: Told[] }

/** Rounds of n, as an engine does; `each` sees the run between them. */
function play(run: OptimizerRun, p: SearchProblem, n: number, trials: number, each?: (state: Played) => OptimizerRun): Played {
  let state: Played = { run, asked: [], history: [] };
  while (state.asked.length < trials) {
    const fresh = state.run.ask(Math.min(n, trials - state.asked.length));
    if (fresh.length === 0) break;
    state.asked.push(...fresh);
    const settled = fresh.map((c) => settle(c, p.objectives));
    state.run.tell(settled);
    state.history.push(...settled);
    if (each) state = { ...state, run: each(state) };
  }
  return state;
}

const rungOf = (c: Candidate): { bracket: number; rung: number } => c.note as unknown as { bracket: number; rung: number };

describe('successive halving', () => {
  it.each([1, 2])('gives each bracket of %i objectives three rungs, every one a third of the one before', (objectives) => {
    const p = problem(objectives);
    const { asked } = play(halving(random).start(p), p, 3, objectives === 1 ? 13 * 4 : 26 * 4);
    for (const bracket of [0, 1, 2, 3]) {
      const list = asked.filter((c) => rungOf(c).bracket === bracket);
      const sizes = [1 / 9, 1 / 3, undefined].map((f) => list.filter((c) => c.fidelity === f).length);
      expect(sizes).toEqual(objectives === 1 ? [9, 3, 1] : [18, 6, 2]);
    }
    expect(new Set(asked.map((c) => c.key)).size).toBe(asked.length);
    for (const c of asked) expect(c.key).toBe(c.fidelity === undefined ? space.key(c.genes) : `${space.key(c.genes)}@${c.fidelity}`);
  });

  it.each([1, 2])('lets none rise past one of its rung that dominates it and stays behind, and no failure: %i objectives', (objectives) => {
    const p = problem(objectives);
    const { asked, history } = play(halving(random).start(p), p, 3, 160);
    const at = (c: Candidate, rung: number): boolean => rungOf(c).rung === rung;
    for (const low of history) {
      const { bracket, rung } = rungOf(low);
      const rose = (t: Told): boolean => asked.some((c) => rungOf(c).bracket === bracket && at(c, rung + 1) && space.key(c.genes) === space.key(t.genes));
      if (rung === 2 || !asked.some((c) => rungOf(c).bracket === bracket && at(c, rung + 1))) continue;
      if (low.state === 'failed') expect(rose(low)).toBe(false);
      else if (!rose(low)) {
        const worse = history.filter((t) => rungOf(t).bracket === bracket && at(t, rung) && t.state !== 'failed' && t.objectives.every((v, j) => v! > low.objectives[j]!));
        expect(worse.filter((t) => rose(t) && asked.filter((c) => rungOf(c).bracket === bracket && at(c, rung + 1)).length > 0)).toEqual([]);
      }
    }
  });

  it.each([[random, 1], [mads, 4], [tpe, 3], [nsga2, 5], [bo, 3]] as const)('carries on from its snapshot exactly, open brackets and all: %o in rounds of %i', (optimizer, n) => {
    const p = problem(2);
    const method = halving(optimizer);
    const whole = play(method.start(p), p, n, 90);
    const relay = play(method.start(p), p, n, 90, ({ run, history }) => {
      const twin = method.restore(p, JSON.parse(JSON.stringify(run.snapshot())) as Json, history);
      expect(twin.snapshot()).toEqual(JSON.parse(JSON.stringify(run.snapshot())));
      return twin;
    });
    expect(relay.asked).toEqual(whole.asked);
  });

  it('takes candidates of another halving as knowledge, full evaluations only, and carries on from a snapshot after', () => {
    const p = problem(1);
    const method = halving(tpe);
    const { history } = play(halving(random).start(p), p, 1, 26);
    const run = method.start(p);
    run.ask(2);
    run.tell(history);
    const twin = method.restore(p, JSON.parse(JSON.stringify(run.snapshot())) as Json, history);
    for (let i = 0; i < 12; i++) {
      const fresh = run.ask(2);
      expect(twin.ask(2)).toEqual(fresh);
      for (const r of [run, twin]) r.tell(fresh.map((c) => settle(c, 1)));
    }
    expect(twin.snapshot()).toEqual(run.snapshot());
  });

  it('tells the optimizer inside all that was told of a point, at every fidelity, once', () => {
    const p = problem(1);
    const inside: Told[] = [];
    const listening: Optimizer = {
      ...random,
      start: (inner, settings) => {
        const run = random.start(inner, settings);
        return { ask: (n) => run.ask(n), tell: (settled) => { inside.push(...settled); run.tell(settled); }, snapshot: () => run.snapshot(), screened: 0 };
      },
    };
    const { history } = play(halving(listening).start(p), p, 2, 39);
    expect(new Set(inside.map((t) => t.key)).size).toBe(inside.length);
    for (const t of inside) {
      const own = history.filter((h) => space.key(h.genes) === t.key);
      const below = own.filter((h) => h.fidelity !== undefined && h.state !== 'failed');
      expect(t.partial ?? []).toEqual(below.map(({ fidelity, objectives, violations }) => ({ fidelity, objectives, violations })));
      expect(t.fidelity ?? 1).toBe(own.at(-1)!.fidelity ?? 1);
    }
    expect(inside.filter((t) => t.partial?.length === 2).length).toBeGreaterThan(2);
  });

  it('keeps workers busy with the next bracket while a rung waits', () => {
    const p = problem(1);
    const run = halving(random).start(p);
    const first = run.ask(9);
    expect(run.ask(4).map((c) => rungOf(c).bracket)).toEqual([1, 1, 1, 1]);
    run.tell(first.map((c) => settle(c, 1)));
    expect(run.ask(4).map((c) => [rungOf(c).bracket, rungOf(c).rung])).toEqual([[0, 1], [0, 1], [0, 1], [1, 0]]);
  });

  it('spends a budget to the last trial, on brackets it can bring to their end and then on full evaluations', () => {
    for (let trials = 1; trials <= 45; trials++) {
      const p = { ...problem(1), maxTrials: trials };
      const { asked } = play(halving(random).start(p), p, 4, trials);
      expect(asked.length).toBe(trials);
      const low = asked.filter((c) => c.fidelity !== undefined).map((c) => rungOf(c).bracket);
      // unless all its points failed, a bracket has a full evaluation
      for (const bracket of new Set(low)) {
        const own = asked.filter((c) => rungOf(c).bracket === bracket);
        expect(own.some((c) => c.fidelity === undefined) || own.every((c) => settle(c, 1).state === 'failed')).toBe(true);
      }
    }
  });

  it('finds a lower error for the same cost than full evaluations do, on learning curves', () => {
    const p = problem(1);
    const cost = (list: readonly Candidate[]): number => list.reduce((s, c) => s + (c.fidelity ?? 1), 0);
    const best = (list: readonly Told[]): number => Math.min(...list.filter((t) => (t.fidelity ?? 1) === 1 && t.state === 'completed').map((t) => t.objectives[0]!));
    const seeds = [1, 2, 3, 4, 5];
    const gains = seeds.map((seed) => {
      const own = { ...p, seed };
      const halved = play(halving(random).start(own), own, 1, 13 * 12).history;
      const full = play(random.start(own), own, 1, Math.floor(cost(halved))).history;
      return best(full) - best(halved);
    });
    expect(gains.filter((g) => g > 0).length).toBeGreaterThanOrEqual(4);
  });
});
