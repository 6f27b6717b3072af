/**
 * Logarithm of the expected hypervolume improvement of one point with independent normal outcomes, in closed form for any number of
 * objectives; for one objective it is log EI.
 *
 *   T_j(a) = E (a - Y_j)⁺ = s_j (φ(z) + z Φ(z)),  z = (a - m_j)/s_j,  T_j(-∞) = 0
 *   EHVI = Σ_k Π_j (T_j(up_kj) - T_j(lo_kj))   over disjoint boxes k of the region that would improve
 *   dT/dm = -Φ(z), dT/ds = φ(z)
 *
 * An objective that is known before it is evaluated has s_j = 0 and T_j(a) = (a - m_j)⁺, so that the boxes are integrated over the
 * others alone; its slopes are those of T_j.
 *
 * Emmerich, Yang, Deutz, Wang, Fonseca 2016 for the sum over boxes; logarithms as Ament et al. 2023. Summed plainly where that does not
 * underflow, in logarithms otherwise, so the value is finite wherever doubles can tell it from -∞, and so is its gradient.
 */
import { hazard, log1mExp, logH, logNormalCdf, logSumExp, normalTerms } from '@app/numeric';
import type { Boxes } from '@app/pareto';

const PLAIN_ABOVE = 1e-200;
const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);

export class LogEhvi {
  readonly #m: number;
  readonly #count: number;
  /** distinct finite sides of each objective */
  readonly #sides: Float64Array[] = [];
  /** [count, m] index into the sides; -1: -∞ */
  readonly #lower: Int32Array;
  readonly #upper: Int32Array;
  readonly #z: Float64Array[];
  readonly #T: Float64Array[];
  readonly #P: Float64Array[];
  readonly #p: Float64Array[];
  readonly #widths: Float64Array;

