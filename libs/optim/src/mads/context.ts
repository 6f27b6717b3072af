import type { Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';
import type { SearchProblem, Told } from '../contract.js';
import type { Ledger } from '../ledger.js';
import type { Barrier, Listed } from './barrier.js';
import type { Evaluated } from './evaluated.js';
import type { Mesh, MeshAxis } from './granular-mesh.js';

/** What the search and poll steps see of a run. */
export interface Context {
  readonly problem: SearchProblem;
  readonly space: SearchSpace;
  readonly axes: readonly (MeshAxis | null)[];
  readonly ledger: Ledger;
  readonly barrier: Barrier;
  readonly rng: Rng;
  /** [constraints] */
  readonly scales: readonly number[];
  /** Non-dominated feasible points of the whole run, not only since the last restart. */
  front(): readonly Evaluated[];
  /** Points that were on the front when they were told, in that order. */
  successes(): readonly Evaluated[];
  /** The latest told points that share the categories and the activity of these genes, as many as a search looks through. */
  kin(genes: Genes): readonly Told[];
  /** Mesh of a listed point; the initial one for others. */
  meshOf(key: string): Mesh;
}

/** A point a step would like to ask. */
export interface Proposal {
  readonly genes: Genes;
  readonly step: string;
  /** key of the point it was made from */
  readonly from: string;
  /** of that point: what the new one inherits */
  readonly mesh: Mesh;
  /** made by moving along the mesh: a success coarsens the inherited mesh along the move */
  readonly along: boolean;
}

/** Active coordinates on the mesh. */
export function freeCoordinates(context: Context, genes: Genes): number[] {
  const active = context.space.active(genes);
  return context.axes.flatMap((a, i) => (a && active[i] ? [i] : []));
}

/** Active categories with a choice. */
export function freeCategories(context: Context, genes: Genes): number[] {
  const active = context.space.active(genes);
  return context.space.parameters.flatMap((p, i) => (p.type === 'categorical' && active[i] && context.space.sizes[i]! > 1 ? [i] : []));
}

/**
 * Proposals in their order without those taken, repeated, equal to their origin, or known to break a limit; genes made canonical.
 * @param pool  one of many to choose from: what breaks a limit is not counted as screened
 */
export function fresh(context: Context, proposals: readonly Proposal[], pool = false): Proposal[] {
  const met = new Set<string>();
  const out: Proposal[] = [];
  for (const p of proposals) {
    const genes = context.space.canonical(p.genes);
    const key = context.space.key(genes);
    if (met.has(key)) continue;
    met.add(key);
    if (!(pool ? context.ledger.isOpen(genes) : context.ledger.admit(genes))) continue;
    out.push({ ...p, genes });
  }
  return out;
}

export function fromCentre(centre: Listed, genes: Genes, step: string, along: boolean): Proposal {
  return { genes, step, from: centre.point.key, mesh: centre.mesh, along };
}
