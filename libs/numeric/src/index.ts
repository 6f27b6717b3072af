export {
  cholesky,
  choleskyAppend,
  choleskyInverse,
  choleskySolve,
  invertLowerTransposed,
  logDiagonal,
  NotPositiveDefinite,
  solveLower,
  solveLowerTransposed,
  type CholeskyFactor,
} from './cholesky.js';
export { InverseFactor } from './inverse-factor.js';
export { KeyTable } from './key-table.js';
export { minimiseLbfgs, type Differentiable, type LbfgsOptions, type LbfgsResult } from './lbfgs.js';
export { leastSquares, type LeastSquares } from './least-squares.js';
export { nonNegativeLeastSquares, type NonNegativeLeastSquares } from './nnls.js';
export { mix32, Rng, type StreamKey } from './rng.js';
export { Sobol } from './sobol.js';
export { erfcx, hazard, improvement, log1mExp, logDiffExp, logH, logNormalCdf, logSumExp, normalCdf, normalPdf, normalTerms } from './special.js';
export { mean, median, quantile, standardDeviation } from './statistics.js';
export { studentQuantile } from './student.js';