  constructor(boxes: Boxes) {
    const m = (this.#m = boxes.objectives);
    this.#count = boxes.count;
    this.#lower = new Int32Array(boxes.count * m).fill(-1);
    this.#upper = new Int32Array(boxes.count * m);
    for (let j = 0; j < m; j++) {
      const index = new Map<number, number>();
      const place = (side: number): number => {
        if (!index.has(side)) index.set(side, index.size);
        return index.get(side)!;
      };
      for (let k = 0; k < boxes.count; k++) {
        this.#upper[k * m + j] = place(boxes.upper[k * m + j]!);
        const lo = boxes.lower[k * m + j]!;
        if (lo !== -Infinity) this.#lower[k * m + j] = place(lo);
      }
      this.#sides.push(Float64Array.from(index.keys()));
    }
    const scratch = (): Float64Array[] => this.#sides.map((s) => new Float64Array(s.length));
    [this.#z, this.#T, this.#P, this.#p] = [scratch(), scratch(), scratch(), scratch()];
    this.#widths = new Float64Array(m);
  }

  /**
   * @param mean  [m], in the units of the boxes
   * @param sd    [m]; 0: the mean is the outcome
   * @param byMean, bySd  [m], overwritten with the gradient if given
   */
  value(mean: ArrayLike<number>, sd: ArrayLike<number>, byMean?: Float64Array, bySd?: Float64Array): number {
    const m = this.#m;
    for (let j = 0; j < m; j++) this.#integrate(j, mean[j]!, sd[j]!);
    const widths = this.#widths;
    let sum = 0;
    byMean?.fill(0);
    bySd?.fill(0);
    for (let k = 0; k < this.#count; k++) {
      let product = 1;
      for (let j = 0; j < m; j++) {
        const lo = this.#lower[k * m + j]!;
        widths[j] = this.#T[j]![this.#upper[k * m + j]!]! - (lo < 0 ? 0 : this.#T[j]![lo]!);
        product *= widths[j]!;
      }
      sum += product;
      if (!byMean || !bySd) continue;
      for (let j = 0; j < m; j++) {
        let others = 1;
        for (let i = 0; i < m; i++) if (i !== j) others *= widths[i]!;
        const [lo, up] = [this.#lower[k * m + j]!, this.#upper[k * m + j]!];
        byMean[j]! -= others * (this.#P[j]![up]! - (lo < 0 ? 0 : this.#P[j]![lo]!));
        bySd[j]! += others * (this.#p[j]![up]! - (lo < 0 ? 0 : this.#p[j]![lo]!));
      }
    }
    if (!(sum > PLAIN_ABOVE)) return this.#inLogarithms(mean, sd, byMean, bySd);
    for (let j = 0; j < m && byMean && bySd; j++) {
      byMean[j]! /= sum;
      bySd[j]! /= sum;
    }
    return Math.log(sum);
  }

  /** T, Φ and φ at the sides of one objective. */
  #integrate(j: number, mean: number, sd: number): void {
    const [sides, z, T, P, p] = [this.#sides[j]!, this.#z[j]!, this.#T[j]!, this.#P[j]!, this.#p[j]!];
    if (sd === 0) {
      for (let i = 0; i < sides.length; i++) {
        T[i] = Math.max(0, sides[i]! - mean);
        P[i] = sides[i]! > mean ? 1 : 0;
        p[i] = 0;
      }
      return;
    }
    for (let i = 0; i < sides.length; i++) z[i] = (sides[i]! - mean) / sd;
    normalTerms(z, p, P, T);
    for (let i = 0; i < sides.length; i++) T[i]! *= sd;
  }

  #inLogarithms(mean: ArrayLike<number>, sd: ArrayLike<number>, byMean?: Float64Array, bySd?: Float64Array): number {
    const [m, count] = [this.#m, this.#count];
    const z = (j: number, side: number): number => (this.#sides[j]![side]! - mean[j]!) / sd[j]!;
    const known = (j: number): boolean => sd[j] === 0;
    const logWidths = new Float64Array(count * m);
    const terms = new Float64Array(count);
    for (let k = 0; k < count; k++) {
      for (let j = 0; j < m; j++) {
        const lo = this.#lower[k * m + j]!;
        if (known(j)) {
          logWidths[k * m + j] = Math.log(this.#T[j]![this.#upper[k * m + j]!]! - (lo < 0 ? 0 : this.#T[j]![lo]!));
          terms[k]! += logWidths[k * m + j]!;
          continue;
        }
        const up = logH(z(j, this.#upper[k * m + j]!));
        logWidths[k * m + j] = Math.log(sd[j]!) + (lo < 0 ? up : logLess(up, logH(z(j, lo))));
        terms[k]! += logWidths[k * m + j]!;
      }
    }
    const total = logSumExp(terms);
    if (!byMean || !bySd) return total;
    byMean.fill(0);
    bySd.fill(0);
    if (total === -Infinity) return total;
    for (let k = 0; k < count; k++) {
      const share = Math.exp(terms[k]! - total);
      if (!(share > 0)) continue;
      for (let j = 0; j < m; j++) {
        const logWidth = logWidths[k * m + j]!;
        if (known(j)) {
          const below = this.#lower[k * m + j]!;
          byMean[j]! -= (share * (this.#P[j]![this.#upper[k * m + j]!]! - (below < 0 ? 0 : this.#P[j]![below]!))) / Math.exp(logWidth);
          continue;
        }
        const [zu, lo] = [z(j, this.#upper[k * m + j]!), this.#lower[k * m + j]!];
        const zl = lo < 0 ? -Infinity : z(j, lo);
        byMean[j]! -= share * Math.exp(logLess(logNormalCdf(zu), logNormalCdf(zl)) - logWidth);
        bySd[j]! += share * (Math.exp(logPdf(zu) - logWidth) - Math.exp(logPdf(zl) - logWidth));
      }
    }
    return total;
  }
}

/** log Φ(-m/s), the probability that a constraint with threshold 0 holds; gradient by m and s into the last two, at index c. */
export function logFeasible(mean: number, sd: number, c = 0, byMean?: Float64Array, bySd?: Float64Array): number {
  const z = -mean / sd;
  if (byMean && bySd) {
    const h = hazard(z);
    byMean[c] = -h / sd;
    bySd[c] = (h * mean) / (sd * sd);
  }
  return logNormalCdf(z);
}

const logPdf = (z: number): number => -0.5 * z * z - LOG_SQRT_2PI;

/** log(exp a - exp b), -∞ where rounding makes them equal or crosses them. */
function logLess(a: number, b: number): number {
  return a === -Infinity || b >= a ? -Infinity : b === -Infinity ? a : a + log1mExp(b - a);
}
