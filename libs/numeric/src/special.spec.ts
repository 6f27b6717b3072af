import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { erfcx, hazard, improvement, log1mExp, logDiffExp, logH, logNormalCdf, logSumExp, normalCdf, normalPdf, normalTerms } from './special.js';

const relative = (value: number, due: number): number => Math.abs(value / due - 1);

/** ∫ f over [a, b], composite Simpson. */
function simpson(f: (t: number) => number, a: number, b: number, n = 4000): number {
  const h = (b - a) / n;
  let sum = f(a) + f(b);
  for (let i = 1; i < n; i++) sum += f(a + i * h) * (i % 2 ? 4 : 2);
  return (sum * h) / 3;
}

/** erfcx straight from an integral without cancellation: (2/√π) ∫₀^∞ exp(-t² - 2xt) dt, Abramowitz & Stegun 7.1.2 with s = x + t. */
const plainErfcx = (x: number): number => (2 / Math.sqrt(Math.PI)) * simpson((t) => Math.exp(-t * t - 2 * x * t), 0, x > 4 ? 20 / x : 7);

describe('erfcx', () => {
  it('agrees with its integral from -2 to 15 and with Abramowitz & Stegun table 7.1 (erf 0.5 = 0.5204998778, erf 2 = 0.9953222650)', () => {
    for (const x of [-2, -0.5, 0, 1e-8, 0.3, 1, 1.999, 2, 2.001, 2.5, 3, 3.7, 5.999, 6, 10, 15]) expect(relative(erfcx(x), plainErfcx(x))).toBeLessThan(1e-8);
    expect(1 - Math.exp(-0.25) * erfcx(0.5)).toBeCloseTo(0.5204998778, 10);
    expect(1 - Math.exp(-4) * erfcx(2)).toBeCloseTo(0.995322265, 10);
  });

  it('obeys erfcx′ = 2x·erfcx - 2/√π and joins its pieces without a step', () => {
    for (const x of [0.3, 0.46874, 0.46876, 0.7, 3.99999, 4.00001, 20]) {
      const h = 1e-5;
      expect((erfcx(x + h) - erfcx(x - h)) / (2 * h)).toBeCloseTo(2 * x * erfcx(x) - 2 / Math.sqrt(Math.PI), 8);
    }
    for (const x of [0.46875, 4]) expect(relative(erfcx(x - 1e-14), erfcx(x + 1e-14))).toBeLessThan(1e-12);
  });

  it('ends well: 1/(x√π) far right, infinite far left, NaN stays', () => {
    expect(relative(erfcx(1e10), 1 / (1e10 * Math.sqrt(Math.PI)))).toBeLessThan(1e-15);
    expect(erfcx(Infinity)).toBe(0);
    expect(erfcx(-30)).toBe(Infinity);
    expect(erfcx(NaN)).toBeNaN();
  });
});

describe('the normal distribution', () => {
  it('has the quantiles of the tables: Φ(1.959964) = 0.975, Φ(-3) = 0.001349898032, Φ(-10) = 7.619853024e-24', () => {
    expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
    expect(relative(normalCdf(-3), 0.00134989803163009)).toBeLessThan(1e-13);
    expect(relative(normalCdf(-10), 7.61985302416047e-24)).toBeLessThan(1e-11);
    expect([normalCdf(0), normalCdf(Infinity), normalCdf(-Infinity)]).toEqual([0.5, 1, 0]);
  });

  it('is symmetric, and its density is the derivative', () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 8, noNaN: true }), (z) => {
        expect(normalCdf(z) + normalCdf(-z)).toBeCloseTo(1, 14);
        expect((normalCdf(z + 1e-5) - normalCdf(z - 1e-5)) / 2e-5).toBeCloseTo(normalPdf(z), 8);
      }),
    );
  });

  it('keeps log Φ and its slope where Φ underflows', () => {
    for (const z of [-37, -5, -1.00001, -0.99999, 0, 3]) expect(relative(logNormalCdf(z), Math.log(normalCdf(z)))).toBeLessThan(1e-12);
    // Φ(z) ~ φ(z)/|z| (1 - 1/z² + 3/z⁴)
    expect(relative(logNormalCdf(-100), -5000 - Math.log(100) - 0.5 * Math.log(2 * Math.PI) - 1e-4 + 2.5e-8)).toBeLessThan(1e-12);
    for (const z of [-200, -20, -3, 0, 2, 5.5, 9]) expect((logNormalCdf(z + 1e-5) - logNormalCdf(z - 1e-5)) / 2e-5).toBeCloseTo(hazard(z), 5);
    expect(logNormalCdf(-Infinity)).toBe(-Infinity);
  });
});

