/**
 * Normal distribution and its relatives where the plain forms underflow, and sums and differences in logarithms.
 * Abramowitz & Stegun, ch. 7 and 26; Cody 1969; log h: Ament, Daulton, Eriksson, Balandat, Bakshy, Unexpected improvements to expected improvement, 2023.
 */
const SQRT_PI = Math.sqrt(Math.PI);
const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);
const INVERSE_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
const SQRT_HALF_PI = Math.sqrt(Math.PI / 2);

/**
 * exp(x²)·erfc(x), relative error below 1e-13 for all x where it is finite (x > -26.6, Infinity below).
 * Power series of erf up to 0.46875 (7.1.6, all terms of one sign), rational Chebyshev approximations above (Cody 1969, Math. Comp. 23).
 */
export function erfcx(x: number): number {
  if (x < 0) return 2 * Math.exp(x * x) - erfcx(-x);
  if (x < 0.46875) return Math.exp(x * x) - erfSeries(x);
  if (x > 4) {
    if (x > 1e8) return 1 / (x * SQRT_PI);
    const y = 1 / (x * x);
    let [over, under] = [FAR_OVER[5]! * y, y];
    for (let k = 0; k < 4; k++) {
      over = (over + FAR_OVER[k]!) * y;
      under = (under + FAR_UNDER[k]!) * y;
    }
    return (1 / SQRT_PI - (y * (over + FAR_OVER[4]!)) / (under + FAR_UNDER[4]!)) / x;
  }
  let [over, under] = [NEAR_OVER[8]! * x, x];
  for (let k = 0; k < 7; k++) {
    over = (over + NEAR_OVER[k]!) * x;
    under = (under + NEAR_UNDER[k]!) * x;
  }
  return (over + NEAR_OVER[7]!) / (under + NEAR_UNDER[7]!);
}

/** Cody's coefficients of erfc for 0.46875 ≤ x ≤ 4 and for x > 4, highest power first; the last of the numerator leads. */
const NEAR_OVER = [
  5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3,
  2.05107837782607147e3, 1.23033935479799725e3, 2.15311535474403846e-8,
];
const NEAR_UNDER = [
  1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3, 3.29079923573345963e3, 4.36261909014324716e3,
  3.43936767414372164e3, 1.23033935480374942e3,
];
const FAR_OVER = [3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4, 1.63153871373020978e-2];
const FAR_UNDER = [2.56852019228982242, 1.87295284992346047, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3];

/** exp(x²)·erf(x) for |x| ≤ 2 */
function erfSeries(x: number): number {
  let [term, sum] = [x, x];
  for (let k = 1; term > 1e-17 * sum; k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / SQRT_PI) * sum;
}

/**
 * φ(z), Φ(z) and φ(z) + z Φ(z) at once, for many values: one exponential each. Relative error of the last below 1e-12; all three
 * underflow for z < -38.
 * @param density, cumulative, gain  overwritten; as long as z
 */
export function normalTerms(z: Float64Array, density: Float64Array, cumulative: Float64Array, gain: Float64Array): void {
  for (let i = 0; i < z.length; i++) {
    const v = z[i]!;
    const a = Math.abs(v);
    const e = Math.exp(-0.5 * v * v);
    const x = erfcx(a * Math.SQRT1_2);
    const [phi, tail] = [e * INVERSE_SQRT_2PI, 0.5 * e * x];
    density[i] = phi;
    cumulative[i] = v <= 0 ? tail : 1 - tail;
    gain[i] = v > -1 ? phi + v * cumulative[i]! : phi * (a < 20 ? 1 - a * SQRT_HALF_PI * x : farRemainder(a));
  }
}

/** Density of the standard normal. */
export function normalPdf(z: number): number {
  return Math.exp(-0.5 * z * z - LOG_SQRT_2PI);
}

/** Φ(z), relative error below 1e-13 down to where it underflows (z < -38). */
export function normalCdf(z: number): number {
  const half = 0.5 * Math.exp(-0.5 * z * z) * erfcx(Math.abs(z) * Math.SQRT1_2);
  return z <= 0 ? half : 1 - half;
}

/** log Φ(z) for all z. */
export function logNormalCdf(z: number): number {
  if (z > -1) return Math.log(normalCdf(z));
  return -0.5 * z * z + Math.log(0.5 * erfcx(-z * Math.SQRT1_2));
}

/** d log Φ / dz = φ(z)/Φ(z), finite for all z (about -z for z → -∞). */
export function hazard(z: number): number {
  if (z > 5) return normalPdf(z) / normalCdf(z);
  return 2 / (Math.sqrt(2 * Math.PI) * erfcx(-z * Math.SQRT1_2));
}

/** φ(z) + z·Φ(z): expected improvement in units of the deviation. Underflows for z < -38; see `logH`. */
export function improvement(z: number): number {
  return z > -1 ? normalPdf(z) + z * normalCdf(z) : Math.exp(logH(z));
}

/**
 * log(φ(z) + z·Φ(z)) for all z. Plain above -1, where nothing cancels; by erfcx below; by -z²/2 - log √2π - 2 log|z| beyond
 * -1/√ε, where erfcx(-z/√2)·|z| rounds to its limit √(2/π). (Ament et al. 2023, eq. 9)
 */
export function logH(z: number): number {
  if (z > -1) return Math.log(normalPdf(z) + z * normalCdf(z));
  const a = -z;
  if (a > 1e7) return -0.5 * z * z - LOG_SQRT_2PI - 2 * Math.log(a);
  return -0.5 * z * z - LOG_SQRT_2PI + Math.log(tailRemainder(a));
}

/**
 * 1 - a·√(π/2)·erfcx(a/√2), which falls like 1/a². From 4 on by its own continued fraction, since the difference cancels: with
 * Mills' ratio R = 1/(a + 1/(a + 2/(a + …))) it is (1/u)/(a + 1/u), u = a + 2/(a + 3/(a + …)).
 */
function tailRemainder(a: number): number {
  if (a < 4) return 1 - a * Math.sqrt(Math.PI / 2) * erfcx(a * Math.SQRT1_2);
  let u = a;
  for (let k = a < 8 ? 60 : 30; k >= 2; k--) u = a + k / u;
  return 1 / u / (a + 1 / u);
}

/** `tailRemainder` from 20 on, where its asymptotic series ends before rounding: 1/a² - 3/a⁴ + 15/a⁶ - … */
function farRemainder(a: number): number {
  const y = 1 / (a * a);
  return y * (1 - 3 * y * (1 - 5 * y * (1 - 7 * y * (1 - 9 * y * (1 - 11 * y * (1 - 13 * y * (1 - 15 * y * (1 - 17 * y))))))));
}

/** log Σ exp(v); -Infinity for none. Infinite entries may come. */
export function logSumExp(values: ArrayLike<number>): number {
  let top = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > top) top = values[i]!;
  if (top === -Infinity || top === Infinity) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - top);
  return top + Math.log(sum);
}

/** log(1 - exp(t)) for t < 0 (Mächler 2012); -Infinity at 0. */
export function log1mExp(t: number): number {
  return t > -Math.LN2 ? Math.log(-Math.expm1(t)) : Math.log1p(-Math.exp(t));
}

/** log(exp(a) - exp(b)) for a ≥ b; -Infinity where they are equal. */
export function logDiffExp(a: number, b: number): number {
  return b === -Infinity ? a : a + log1mExp(b - a);
}
