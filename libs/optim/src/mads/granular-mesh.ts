/**
 * Mesh and frame of one coordinate, in gene units.
 *
 * A level ℓ = 3b + k stands for mantissa a = 1, 2, 5 (k = 0, 1, 2) and exponent b; ℓ0 is the initial level, γ the granularity (1 for an
 * index on a grid, 0 for a continuous gene):
 *   frame  Δ = w·a·10^b            with w = γ if γ > 0, else 1
 *   mesh   δ = 10^(b - |b - b0|)   if γ = 0, else γ·max(1, 10^(b - |b - b0|))
 * δ falls twice as fast in the exponent as Δ, which makes the reachable directions dense in the limit.
 * Audet, Le Digabel, Tribes, The mesh adaptive direct search algorithm for granular and discrete variables, SIAM J. Optim. 29 (2019).
 */
import type { SearchSpace } from '@app/space';

export interface MeshAxis {
  readonly granularity: 0 | 1;
  /** span of the gene: 1 for continuous, size - 1 for a grid */
  readonly range: number;
  readonly initialLevel: number;
}

/** Levels, one a parameter; 0 where the parameter is not on the mesh. */
export type Mesh = readonly number[];

const MANTISSAS = [1, 2, 5] as const;
/** A continuous mesh below this part of the range counts as refined to the end. */
const FINEST = 1e-9;

/** Per parameter: its mesh axis; null for a category or a single value. */
export function meshAxes(space: SearchSpace): (MeshAxis | null)[] {
  return space.parameters.map((p, i) => {
    const size = space.sizes[i]!;
    if (p.type === 'categorical' || size === 1) return null;
    if (size === Infinity) return { granularity: 0, range: 1, initialLevel: levelOf(0.1) };
    const range = size - 1;
    return { granularity: 1, range, initialLevel: levelOf(Math.max(1, Math.ceil(0.1 * range))) };
  });
}

export function initialMesh(axes: readonly (MeshAxis | null)[]): Mesh {
  return axes.map((a) => a?.initialLevel ?? 0);
}

/** The level whose frame is nearest to t > 0 on the ladder 1, 2, 5, 10, … */
function levelOf(t: number): number {
  const b = Math.floor(Math.log10(t) + 1e-12);
  const a = t / 10 ** b;
  return 3 * b + (a < 1.5 ? 0 : a < 3.5 ? 1 : a < 7.5 ? 2 : 3);
}

const exponent = (level: number): number => Math.floor(level / 3);
const tidy = (v: number): number => Number(v.toPrecision(15));

export function frameSize(axis: MeshAxis, level: number): number {
  const b = exponent(level);
  return tidy(Math.max(axis.granularity, MANTISSAS[level - 3 * b]! * 10 ** b));
}

export function meshSize(axis: MeshAxis, level: number): number {
  const b = exponent(level);
  const fine = tidy(10 ** (b - Math.abs(b - exponent(axis.initialLevel))));
  return axis.granularity === 0 ? fine : Math.max(1, fine);
}

export function refined(axes: readonly (MeshAxis | null)[], mesh: Mesh): Mesh {
  return mesh.map((level, i) => {
    const axis = axes[i];
    if (!axis) return level;
    return axis.granularity === 1 ? Math.max(0, level - 1) : level - 1;
  });
}

/**
 * Coarser along the variables that a step used: |s_i| > 0.1·Δ_i. A continuous variable that has fallen behind (b < b0 and
 * ratio Δ/δ above the square of the least ratio) comes along. The frame never exceeds the range.
 * @param step  in gene units; null: all variables
 */
export function coarsened(axes: readonly (MeshAxis | null)[], mesh: Mesh, step: readonly number[] | null): Mesh {
  const ratios = axes.flatMap((a, i) => (a && a.granularity === 0 ? [frameSize(a, mesh[i]!) / meshSize(a, mesh[i]!)] : []));
  const least = Math.min(...ratios);
  return mesh.map((level, i) => {
    const axis = axes[i];
    if (!axis) return level;
    const used = step === null || Math.abs(step[i]!) / frameSize(axis, level) > 0.1;
    const behind = axis.granularity === 0 && exponent(level) < exponent(axis.initialLevel) && frameSize(axis, level) / meshSize(axis, level) > least ** 2;
    return (used || behind) && frameSize(axis, level + 1) <= axis.range ? level + 1 : level;
  });
}

/** Nothing left to refine: grids at frame 1, continuous meshes below FINEST. */
export function isFinest(axes: readonly (MeshAxis | null)[], mesh: Mesh): boolean {
  return axes.every((a, i) => a === null || (a.granularity === 1 ? mesh[i]! <= 0 : meshSize(a, mesh[i]!) < FINEST));
}

/** Largest frame relative to its range, over the continuous variables if there are any, else over the grids; 1 without either. */
export function relativeFrame(axes: readonly (MeshAxis | null)[], mesh: Mesh): number {
  const of = (granularity: 0 | 1): number[] => axes.flatMap((a, i) => (a && a.granularity === granularity ? [frameSize(a, mesh[i]!) / a.range] : []));
  const continuous = of(0);
  const sizes = continuous.length > 0 ? continuous : of(1);
  return sizes.length > 0 ? Math.max(...sizes) : 1;
}
