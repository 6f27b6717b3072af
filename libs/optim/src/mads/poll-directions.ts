/**
 * Poll directions: orthogonal maximal positive bases from Householder matrices of random unit vectors, rounded to the mesh.
 * Abramson, Audet, Dennis, Le Digabel, OrthoMADS, SIAM J. Optim. 20 (2009); the random sphere instead of Halton points.
 */
import type { Rng } from '@app/numeric';
import { frameSize, meshSize, type Mesh, type MeshAxis } from './granular-mesh.js';

/** Uniform on the unit sphere: [n]. */
export function unitVector(rng: Rng, n: number): number[] {
  for (;;) {
    const v = Array.from({ length: n }, () => rng.normal());
    const norm = Math.hypot(...v);
    if (norm > 1e-12) return v.map((x) => x / norm);
  }
}

/** The columns of I - 2uuᵀ, each followed by its opposite: 2n directions of length 1. */
export function orthogonalDirections(rng: Rng, n: number): number[][] {
  const u = unitVector(rng, n);
  const out: number[][] = [];
  for (let c = 0; c < n; c++) {
    const column = u.map((ui, r) => (r === c ? 1 : 0) - 2 * ui * u[c]!);
    out.push(column, column.map((v) => -v));
  }
  return out;
}

/**
 * The first n of the ranked directions that are linearly independent: half of a 2n basis, one of each pair. The negative of the sum
 * of their steps completes a minimal positive basis (n + 1).
 */
export function independentHalf(ranked: readonly (readonly number[])[]): (readonly number[])[] {
  const kept: (readonly number[])[] = [];
  for (const d of ranked) {
    if (kept.every((k) => Math.abs(k.reduce((s, v, i) => s + v * d[i]!, 0)) < 0.5)) kept.push(d);
  }
  return kept;
}

/**
 * Step on the mesh along a direction: δ_i·round(ρ_i·v_i / max|v|), ρ = Δ/δ, at places `free`; 0 elsewhere. F-M4 of the mesh arithmetic.
 * @param free  indexes of the coordinates that the direction's components belong to
 */
export function meshStep(direction: readonly number[], free: readonly number[], axes: readonly (MeshAxis | null)[], mesh: Mesh): number[] {
  const largest = Math.max(...direction.map(Math.abs));
  const step = new Array<number>(axes.length).fill(0);
  free.forEach((i, c) => {
    const axis = axes[i]!;
    const delta = meshSize(axis, mesh[i]!);
    const ratio = frameSize(axis, mesh[i]!) / delta;
    step[i] = delta * Math.round((ratio * direction[c]!) / largest);
  });
  return step;
}

/** A search point may lie on a mesh this much finer than the frame: still one of finitely many, and close to what a model meant. */
const SEARCH_FINENESS = 1e-4;

/**
 * Nearest point of the search mesh around a centre to a target: [dimension]; coordinates off the mesh stay as in the target.
 * @param fineness  the search mesh, as a part of the frame
 */
export function ontoMesh(target: readonly number[], centre: readonly number[], axes: readonly (MeshAxis | null)[], mesh: Mesh, fineness = SEARCH_FINENESS): number[] {
  return target.map((t, i) => {
    const axis = axes[i];
    if (!axis) return t;
    const own = meshSize(axis, mesh[i]!);
    const delta = axis.granularity === 0 ? Math.min(own, fineness * frameSize(axis, mesh[i]!)) : own;
    return centre[i]! + delta * Math.round((t - centre[i]!) / delta);
  });
}
