import { createSearchSpace, type Parameter } from '@app/space';
import { describe, expect, it } from 'vitest';
import { MadsRun } from './mads-run.js';
import { byBarrier, nelderMead, simplexAround } from './nelder-mead.js';
import { completingPoint } from './quantitative-poll.js';
import { readSettings } from './settings.js';

const floats = (n: number): Parameter[] => Array.from({ length: n }, (_, i) => ({ name: `x${i}`, type: 'float', min: 0, max: 1 }));

/** A run told the values of f at its own first points until it polls, one by one. */
function after(trials: number, objectives: number, settings: Record<string, unknown> = {}): { run: MadsRun; steps: string[] } {
  const run = new MadsRun({ space: createSearchSpace(floats(3)), objectives, constraints: 0, seed: 3 }, readSettings(settings));
  const steps: string[] = [];
  for (let t = 0; t < trials; t++) {
    for (const c of run.ask(1)) {
      steps.push(c.proposedBy);
      const f = Array.from({ length: objectives }, (_, j) => c.genes.reduce((s, g, i) => s + Math.abs(g - 0.3 - 0.2 * j) ** (i + 1), 0));
      run.tell([{ ...c, state: 'completed', objectives: f, violations: [] }]);
    }
  }
  return { run, steps };
}

describe('Nelder-Mead search', () => {
  it('orders feasible points by f before infeasible ones by h', () => {
    const point = (f: number, h: number) => ({ key: `${f} ${h}`, genes: [], f: [f], h });
    expect([point(1, 3), point(5, 0), point(0, 3), point(2, 1), point(4, 0)].sort(byBarrier).map((p) => p.key)).toEqual(['4 0', '5 0', '2 1', '0 3', '1 3']);
  });

  it('makes a simplex of the best points that span the space', () => {
    const { run } = after(40, 1);
    const centre = { point: run.front()[0]!, mesh: run.axes.map((a) => a!.initialLevel) };
    const simplex = simplexAround(run, centre)!;
    expect(simplex).toHaveLength(4);
    expect(simplex[0]!.key).toBe(centre.point.key);
    const [a, b, c] = simplex.slice(1).map((p) => p.genes.map((g, i) => g - simplex[0]!.genes[i]!)) as [number[], number[], number[]];
    const volume = a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) - a[1]! * (b[0]! * c[2]! - b[2]! * c[0]!) + a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!);
    expect(Math.abs(volume)).toBeGreaterThan(0);
    expect([...simplex].sort(byBarrier)).toEqual(simplex);
  });

  it('reflects the worst vertex through the middle of the others, to the search mesh and within the bounds', () => {
    const { run } = after(40, 1);
    const centre = { point: run.front()[0]!, mesh: run.axes.map((a) => a!.initialLevel) };
    const simplex = simplexAround(run, centre)!;
    const [proposal] = nelderMead(run, centre);
    const at = (t: number): number[] => simplex[3]!.genes.map((w, i) => {
      const middle = (simplex[0]!.genes[i]! + simplex[1]!.genes[i]! + simplex[2]!.genes[i]!) / 3;
      return Math.min(1, Math.max(0, middle + t * (middle - w)));
    });
    const off = (t: number): number => Math.max(...at(t).map((v, i) => Math.abs(v - proposal!.genes[i]!)));
    expect(Math.min(off(1), off(-0.5))).toBeLessThan(1e-4);
  });

  it('searches with one objective if it is on, and never with two', () => {
    expect(after(120, 1, { nelderMeadSearch: true }).steps).toContain('mads:nelder-mead');
    expect(after(120, 1).steps).not.toContain('mads:nelder-mead');
    expect(after(120, 2, { nelderMeadSearch: true }).steps).not.toContain('mads:nelder-mead');
  });
});

describe('completing direction of an n + 1 poll', () => {
  it('goes against every failed step, by a model or by their sum alone', () => {
    const { run } = after(40, 1);
    const genes = [0.5, 0.5, 0.5];
    const centre = { point: { key: 'centre', genes, f: [1], h: 0 }, mesh: run.axes.map((a) => a!.initialLevel) };
    const polled = [[0.6, 0.5, 0.5], [0.5, 0.4, 0.5], [0.5, 0.5, 0.6]];
    const model = run.model({ ...centre, point: run.front()[0]! });
    expect(model).not.toBeNull();
    for (const known of [null, model]) {
      const [point] = completingPoint(run, centre, polled, known);
      for (const p of polled) expect(p.reduce((s, v, i) => s + (v - genes[i]!) * (point!.genes[i]! - genes[i]!), 0)).toBeLessThan(0);
    }
  });
});
