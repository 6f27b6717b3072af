import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { PLAIN_COEFFICIENTS } from './calibrate.js';
import { dot, type Sample } from './latency-fit.js';
import { TERMS } from './latency-terms.js';
import { predictBoard, type BoardKind, type BoardSeries } from './unseen-board.js';

/** Works with every term, around networks of a million products. */
function works(n: number, seed: number): Float64Array[] {
  const rng = Rng.of(seed, 'works');
  return Array.from({ length: n }, () => Float64Array.from(TERMS, ({ unit }) => (unit === 'inference' ? 1 : unit === 'launch' ? 1 + 9 * rng.next() : 1e4 + 1e6 * rng.next())));
}

const series = (kind: BoardKind & { readonly board: string }, scale: number, seed: number): BoardSeries => ({
  ...kind, samples: works(6, seed).map((work, i): Sample => ({ work, value: scale * dot(work, PLAIN_COEFFICIENTS), group: `${seed} ${i}` })),
});

const M4 = { core: 'Cortex-M4' }, M7 = { core: 'Cortex-M7' };
const errorOf = (x: Float64Array, scale: number): number => Math.max(...works(5, 99).map((w) => Math.abs(dot(w, x) / (scale * dot(w, PLAIN_COEFFICIENTS)) - 1)));

describe('a board nobody measured', () => {
  it('takes the cycles of another board with its core and release', () => {
    const known = [series({ ...M7, kernels: 'k', release: 'k 1', board: 'A' }, 2, 1), series({ ...M4, kernels: 'k', release: 'k 1', board: 'B' }, 3, 2)];
    const found = predictBoard({ ...M7, kernels: 'k', release: 'k 1' }, known)!;
    expect(found.kin).toBe('same core and release');
    expect(errorOf(found.coefficients, 2)).toBeLessThan(0.03);
  });

  it('carries a release to another core as other libraries show the cores differ', () => {
    const known = [
      ...['a', 'b', 'c', 'd'].flatMap((kernels, i) => [series({ ...M4, kernels, release: kernels, board: `4${kernels}` }, 1 + i, 10 + i), series({ ...M7, kernels, release: kernels, board: `7${kernels}` }, 0.55 * (1 + i), 20 + i)]),
      series({ ...M4, kernels: 'e', release: 'e', board: '4e' }, 7, 30),
    ];
    const found = predictBoard({ ...M7, kernels: 'e', release: 'e' }, known)!;
    expect(found.kin).toBe('core and library apart');
    expect(errorOf(found.coefficients, 0.55 * 7)).toBeLessThan(0.06);
  });

  it('without any such library goes by CoreMark per MHz', () => {
    const known = [series({ ...M4, kernels: 'e', release: 'e', board: 'A' }, 1, 1), series({ ...M7, kernels: 'other', release: 'other', board: 'B' }, 1, 2)];
    const found = predictBoard({ ...M7, kernels: 'e', release: 'e' }, known)!;
    // published by Arm: 3.42 and 5.01 CoreMark/MHz
    expect(errorOf(found.coefficients, 3.42 / 5.01)).toBeLessThan(0.02);
  });

  it('is surer of a release it knows on that core than of one it knows elsewhere', () => {
    const known = [series({ ...M7, kernels: 'k', release: 'k 1', board: 'A' }, 2, 1), series({ ...M4, kernels: 'k', release: 'k 2', board: 'B' }, 3, 2)];
    const same = predictBoard({ ...M7, kernels: 'k', release: 'k 1' }, known)!;
    const apart = predictBoard({ ...M7, kernels: 'k', release: 'k 2' }, known)!;
    const unknown = predictBoard({ ...M7, kernels: 'k', release: 'k 3' }, known)!;
    expect(apart.spread).toBeGreaterThan(same.spread);
    expect(unknown.spread).toBeGreaterThan(apart.spread);
  });

  it('does not lend cycles between kinds of core: their kernels are other programs', () => {
    const known = [series({ core: 'Cortex-M0+', kernels: 'k', release: 'k', board: 'A' }, 5, 1), series({ ...M7, kernels: 'other', release: 'other', board: 'B' }, 1, 2)];
    expect(predictBoard({ ...M7, kernels: 'k', release: 'k' }, known)).toBeNull();
    expect(predictBoard({ ...M7, kernels: 'nobody', release: '1' }, known)).toBeNull();
    expect(predictBoard({ core: 'Cortex-M85', kernels: 'other', release: 'other' }, known)).toBeNull();
  });
});
