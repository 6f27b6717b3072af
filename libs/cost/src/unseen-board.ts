/**
 * Cycles of networks on a microcontroller board nobody measured, from boards that share its core or its runtime.
 *
 * One kernel library has one shape of costs over the terms of latency-terms.ts; a series of measurements (a board, a release of the
 * library) lies at a scale of its own, in log
 *
 *   y = library + release + core + core on that library + board + noise
 *
 * with normal effects around 0, the core's around what its CoreMark per MHz promises. Their posterior mean gives the new board's scale
 * (best linear unbiased prediction: Henderson, Biometrics 31, 1975); releases and cores never seen together are told apart by others
 * that were.
 */
import { cholesky, choleskySolve, quantile } from '@app/numeric';
import { commonShape } from './calibrate.js';
import { crossValidate, dot, fitCoefficients, type Sample } from './latency-fit.js';

/** What a board's cycles depend on besides the network. */
export interface BoardKind {
  /** 'Cortex-M7' */
  readonly core: string;
  /** kernel library */
  readonly kernels: string;
  /** release of the library and how it was compiled */
  readonly release: string;
}

export interface BoardSeries extends BoardKind {
  readonly board: string;
  /** values in cycles, ≥ 1 of them */
  readonly samples: readonly Sample[];
}

export interface BoardPrediction {
  /** [TERMS.length], cycles */
  readonly coefficients: Float64Array;
  /** standard deviation of log measured / predicted of one network */
  readonly spread: number;
  /** another board has the very core and release; else core and library are known from different boards */
  readonly kin: 'same core and release' | 'core and library apart';
}

/** CoreMark per MHz as Arm gives it for its cores, best compilers: instructions a cycle without vector arithmetic. */
const COREMARK: Readonly<Record<string, number>> = {
  'Cortex-M0': 2.33, 'Cortex-M0+': 2.46, 'Cortex-M3': 3.34, 'Cortex-M4': 3.42, 'Cortex-M33': 4.02, 'Cortex-M7': 5.01,
};
/** Those with the multiply-accumulate instructions for pairs of 16-bit numbers that int8 kernels are built on. */
const HAVE_DSP: ReadonlySet<string> = new Set(['Cortex-M4', 'Cortex-M33', 'Cortex-M7']);

/** Cores whose kernels are one source: between others a library is another library. */
const familyOf = (core: string): string => (HAVE_DSP.has(core) ? 'Cortex-M with DSP' : core);
const libraryOf = ({ core, kernels }: BoardKind): string => `${kernels}, ${familyOf(core)}`;

/** Standard deviations of the effects in log, set beforehand: a tenth where physics ties them, wide where nothing does. */
const SPREAD = { library: 10, release: 0.3, core: 0.15, coreOnLibrary: 0.05, board: 0.05, series: 0.02, network: 0.1 } as const;

/**
 * Null where the library or the core is unknown.
 *
 * @param known  series of other boards; those of one network count as well
 */
export function predictBoard(target: BoardKind, known: readonly BoardSeries[]): BoardPrediction | null {
  const library = libraryOf(target);
  const kin = known.filter((s) => libraryOf(s) === library);
  if (kin.length === 0 || !known.some((s) => s.core === target.core)) return null;
  const shapes = new Map<string, Float64Array>();
  const shapeOf = (wanted: string): Float64Array => {
    const held = shapes.get(wanted) ?? commonShape(known.filter((s) => libraryOf(s) === wanted).map((s) => s.samples));
    shapes.set(wanted, held);
    return held;
  };
  const scales = known.map((s) => quantile(s.samples.map(({ work, value }) => Math.log(value / dot(work, shapeOf(libraryOf(s))))), 0.5));
  const { mean, variance } = posteriorScale(target, known, scales);

  // the nearest series shape the terms, each brought to the new board's scale
  const near = (s: BoardSeries): boolean => s.core === target.core && s.release === target.release;
  const closest = kin.some(near) ? kin.filter(near) : kin;
  const brought = closest.flatMap((s) => s.samples.map((sample) => ({ ...sample, value: sample.value * Math.exp(mean - scales[known.indexOf(s)]!) })));
  const shape = shapeOf(library).map((c) => c * Math.exp(mean));
  const fit = (samples: readonly Sample[]): Float64Array => fitCoefficients(samples, { coefficients: shape, spread: 1, noise: 0.05 });
  const coefficients = fit(brought);
  const leftOut = crossValidate(brought, (train) => {
    const x = fit(train);
    return (work) => dot(work, x);
  }, 10);
  const scatter = quantile(brought.map(({ value }, i) => Math.abs(Math.log(value / leftOut[i]!))), 0.68);
  return {
    coefficients, spread: Math.sqrt(variance + SPREAD.board ** 2 + SPREAD.series ** 2 + scatter ** 2),
    kin: kin.some(near) ? 'same core and release' : 'core and library apart',
  };
}

/** Posterior mean and variance of the target's scale, its own board's effect left out. */
function posteriorScale(target: BoardKind, known: readonly BoardSeries[], scales: readonly number[]): { mean: number; variance: number } {
  const effects = new Map<string, { readonly at: number; readonly mean: number; readonly spread: number }>();
  const effect = (key: string, spread: number, mean = 0): number => {
    const held = effects.get(key) ?? { at: effects.size, mean, spread };
    effects.set(key, held);
    return held.at;
  };
  const columns = (kind: BoardKind): number[] => {
    const { core, release } = kind;
    const library = libraryOf(kind);
    return [
      effect(`library ${library}`, SPREAD.library), effect(`release ${library} ${release}`, SPREAD.release),
      effect(`core ${core}`, SPREAD.core, core in COREMARK ? Math.log(COREMARK['Cortex-M4']! / COREMARK[core]!) : 0),
      effect(`core ${core} on ${library}`, SPREAD.coreOnLibrary),
    ];
  };
  const wanted = columns(target);
  const rows = known.map((s) => [...columns(s), effect(`board ${s.board}`, SPREAD.board)]);
  const n = effects.size;
  const precision = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const { at, mean, spread } of effects.values()) {
    precision[at * n + at]! += 1 / spread ** 2;
    right[at]! += mean / spread ** 2;
  }
  rows.forEach((row, s) => {
    const weight = 1 / (SPREAD.series ** 2 + SPREAD.network ** 2 / known[s]!.samples.length);
    for (const i of row) {
      right[i]! += weight * scales[s]!;
      for (const j of row) precision[i * n + j]! += weight;
    }
  });
  const { L } = cholesky(precision, n);
  const posterior = choleskySolve(L, n, right);
  const pick = new Float64Array(n);
  for (const i of wanted) pick[i] = 1;
  const covariance = choleskySolve(L, n, pick);
  return { mean: wanted.reduce((sum, i) => sum + posterior[i]!, 0), variance: wanted.reduce((sum, i) => sum + covariance[i]!, 0) };
}
