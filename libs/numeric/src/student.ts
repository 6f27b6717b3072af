/**
 * Quantile of Student's t: the t that a variable of so many degrees of freedom stays below with probability p. By bisection on the closed
 * forms for whole degrees of freedom (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4).
 *
 * @param p        above 0 and below 1
 * @param freedom  a whole number from 1 on
 * @throws RangeError on another
 */
export function studentQuantile(p: number, freedom: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`expected a probability above 0 and below 1, got ${p}`);
  if (!Number.isSafeInteger(freedom) || freedom < 1) throw new RangeError(`expected whole degrees of freedom from 1 on, got ${freedom}`);
  if (p < 0.5) return -studentQuantile(1 - p, freedom);
  // between −t and t
  const share = 2 * p - 1;
  let [low, high] = [0, 1];
  while (between(high, freedom) < share && high < 1e15) [low, high] = [high, 2 * high];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (between(middle, freedom) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** Probability that |T| ≤ t. */
function between(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom));
  const [sine, square] = [Math.sin(angle), Math.cos(angle) ** 2];
  const odd = freedom % 2;
  if (freedom === 1) return (2 * angle) / Math.PI;
  // 1 + 1/2 cos² + 1·3/(2·4) cos⁴ + …, or cos + 2/3 cos³ + 2·4/(3·5) cos⁵ + …
  let term = odd === 1 ? Math.cos(angle) : 1;
  let sum = term;
  for (let k = 2 + odd; k < freedom; k += 2) {
    term *= ((k - 1) / k) * square;
    sum += term;
  }
  return odd === 1 ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
