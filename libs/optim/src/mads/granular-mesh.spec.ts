import { Rng } from '@app/numeric';
import { createSearchSpace } from '@app/space';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coarsened, frameSize, initialMesh, isFinest, meshAxes, meshSize, refined, type Mesh, type MeshAxis } from './granular-mesh.js';
import { independentHalf, meshStep, orthogonalDirections } from './poll-directions.js';

const space = createSearchSpace([
  { name: 'x', type: 'float', min: -3, max: 7 },
  { name: 'n', type: 'int', min: 0, max: 1000 },
  { name: 'd', type: 'float', min: 0, max: 1, step: 0.05 },
  { name: 'o', type: 'ordinal', values: [4, 6, 8] },
  { name: 'c', type: 'categorical', values: ['a', 'b'] },
]);
const axes = meshAxes(space);
const walk = fc.array(fc.boolean(), { maxLength: 40 }).map((moves) => moves.reduce<Mesh>((mesh, up) => (up ? coarsened(axes, mesh, null) : refined(axes, mesh)), initialMesh(axes)));
const each = (mesh: Mesh, check: (axis: MeshAxis, level: number) => void): void => axes.forEach((a, i) => a && check(a, mesh[i]!));

describe('the granular mesh', () => {
  it('keeps categories off the mesh', () => {
    expect(axes[4]).toBeNull();
  });

  it('has mesh ≤ frame, both multiples of the granularity, frame within the range', () => {
    fc.assert(fc.property(walk, (mesh) => each(mesh, (axis, level) => {
      expect(meshSize(axis, level)).toBeLessThanOrEqual(frameSize(axis, level));
      expect(frameSize(axis, level)).toBeLessThanOrEqual(axis.range);
      if (axis.granularity === 1) expect([meshSize(axis, level) % 1, frameSize(axis, level) % 1]).toEqual([0, 0]);
      const ratio = frameSize(axis, level) / meshSize(axis, level);
      expect(Math.abs(ratio - Math.round(ratio))).toBeLessThan(1e-9 * ratio);
    })));
  });

  it('starts at a tenth of the range and runs down the ladder 5, 2, 1, the mesh twice as fast', () => {
    const x = axes[0]!;
    const seen: number[][] = [];
    for (let level = x.initialLevel; level >= x.initialLevel - 6; level--) seen.push([frameSize(x, level), meshSize(x, level)]);
    expect(seen).toEqual([[0.1, 0.1], [0.05, 0.001], [0.02, 0.001], [0.01, 0.001], [0.005, 1e-5], [0.002, 1e-5], [0.001, 1e-5]]);
    expect([frameSize(axes[1]!, axes[1]!.initialLevel), frameSize(axes[3]!, axes[3]!.initialLevel)]).toEqual([100, 1]);
  });

  it('comes to an end under refinement', () => {
    let mesh = initialMesh(axes);
    let times = 0;
    for (; !isFinest(axes, mesh); times++) mesh = refined(axes, mesh);
    expect(times).toBeLessThan(30);
    each(mesh, (axis, level) => expect(frameSize(axis, level)).toBeLessThanOrEqual(axis.granularity === 1 ? 1 : 1e-5));
  });

  it('coarsens only along the variables a step used', () => {
    const mesh = initialMesh(axes);
    const next = coarsened(axes, mesh, [0.1, 0, 0, 0, 0]);
    expect(next.map((level, i) => level - mesh[i]!)).toEqual([1, 0, 0, 0, 0]);
  });
});

describe('poll directions', () => {
  it('are a maximal positive basis with orthonormal columns', () => {
    const d = orthogonalDirections(Rng.of(4), 5);
    for (let a = 0; a < 10; a++) for (let b = 0; b < 10; b++) {
      const dot = d[a]!.reduce((s, v, i) => s + v * d[b]![i]!, 0);
      const due = a === b ? 1 : a >> 1 === b >> 1 ? -1 : 0;
      expect(dot).toBeCloseTo(due, 12);
    }
    expect(independentHalf(d)).toHaveLength(5);
  });

  it('give steps on the mesh, inside the frame and never zero', () => {
    const free = [0, 1, 2, 3];
    fc.assert(fc.property(walk, fc.integer(), (mesh, seed) => {
      for (const direction of orthogonalDirections(Rng.of(seed), 4)) {
        const step = meshStep(direction, free, axes, mesh);
        expect(step.some((s) => s !== 0)).toBe(true);
        free.forEach((i) => {
          const units = step[i]! / meshSize(axes[i]!, mesh[i]!);
          expect(Math.abs(units - Math.round(units))).toBeLessThan(1e-6);
          expect(Math.abs(step[i]!)).toBeLessThanOrEqual(frameSize(axes[i]!, mesh[i]!) * (1 + 1e-12));
        });
      }
    }), { numRuns: 50 });
  });
});
