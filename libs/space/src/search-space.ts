import type { Genes, Parameter, Point } from './parameter.js';

export interface SearchSpace {
  readonly parameters: readonly Parameter[];
  /** number of parameters = number of genes */
  readonly dimension: number;
  /** per parameter: number of values; Infinity: continuous */
  readonly sizes: readonly number[];
  /** number of distinct points (conditional parameters counted once where inactive); Infinity if any is continuous */
  readonly cardinality: number;
  decode(genes: Genes): Point;
  /** @throws SpaceError with the path of each fault */
  encode(point: Point): Genes;
  /** Clipped, on the grid, inactive genes at their default. */
  canonical(genes: Genes): Genes;
  /** Equal for equal points, different for different ones; takes canonical genes. */
  key(genes: Genes): string;
  active(genes: Genes): readonly boolean[];
  /** Each gene's position in [0, 1] (log scale applied); categorical: (index + ½) / size. */
  toUnit(genes: Genes): Float64Array;
  /** Inverse of toUnit up to rounding: uniform u gives a uniform draw over values. Canonical. */
  fromUnit(u: ArrayLike<number>): Genes;
  /** All points, each once. @throws RangeError if continuous */
  enumerate(): Generator<Genes>;
  /**
   * What is known of a canonical point's structure, for models that learn over the space: as many numbers at every point, each within
   * about [0, 1], alike where outcomes should be alike. Absent: nothing beyond the genes.
   */
  readonly features?: ((genes: Genes) => Float64Array) | undefined;
}
