import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { GaussianProcess, ProcessFactor } from './gaussian-process.js';
import { priorTheta } from './hyperparameters.js';
import { WatchedPoints } from './watched-points.js';

const SHAPE = { size: 3, numeric: 2, categoricalOnly: false };
const draw = (rng: Rng): Float64Array => Float64Array.of(rng.next(), rng.next(), rng.int(3));

describe('WatchedPoints', () => {
  it('predicts as the process does, exactly the same whether rows came in between or not, and forgets believed ones', () => {
    const rng = Rng.of(5);
    const points = Array.from({ length: 7 }, () => draw(rng));
    const rows = Array.from({ length: 40 }, () => draw(rng));
    const factor = new ProcessFactor(SHAPE, rows.slice(0, 6), priorTheta(3));
    const kept = new WatchedPoints(points);
    for (let n = 6; n <= 40; n += n % 5 === 0 ? 3 : 1) {
      while (factor.size < n) factor.append(rows[factor.size]!);
      const process = new GaussianProcess(factor, rows.slice(0, n).map((x) => Math.sin(5 * x[0]!) + x[2]!));
      for (const believed of n % 4 === 1 ? [draw(rng), draw(rng)] : []) process.believe(believed);
      const watched = kept.predict(process);
      expect(new WatchedPoints(points).predict(process)).toEqual(watched);
      const plain = process.predictMany(points);
      for (let p = 0; p < points.length; p++) {
        expect(watched.mean[p]).toBeCloseTo(plain.mean[p]!, 10);
        expect(watched.sd[p]).toBeCloseTo(plain.sd[p]!, 8);
      }
      factor.truncate(n);
    }
  });
});
