import { describe, expect, it } from 'vitest';
import { studentQuantile } from './student.js';

describe('quantiles of Student\'s t', () => {
  it('are those of the table (Abramowitz & Stegun, table 26.10)', () => {
    const table: readonly (readonly [number, number, number])[] = [
      [0.95, 1, 6.314], [0.95, 2, 2.92], [0.95, 3, 2.353], [0.95, 4, 2.132], [0.95, 9, 1.833], [0.95, 30, 1.697], [0.95, 120, 1.658],
      [0.975, 1, 12.706], [0.975, 2, 4.303], [0.975, 5, 2.571], [0.975, 10, 2.228], [0.995, 7, 3.499], [0.995, 20, 2.845],
    ];
    for (const [p, freedom, t] of table) expect(studentQuantile(p, freedom)).toBeCloseTo(t, 3);
  });

  it('are odd about a half, and come to those of the normal distribution', () => {
    expect(studentQuantile(0.5, 7)).toBeCloseTo(0, 9);
    expect(studentQuantile(0.1, 6)).toBe(-studentQuantile(0.9, 6));
    expect(studentQuantile(0.95, 100_000)).toBeCloseTo(1.644854, 4);
  });

  it('refuse what is no probability and degrees of freedom that are not whole', () => {
    for (const p of [0, 1, NaN, -0.1]) expect(() => studentQuantile(p, 3)).toThrow(/expected a probability/);
    for (const freedom of [0, 1.5, NaN, Infinity]) expect(() => studentQuantile(0.9, freedom)).toThrow(/expected whole degrees of freedom/);
  });
});
