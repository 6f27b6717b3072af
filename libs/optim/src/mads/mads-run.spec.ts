import { createSearchSpace, type Genes, type Parameter } from '@app/space';
import { describe, expect, it } from 'vitest';
import type { Optimizer, Told } from '../contract.js';
import { random } from '../random/random.js';
import { mads } from './mads.js';
import { noteOf } from './state.js';

type Function = (point: Readonly<Record<string, unknown>>) => { f: number[]; g?: number[] };

function search(optimizer: Optimizer, parameters: readonly Parameter[], fn: Function, trials: number, seed = 1): Told[] {
  const space = createSearchSpace(parameters);
  const probe = fn(space.decode(space.canonical(new Array<number>(space.dimension).fill(0))));
  const run = optimizer.start({ space, objectives: probe.f.length, constraints: probe.g?.length ?? 0, seed, maxTrials: trials });
  const history: Told[] = [];
  for (let t = 0; t < trials; t++) {
    for (const c of run.ask(1)) {
      const { f, g = [] } = fn(space.decode(c.genes));
      const told: Told = { ...c, state: g.some((v) => v > 0) ? 'infeasible' : 'completed', objectives: f, violations: g };
      run.tell([told]);
      history.push(told);
    }
  }
  return history;
}
const best = (history: readonly Told[]): number => Math.min(...history.filter((t) => t.state === 'completed').map((t) => t.objectives[0]!));
const floats = (n: number, min: number, max: number): Parameter[] => Array.from({ length: n }, (_, i) => ({ name: `x${i}`, type: 'float', min, max }));

