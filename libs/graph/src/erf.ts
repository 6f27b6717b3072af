/**
 * Error function 2/√π ∫₀ˣ exp(−t²) dt, absolute error below 1e-14. erf(±∞) = ±1, erf(NaN) = NaN.
 *
 * Maclaurin series in the form 2/√π · exp(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!! (all terms of one sign, so nothing cancels);
 * Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.6. Beyond |x| = 6 the result is ±1 in double precision.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
