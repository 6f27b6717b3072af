/**
 * The exam every optimizer sits. A spec file calls `examineOptimizer(optimizer)`; the checks work from the contract alone.
 */
import { describe, expect, it } from 'vitest';
import type { Genes } from '@app/space';
import type { Candidate, Json, Optimizer, OptimizerRun, SearchProblem, Told } from '../contract.js';
import { allFailBox, brokenBox, cellBox, computedBox, computedSmallBox, constantBox, continuousBox, mixedBox, neverFeasibleBox, singlePointBox, smallBox, tell, type Blackbox } from './blackboxes.js';

export interface ExamOptions {
  /** asks of the longer runs (default 40); fewer for a method that thinks long */
  readonly trials?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
}

interface Step {
  readonly ask: number;
  readonly asked: readonly Candidate[];
  readonly told: readonly Told[];
}

/** Tells in an order of its own and lets some candidates wait, so that asks meet pending ones. */
function drive(run: OptimizerRun, blackbox: Blackbox, trials: number, each?: (told: readonly Told[]) => void): { steps: Step[]; asked: Candidate[]; told: Told[] } {
  const steps: Step[] = [];
  const asked: Candidate[] = [];
  const told: Told[] = [];
  let open: Candidate[] = [];
  for (let s = 0; asked.length < trials; s++) {
    const n = Math.min([1, 3, 1, 2, 4][s % 5]!, trials - asked.length);
    const fresh = run.ask(n);
    asked.push(...fresh);
    open.push(...fresh);
    if (fresh.length === 0 && open.length === 0) break;
    const waits = s % 3 === 1 && fresh.length > 0 ? 1 : 0;
    const now = open.slice(waits).reverse();
    open = open.slice(0, waits);
    const settled = (now.length > 0 ? now : open.splice(0)).map((c) => tell(blackbox, c));
    run.tell(settled);
    told.push(...settled);
    steps.push({ ask: n, asked: fresh, told: settled });
    each?.(told);
  }
  return { steps, asked, told };
}

const throughJson = (snapshot: Json): Json => JSON.parse(JSON.stringify(snapshot)) as Json;

function expectSound(problem: SearchProblem, asked: readonly Candidate[]): void {
  const { space } = problem;
  expect(new Set(asked.map((c) => c.key)).size).toBe(asked.length);
  for (const c of asked) {
    expect(c.genes).toEqual(space.canonical(c.genes));
    expect(c.key).toBe(space.key(c.genes));
    expect(space.encode(space.decode(c.genes))).toEqual(c.genes);
    expect(c.proposedBy).toMatch(/^[a-z]/);
  }
}

