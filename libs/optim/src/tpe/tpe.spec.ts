import { Rng } from '@app/numeric';
import { createSearchSpace } from '@app/space';
import { describe, expect, it } from 'vitest';
import { examineOptimizer } from '../exam/examine-optimizer.js';
import { ParzenMixture } from './parzen.js';
import { tpe } from './tpe.js';

examineOptimizer(tpe, { trials: 24 });

describe('a mixture density', () => {
  it('sums to one over the points of a conditional grid', () => {
    const space = createSearchSpace([
      { name: 'a', type: 'int', min: 0, max: 4 },
      { name: 'b', type: 'categorical', values: ['u', 'v', 'w'] },
      { name: 'c', type: 'ordinal', values: [1, 2, 4, 8], when: { b: ['v', 'w'] } },
    ]);
    const points = [...space.enumerate()];
    const mixture = new ParzenMixture(space, [points[3]!, points[17]!, points[40]!]);
    expect(points.reduce((s, g) => s + Math.exp(mixture.logDensity(g)), 0)).toBeCloseTo(1, 12);
  });

  it('integrates to one over a continuous parameter, and its draws follow it', () => {
    const space = createSearchSpace([{ name: 'x', type: 'float', min: -1, max: 3 }]);
    const mixture = new ParzenMixture(space, [[0.05], [0.6], [0.62]]);
    const cells = 2000;
    const mass = Array.from({ length: cells }, (_, i) => Math.exp(mixture.logDensity(space.fromUnit([(i + 0.5) / cells]))) / cells);
    expect(mass.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    const rng = Rng.of(3, 'draws');
    const draws = 4000;
    const below = Array.from({ length: draws }, () => mixture.sample(rng)[0]!).filter((u) => u < 0.3).length / draws;
    const due = mass.slice(0, 0.3 * cells).reduce((a, b) => a + b, 0);
    expect(Math.abs(below - due)).toBeLessThan(4 * Math.sqrt((due * (1 - due)) / draws));
  });
});