describe('logH', () => {
  it('is the logarithm of φ + zΦ where that exists', () => {
    for (const z of [-30, -10, -8, -7.9, -4.001, -3.999, -3, -1.0001, -0.9999, 0, 2, 20]) {
      // ∫ Φ up to z, without cancellation: φ + zΦ = ∫₀^∞ t φ(t - z) dt
      const due = simpson((t) => t * Math.exp(-0.5 * t * t + z * t), 0, Math.max(9, z + 9), 20_000) * normalPdf(z);
      expect(Math.abs(logH(z) - Math.log(due))).toBeLessThan(1e-8);
      expect(relative(improvement(z), due)).toBeLessThan(1e-7);
    }
  });

  it('goes on smoothly to -1e160 and has slope Φ/(φ + zΦ), without a step at the joints', () => {
    for (const z of [-1e3, -9, -8, -4, -1, 1]) {
      const h = 1e-6 * Math.max(1, -z);
      expect(relative((logH(z + h) - logH(z - h)) / (2 * h), Math.exp(logNormalCdf(z) - logH(z)))).toBeLessThan(1e-6);
    }
    for (const joint of [-1e7, -8, -4, -1]) expect(Math.abs(logH(joint * (1 + 1e-15)) - logH(joint * (1 - 1e-15)))).toBeLessThan(2 + 1e-12 - 2 + Math.abs(joint) ** 2 * 4e-15);
    expect(logH(-1e160)).toBe(-Infinity);
    expect(Number.isFinite(logH(-1e150))).toBe(true);
    expect(logH(-Infinity)).toBe(-Infinity);
  });
});

describe('normalTerms', () => {
  it('gives density, distribution and expected gain as the single functions do', () => {
    const z = Float64Array.of(-37, -25, -20.1, -19.9, -8, -4, -1.0001, -0.9999, -0.3, 0, 0.5, 2, 9);
    const [density, cumulative, gain] = [new Float64Array(z.length), new Float64Array(z.length), new Float64Array(z.length)];
    normalTerms(z, density, cumulative, gain);
    z.forEach((v, i) => {
      expect(relative(density[i]!, normalPdf(v))).toBeLessThan(1e-12);
      expect(relative(cumulative[i]!, normalCdf(v))).toBeLessThan(1e-12);
      expect(relative(gain[i]!, improvement(v))).toBeLessThan(1e-12);
    });
  });
});

describe('sums in logarithms', () => {
  it('agree with the plain sums and keep what those lose', () => {
    expect(logSumExp([])).toBe(-Infinity);
    expect(logSumExp([-Infinity, -Infinity])).toBe(-Infinity);
    expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.LN2, 12);
    expect(logSumExp([0, Infinity])).toBe(Infinity);
    fc.assert(
      fc.property(fc.double({ min: -30, max: 30, noNaN: true }), fc.double({ min: 1e-6, max: 30, noNaN: true }), (b, d) => {
        expect(logDiffExp(b + d, b)).toBeCloseTo(b + Math.log(Math.expm1(d)), 7);
        expect(logSumExp([b + d, b])).toBeCloseTo(Math.log(Math.exp(b + d) + Math.exp(b)), 10);
      }),
    );
    expect(log1mExp(-1e-20)).toBeCloseTo(Math.log(1e-20), 12);
    expect(log1mExp(-50)).toBe(-Math.exp(-50));
    expect(logDiffExp(3, 3)).toBe(-Infinity);
    expect(logDiffExp(3, -Infinity)).toBe(3);
  });
});
