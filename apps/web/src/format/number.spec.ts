import { describe, expect, it } from 'vitest';
import { formatAge, formatDuration, formatNumber, formatQuantity, formatRange, formatShare } from './number.js';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u202f', ' ');

describe('formatNumber', () => {
  it('keeps three significant digits and drops trailing zeros', () => {
    expect([0.123456, 1.5, 12.345, 123.45, 93.7, -2.25].map((x) => formatNumber(x))).toEqual(['0.123', '1.5', '12.3', '123', '93.7', '−2.25']);
  });
  it('never rounds a whole number below a million', () => {
    expect([7, 1000, 65_536].map((x) => plain(formatNumber(x)))).toEqual(['7', '1000', '65 536']);
  });
  it('says what is no number', () => {
    expect([null, undefined, NaN, Infinity, -Infinity, 0].map((x) => formatNumber(x))).toEqual(['–', '–', 'NaN', '∞', '−∞', '0']);
  });
  it('writes very small and very large figures as powers of ten', () => {
    expect([1.5e-9, -2e20].map((x) => formatNumber(x))).toEqual(['1.50·10⁻⁹', '−2.00·10²⁰']);
  });
});

describe('formatQuantity', () => {
  it('chooses the SI prefix', () => {
    const cases: [number, string, string][] = [
      [0.0123, 's', '12.3 ms'], [2.5e-6, 'J', '2.5 µJ'], [65_536, 'B', '65.5 kB'], [3_200_000, '1', '3.2 M'], [1.2, 's', '1.2 s'], [0.9999, 's', '1 s'], [512, 'B', '512 B'],
    ];
    for (const [value, unit, due] of cases) expect(plain(formatQuantity(value, unit)), `${value} ${unit}`).toBe(due);
  });
  it('leaves units alone that carry a prefix or take none', () => {
    expect([formatQuantity(12.34, 'ms'), formatQuantity(93.71, '%'), formatQuantity(128, 'KiB')].map(plain)).toEqual(['12.3 ms', '93.7 %', '128 KiB']);
  });
  it('gives bytes no fractions of a byte prefix', () => {
    expect(plain(formatQuantity(0.5, 'B'))).toBe('0.5 B');
  });
  it('shows a missing value as a dash without a unit', () => {
    expect(formatQuantity(null, 'ms')).toBe('–');
  });
});

describe('formatShare', () => {
  it('does not round away the last few', () => {
    expect([0, 0.0004, 0.034, 0.5, 0.9996, 1].map((s) => plain(formatShare(s)))).toEqual(['0 %', '< 0.1 %', '3.4 %', '50 %', '> 99.9 %', '100 %']);
  });
});

describe('durations', () => {
  it('are said in two units at most', () => {
    expect([0.85, 4.25, 42, 200, 7500, 273_600, 3600].map((s) => plain(formatDuration(s)))).toEqual(['850 ms', '4.3 s', '42 s', '3 min 20 s', '2 h 05 min', '3 d 04 h', '1 h']);
  });
  it('carry over at a full minute and a full hour', () => {
    expect([59.7, 3599.8].map((s) => plain(formatDuration(s)))).toEqual(['1 min', '1 h']);
  });
  it('as a range collapse when both ends read the same', () => {
    expect(plain(formatRange([60, 60.2]))).toBe('about 1 min');
    expect(plain(formatRange([60, 120]))).toBe('1 min – 2 min');
  });
  it('as an age use the largest unit only', () => {
    const now = Date.parse('2026-01-02T03:04:05Z');
    expect(plain(formatAge('2026-01-02T01:04:00Z', now))).toBe('2 h ago');
    expect(formatAge('2026-01-02T03:04:04Z', now)).toBe('just now');
  });
});
