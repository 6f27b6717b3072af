/**
 * Limited-memory BFGS in a box, by projection. Nocedal & Wright, Numerical Optimization, 2nd ed., alg. 7.4 and § 16.7; Bertsekas 1982
 * for the active set.
 *
 * Coordinates at a bound with the gradient pushing outwards are held; the two-loop recursion gives a direction for the rest, and
 * the step is shortened along the projected path until Armijo's rule holds. Pairs without positive curvature are not learned from.
 */

export interface LbfgsOptions {
  /** [n], may hold -Infinity; default: none */
  readonly lower?: ArrayLike<number> | undefined;
  /** [n], may hold Infinity; default: none */
  readonly upper?: ArrayLike<number> | undefined;
  /** pairs kept, default 10 */
  readonly memory?: number | undefined;
  /** default 100 */
  readonly maxIterations?: number | undefined;
  /** stop when the projected gradient is nowhere larger, default 1e-6 */
  readonly gradientTolerance?: number | undefined;
  /** stop when an iteration gains less than this times max(|f|, 1), default 1e-10 */
  readonly valueTolerance?: number | undefined;
}

export interface LbfgsResult {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  readonly evaluations: number;
  /** whether a tolerance was met; else iterations ran out or no step gained anything */
  readonly converged: boolean;
}

/** Value at x; fills the gradient. NaN or Infinity: not a place to be, the step is shortened. */
export type Differentiable = (x: Float64Array, gradient: Float64Array) => number;

const ARMIJO = 1e-4;
const MAX_HALVINGS = 30;

/**
 * Local minimum of f in the box, from x0 (projected into it first).
 * @throws RangeError if bounds do not fit x0, cross, or f is not finite at the start
 */
export function minimiseLbfgs(f: Differentiable, x0: ArrayLike<number>, options: LbfgsOptions = {}): LbfgsResult {
  const n = x0.length;
  const { lower, upper } = checkedBounds(n, options);
  const { memory = 10, maxIterations = 100, gradientTolerance = 1e-6, valueTolerance = 1e-10 } = options;
  const project = (x: Float64Array): Float64Array => {
    for (let i = 0; i < n; i++) x[i] = Math.min(Math.max(x[i]!, lower[i]!), upper[i]!);
    return x;
  };
  let x = project(Float64Array.from(x0));
  let g = new Float64Array(n);
  let value = f(x, g);
  let evaluations = 1;
  if (!Number.isFinite(value)) throw new RangeError(`expected a finite value at the start, got ${value}`);
  const pairs: Pair[] = [];
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const free = Uint8Array.from(x, (v, i) => ((v <= lower[i]! && g[i]! > 0) || (v >= upper[i]! && g[i]! < 0) ? 0 : 1));
    const size = projectedGradient(x, g, lower, upper);
    if (size <= gradientTolerance) return { x, value, iterations: iteration, evaluations, converged: true };
    const direction = descent(g, free, pairs);
    const step = pairs.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(dot(direction, direction)));
    const next = search(step);
    if (next === undefined) {
      // A poor memory can spoil the direction; forget it once and go down the gradient.
      if (pairs.length === 0) return { x, value, iterations: iteration, evaluations, converged: false };
      pairs.length = 0;
      continue;
    }
    remember(pairs, x, g, next.x, next.g, memory);
    const gain = value - next.value;
    ({ x, g, value } = next);
    if (gain <= valueTolerance * Math.max(Math.abs(value), 1)) return { x, value, iterations: iteration + 1, evaluations, converged: true };

    function search(first: number): { x: Float64Array<ArrayBuffer>; g: Float64Array<ArrayBuffer>; value: number } | undefined {
      let t = first;
      for (let k = 0; k < MAX_HALVINGS; k++) {
        const trial = project(x.map((v, i) => v + t * direction[i]!)) as Float64Array<ArrayBuffer>;
        const gradient = new Float64Array(n);
        const at = f(trial, gradient);
        evaluations++;
        let slope = 0;
        for (let i = 0; i < n; i++) slope += g[i]! * (trial[i]! - x[i]!);
        if (at <= value + ARMIJO * slope && slope < 0) return { x: trial, g: gradient, value: at };
        // Minimum of the parabola through value, slope and the trial, kept within a tenth and a half.
        // Without a slope, where the box swallows the step, there is no parabola.
        const parabola = Number.isFinite(at) && slope < 0 ? (-slope / (2 * (at - value - slope))) * t : 0;
        t = Math.min(Math.max(parabola, 0.1 * t), 0.5 * t);
      }
      return undefined;
    }
  }
  return { x, value, iterations: maxIterations, evaluations, converged: false };
}

interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly sy: number;
}

/** Two-loop recursion on the free coordinates (alg. 7.4), or the negative gradient if that does not go down. */
function descent(g: Float64Array, free: Uint8Array, pairs: readonly Pair[]): Float64Array {
  const masked = g.map((v, i) => (free[i] ? v : 0));
  const q = masked.slice();
  const alphas = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y, sy } = pairs[k]!;
    alphas[k] = dot(s, q) / sy;
    for (let i = 0; i < q.length; i++) q[i]! -= alphas[k]! * y[i]!;
  }
  const last = pairs.at(-1);
  if (last) {
    const gamma = last.sy / dot(last.y, last.y);
    for (let i = 0; i < q.length; i++) q[i]! *= gamma;
  }
  pairs.forEach(({ s, y, sy }, k) => {
    const beta = dot(y, q) / sy;
    for (let i = 0; i < q.length; i++) q[i]! += s[i]! * (alphas[k]! - beta);
  });
  for (let i = 0; i < q.length; i++) q[i] = free[i] ? -q[i]! : 0;
  const down = dot(q, masked) <= -1e-12 * Math.sqrt(dot(q, q) * dot(masked, masked));
  return down ? q : masked.map((v) => -v);
}

function remember(pairs: Pair[], x: Float64Array, g: Float64Array, nextX: Float64Array, nextG: Float64Array, memory: number): void {
  const s = nextX.map((v, i) => v - x[i]!);
  const y = nextG.map((v, i) => v - g[i]!);
  const sy = dot(s, y);
  if (!(sy > 1e-10 * Math.sqrt(dot(s, s) * dot(y, y)))) return;
  pairs.push({ s, y, sy });
  if (pairs.length > memory) pairs.shift();
}

/** Largest move of a unit gradient step within the box. */
function projectedGradient(x: Float64Array, g: Float64Array, lower: Float64Array, upper: Float64Array): number {
  let size = 0;
  for (let i = 0; i < x.length; i++) {
    const moved = Math.min(Math.max(x[i]! - g[i]!, lower[i]!), upper[i]!);
    size = Math.max(size, Math.abs(moved - x[i]!));
  }
  return size;
}

function checkedBounds(n: number, options: LbfgsOptions): { lower: Float64Array; upper: Float64Array } {
  const lower = options.lower ? Float64Array.from(options.lower) : new Float64Array(n).fill(-Infinity);
  const upper = options.upper ? Float64Array.from(options.upper) : new Float64Array(n).fill(Infinity);
  if (lower.length !== n || upper.length !== n) throw new RangeError(`expected ${n} bounds, got ${lower.length} lower and ${upper.length} upper`);
  for (let i = 0; i < n; i++) if (!(lower[i]! <= upper[i]!)) throw new RangeError(`bounds[${i}]: expected lower ≤ upper, got ${lower[i]} and ${upper[i]}`);
  return { lower, upper };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