describe('MADS', () => {
  it('goes to the minimum of Rosenbrock’s valley', () => {
    const rosenbrock: Function = (p) => {
      const [a, b] = [Number(p['x0']), Number(p['x1'])];
      return { f: [100 * (b - a * a) ** 2 + (1 - a) ** 2] };
    };
    expect(best(search(mads, floats(2, -2, 2), rosenbrock, 150))).toBeLessThan(1e-2);
  });

  it('finds the constrained minimum -44 of Rosen and Suzuki (Hock & Schittkowski, problem 43)', () => {
    const suzuki: Function = (p) => {
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => Number(p[`x${i}`])) as [number, number, number, number];
      return {
        f: [a * a + b * b + 2 * c * c + d * d - 5 * a - 5 * b - 21 * c + 7 * d],
        g: [a * a + b * b + c * c + d * d + a - b + c - d - 8, a * a + 2 * b * b + c * c + 2 * d * d - a - d - 10, 2 * a * a + b * b + c * c + 2 * a - b - d - 5],
      };
    };
    expect(best(search(mads, floats(4, -10, 10), suzuki, 200))).toBeLessThan(-43.5);
  });

  it('finds integers and a category together where random search does not', () => {
    const parameters: Parameter[] = [
      { name: 'n', type: 'int', min: 0, max: 200 }, { name: 'k', type: 'int', min: 0, max: 200 },
      { name: 'op', type: 'categorical', values: ['a', 'b', 'c', 'd'] },
    ];
    const fn: Function = (p) => ({ f: [(Number(p['n']) - 137) ** 2 + (Number(p['k']) - 41) ** 2 + ['c', 'a', 'd', 'b'].indexOf(String(p['op'])) * 50] });
    expect(best(search(mads, parameters, fn, 150))).toBe(0);
    expect(best(search(random, parameters, fn, 150))).toBeGreaterThan(0);
  });

  it('carries on from imported trials of another search: no design, its first steps start from their best', () => {
    const bowl: Function = (p) => ({ f: [[0, 1, 2, 3].reduce((s, i) => s + (i + 1) * (Number(p[`x${i}`]) - 0.3 - i / 10) ** 2, 0)] });
    const parameters = floats(4, -2, 2);
    const imports = search(random, parameters, bowl, 60).map(({ note: _, ...told }) => ({ ...told, proposedBy: 'import' }));
    const run = mads.start({ space: createSearchSpace(parameters), objectives: 1, constraints: 0, seed: 2 });
    run.tell(imports);
    const asked: Told[] = [];
    for (let t = 0; t < 12; t++) {
      for (const c of run.ask(1)) {
        const told: Told = { ...c, state: 'completed', objectives: bowl(createSearchSpace(parameters).decode(c.genes)).f, violations: [] };
        asked.push(told);
        run.tell([told]);
      }
    }
    expect(asked.some((t) => t.proposedBy === 'mads:sobol')).toBe(false);
    const leader = imports.reduce((a, b) => (b.objectives[0]! < a.objectives[0]! ? b : a));
    expect(noteOf(asked[0]!.note)!.from).toBe(leader.key);
    expect(best(asked)).toBeLessThan(0.01 * best(imports));
  });

  it('takes more steps than its first restart: it leaves a local minimum it has polled to the end', () => {
    const fn: Function = (p) => ({ f: [Math.abs(Number(p['n']) - 3) % 7] });
    const history = search(mads, [{ name: 'n', type: 'int', min: 0, max: 400 }], fn, 120);
    expect(history).toHaveLength(120);
    expect(history.some((t) => t.proposedBy === 'mads:restart')).toBe(true);
  });

  it('keeps every poll point on the mesh of the point it came from', () => {
    const history = search(mads, [...floats(2, 0, 1), { name: 'n', type: 'int', min: 0, max: 50 }], (p) => ({ f: [(Number(p['x0']) - 0.3) ** 2 + Number(p['x1']) + Number(p['n']), (Number(p['x0']) - 0.8) ** 2 + (Number(p['n']) - 9) ** 2] }), 120);
    const genes = new Map<string, Genes>(history.map((t) => [t.key, t.genes]));
    const polls = history.filter((t) => t.proposedBy === 'mads:poll');
    expect(polls.length).toBeGreaterThan(10);
    for (const t of polls) {
      const note = noteOf(t.note)!;
      const from = genes.get(note.from)!;
      t.genes.forEach((g, i) => {
        if (g === 0 || g === (i < 2 ? 1 : 50)) return;
        const b = Math.floor(note.mesh[i]! / 3);
        const delta = i < 2 ? 10 ** (b - Math.abs(b + 1)) : Math.max(1, 10 ** (b - Math.abs(b)));
        expect(Math.abs((g - from[i]!) / delta - Math.round((g - from[i]!) / delta)) * delta).toBeLessThan(3e-12);
      });
    }
  });

  it('with three objectives gives the widest gap its turn while the models have few points', () => {
    const sphere: Function = (p) => {
      const v = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => Number(p[`x${i}`]));
      const radius = 1 + v.slice(2).reduce((s, x) => s + (x - 0.5) ** 2, 0);
      const [a, b] = [(v[0]! * Math.PI) / 2, (v[1]! * Math.PI) / 2];
      return { f: [radius * Math.cos(a) * Math.cos(b), radius * Math.cos(a) * Math.sin(b), radius * Math.sin(a)] };
    };
    const space = createSearchSpace(floats(8, 0, 1));
    const run = mads.start({ space, objectives: 3, constraints: 0, seed: 1 });
    const steps: string[] = [];
    for (let t = 0; t < 27; t++) {
      const [c] = run.ask(1);
      steps.push(c!.proposedBy);
      run.tell([{ ...c!, state: 'completed', objectives: sphere(space.decode(c!.genes)).f, violations: [] }]);
    }
    // 18 points of the design, then nine turns of which a third each begin with the middle, the distances and the models.
    expect(steps.slice(18).filter((s) => s === 'mads:middle').length).toBeGreaterThanOrEqual(3);
  });

  it('with several objectives jumps mostly to values that other successes had', () => {
    const parameters = floats(4, -5, 5);
    const waves: Function = (p) => {
      const v = [1, 2, 3].map((i) => Number(p[`x${i}`]));
      const g = 31 + v.reduce((s, x) => s + x * x - 10 * Math.cos(4 * Math.PI * x), 0);
      const a = (Number(p['x0']) + 5) / 10;
      return { f: [a, g * (1 - Math.sqrt(a / g))] };
    };
    const history = search(mads, parameters, waves, 250);
    const at = new Map(history.map((t) => [t.key, t]));
    const jumps = history.flatMap((t, n) => {
      const parent = t.proposedBy === 'mads:jump' ? at.get(noteOf(t.note)!.from)! : null;
      const moved = parent ? t.genes.findIndex((g, i) => g !== parent.genes[i]) : -1;
      return moved < 0 ? [] : [history.slice(0, n).some((e) => e.genes[moved] === t.genes[moved])];
    });
    expect(jumps.length).toBeGreaterThan(10);
    const taken = jumps.filter((known) => known).length / jumps.length;
    expect(taken).toBeGreaterThan(0.5);
    expect(taken).toBeLessThan(1);
  });

  it('refuses a setting out of its domain', () => {
    expect(() => search(mads, floats(1, 0, 1), () => ({ f: [0] }), 1)).not.toThrow();
    const problem = { space: createSearchSpace(floats(1, 0, 1)), objectives: 1, constraints: 0, seed: 0 };
    expect(() => mads.start(problem, { directions: '3n' })).toThrow('settings.directions: expected "2n" or "n+1", got "3n"');
    expect(() => mads.start(problem, { initialPoints: 0 })).toThrow('settings.initialPoints: expected an integer from 1, got 0');
  });
});