export function examineOptimizer(optimizer: Optimizer, options: ExamOptions = {}): void {
  const trials = options.trials ?? 40;
  const begin = (problem: SearchProblem): OptimizerRun => optimizer.start(problem, options.settings);
  const resume = (problem: SearchProblem, snapshot: Json, history: readonly Told[]): OptimizerRun => optimizer.restore(problem, snapshot, history, options.settings);

  describe(`the exam of all optimizers: ${optimizer.name}`, () => {
    const lawful = [continuousBox(), mixedBox(1, 1), mixedBox(2, 1), mixedBox(4, 0), cellBox(3), brokenBox(), neverFeasibleBox(), smallBox(), computedBox('some')];

    it.each(lawful.map((b) => [b.name, b] as const))('carries on from its snapshot, through JSON, exactly as if never stopped: %s', (_, blackbox) => {
      const run = begin(blackbox.problem);
      let step = 0;
      drive(run, blackbox, trials, (told) => {
        if (step++ % 4 !== 3) return;
        const twin = resume(blackbox.problem, throughJson(run.snapshot()), told);
        expect(twin.snapshot()).toEqual(throughJson(run.snapshot()));
        const shadow = resume(blackbox.problem, throughJson(run.snapshot()), told);
        for (let i = 0; i < 3; i++) {
          const a = twin.ask(2);
          expect(shadow.ask(2)).toEqual(a);
          const settled = a.map((c) => tell(blackbox, c));
          twin.tell(settled);
          shadow.tell(settled);
        }
      });
      // A run that is put down and taken up after every step ends where an uninterrupted one does.
      let relay = begin(blackbox.problem);
      const whole = begin(blackbox.problem);
      const history: Told[] = [];
      for (let s = 0; s < trials / 2; s++) {
        const a = whole.ask(1 + (s % 2));
        expect(relay.ask(1 + (s % 2))).toEqual(a);
        relay = resume(blackbox.problem, throughJson(relay.snapshot()), history);
        const settled = a.map((c) => tell(blackbox, c));
        whole.tell(settled);
        relay.tell(settled);
        history.push(...settled);
        relay = resume(blackbox.problem, throughJson(relay.snapshot()), history);
      }
      expect(relay.snapshot()).toEqual(throughJson(whole.snapshot()));
    });

    it('comes to the same snapshot when the same asks and tells are played again', () => {
      const blackbox = mixedBox(2, 1);
      const run = begin(blackbox.problem);
      const { steps } = drive(run, blackbox, trials);
      const again = begin(blackbox.problem);
      for (const s of steps) {
        expect(again.ask(s.ask)).toEqual(s.asked);
        again.tell(s.told);
      }
      expect(again.snapshot()).toEqual(run.snapshot());
    });

    it('differs between seeds', () => {
      const blackbox = mixedBox(2, 0);
      const first = (seed: number): string[] => drive(begin({ ...blackbox.problem, seed }), blackbox, 8).asked.map((c) => c.key);
      expect(first(1)).not.toEqual(first(2));
    });

    it.each([...lawful, allFailBox(), constantBox(), mixedBox(3, 2)].map((b) => [b.name, b] as const))('asks points on the grid, none twice, and never stalls: %s', (_, blackbox) => {
      const { asked } = drive(begin(blackbox.problem), blackbox, trials);
      expectSound(blackbox.problem, asked);
      expect(asked.length).toBe(Math.min(trials, blackbox.problem.space.cardinality));
    });

    it.each([smallBox(1), smallBox(2), singlePointBox()].map((b) => [`${b.name}, ${b.problem.objectives} objectives`, b] as const))('asks every point of a small space once and then none: %s', (_, blackbox) => {
      const run = begin(blackbox.problem);
      const asked: Candidate[] = [];
      for (;;) {
        const fresh = run.ask(4);
        if (fresh.length === 0) break;
        asked.push(...fresh);
        run.tell(fresh.map((c) => tell(blackbox, c)));
      }
      expectSound(blackbox.problem, asked);
      expect(asked.length).toBe(blackbox.problem.space.cardinality);
      expect(run.ask(1)).toEqual([]);
    });

    it.each((['some', 'few'] as const).map((share) => [share, computedBox(share)] as const))('asks no point that breaks a computed limit where %s of them meet it, and says how many it passed over', (share, blackbox) => {
      const run = begin(blackbox.problem);
      const { asked } = drive(run, blackbox, Math.min(trials, 24));
      expectSound(blackbox.problem, asked);
      expect(asked.length).toBe(Math.min(trials, 24));
      for (const c of asked) expect(blackbox.problem.known!(c.genes).violations.filter((g) => g! > 0)).toEqual([]);
      expect(run.screened).toBeGreaterThan(share === 'few' ? 50 : 0);
    });

    it('ends where no point meets the computed limits, and asks a start point that breaks them all the same', () => {
      const blackbox = computedBox('none');
      const start = [blackbox.problem.space.canonical([0.5, 0.25, 3, 1, 2, 0, 0.5])];
      const run = begin({ ...blackbox.problem, start });
      const first = run.ask(3);
      expect(first.map((c) => c.genes)).toEqual(start);
      run.tell(first.map((c) => tell(blackbox, c)));
      expect(run.ask(2)).toEqual([]);
      expect(run.screened).toBeGreaterThan(0);
    });

    it('asks every point of a small space that meets a computed limit once and then none', () => {
      const blackbox = computedSmallBox();
      const { asked } = drive(begin(blackbox.problem), blackbox, 40);
      expectSound(blackbox.problem, asked);
      const due = [...blackbox.problem.space.enumerate()].filter((genes) => blackbox.problem.known!(genes).violations[0]! <= 0);
      expect(asked.map((c) => c.key).sort()).toEqual(due.map((genes) => blackbox.problem.space.key(genes)).sort());
    });

    it('does not repeat in one large batch, nor beside pending candidates', () => {
      const blackbox = mixedBox(2, 1);
      const run = begin(blackbox.problem);
      const first = run.ask(12);
      const second = run.ask(5);
      run.tell([...second].reverse().map((c) => tell(blackbox, c)));
      run.tell([...first].reverse().map((c) => tell(blackbox, c)));
      const third = run.ask(9);
      expectSound(blackbox.problem, [...first, ...second, ...third]);
      expect(first.length).toBe(12);
      expect(third.length).toBeGreaterThan(0);
    });

    it('asks the start points first, in their order and each once', () => {
      const blackbox = mixedBox(2, 1);
      const { space } = blackbox.problem;
      const start: Genes[] = [[0.5, 0.25, 3, 1, 2, 0, 0.5], [0.1, 0.9, 0, 0, 0, 1, 0.3], [0.5, 0.25, 3, 1, 2, 0, 0.5]].map((g) => space.canonical(g));
      const run = begin({ ...blackbox.problem, start });
      const asked = [...run.ask(1), ...run.ask(3)];
      expect(asked.slice(0, 2).map((c) => c.key)).toEqual([space.key(start[0]!), space.key(start[1]!)]);
      expectSound(blackbox.problem, asked);
    });

    it('learns from points it never asked for, and does not ask them', () => {
      const blackbox = smallBox();
      const { space } = blackbox.problem;
      const imports = [...space.enumerate()].filter((_, i) => i % 3 === 0).map((genes): Told => ({ genes, key: space.key(genes), proposedBy: 'import', ...blackbox.evaluate(genes) }));
      const run = begin(blackbox.problem);
      run.tell(imports.slice(0, 3));
      const asked = run.ask(3).filter((c) => !imports.some((i) => i.key === c.key));
      run.tell(imports.slice(3));
      run.tell(asked.map((c) => tell(blackbox, c)));
      for (;;) {
        const fresh = run.ask(2);
        if (fresh.length === 0) break;
        expect(fresh.filter((c) => imports.some((i) => i.key === c.key))).toEqual([]);
        asked.push(...fresh);
        run.tell(fresh.map((c) => tell(blackbox, c)));
      }
      expectSound(blackbox.problem, asked);
    });

    it('keeps its snapshot small: no history in it', () => {
      const blackbox = cellBox(3);
      const run = begin(blackbox.problem);
      drive(run, blackbox, trials);
      expect(JSON.stringify(run.snapshot()).length).toBeLessThan(20_000);
    });

    it('refuses a snapshot of another version, and a setting it does not know', () => {
      const blackbox = continuousBox();
      const snapshot = begin(blackbox.problem).snapshot() as Readonly<Record<string, Json>>;
      expect(() => resume(blackbox.problem, { ...snapshot, version: -1 }, [])).toThrow(/version/);
      expect(() => optimizer.start(blackbox.problem, { ...options.settings, surely_not_a_setting: 1 })).toThrow(/settings\.surely_not_a_setting/);
    });

    it('asks the same first points as ever under a fixed seed', () => {
      const asks = [continuousBox(), mixedBox(2, 1), cellBox(3)].map((blackbox) => drive(begin(blackbox.problem), blackbox, 24).asked.map((c) => `${c.proposedBy} ${JSON.stringify(blackbox.problem.space.decode(c.genes))}`));
      expect(asks).toMatchSnapshot();
    });
  });
}
