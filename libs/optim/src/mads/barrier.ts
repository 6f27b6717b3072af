/**
 * Progressive barrier for any number of objectives: the feasible points no other dominates, and the infeasible ones below the threshold
 * that no other dominates in (f, h). Every listed point owns its mesh.
 * Audet & Dennis, SIAM J. Optim. 20 (2009); Bigeon, Le Digabel, Salomon, DMulti-MADS, Comput. Optim. Appl. 79 (2021), and Handling of
 * constraints in multiobjective blackbox optimization (2024).
 */
import { weaklyDominates } from '@app/pareto';
import type { Evaluated } from './evaluated.js';
import { coarsened, type Mesh, type MeshAxis } from './granular-mesh.js';

export interface Listed {
  readonly point: Evaluated;
  mesh: Mesh;
}

/** How a point stands to the lists it was offered to. */
export type Insertion = 'rejected' | 'listed' | 'dominating';

export class Barrier {
  feasible: Listed[] = [];
  infeasible: Listed[] = [];
  hmax = Infinity;

  constructor(readonly axes: readonly (MeshAxis | null)[]) {}

  /**
   * Points equal to a listed one in everything are rejected: the first stays.
   * @param mesh  of the point's parent; copied, and coarsened if the point dominated a listed one or is the best yet in some objective
   * @param step  from the parent, gene units; null: no direction, the mesh is copied as it is
   */
  insert(point: Evaluated, mesh: Mesh, step: readonly number[] | null): Insertion {
    if (point.h > this.hmax) return 'rejected';
    const list = point.h === 0 ? this.feasible : this.infeasible;
    if (list.some((l) => covers(l.point, point))) return 'rejected';
    const kept = list.filter((l) => !covers(point, l.point));
    const dominated = kept.length < list.length;
    const best = list.length > 0 && point.f.some((v, j) => list.every((l) => v < l.point.f[j]!));
    const own = step !== null && (dominated || best) ? coarsened(this.axes, mesh, step) : mesh;
    kept.push({ point, mesh: own });
    if (point.h === 0) this.feasible = kept;
    else this.infeasible = kept;
    return dominated ? 'dominating' : 'listed';
  }

  /** Lowers the threshold, never raises it, and drops what lies above. */
  lower(hmax: number): void {
    this.hmax = Math.min(this.hmax, hmax);
    this.infeasible = this.infeasible.filter((l) => l.point.h <= this.hmax);
  }

  find(key: string): Listed | undefined {
    return this.feasible.find((l) => l.point.key === key) ?? this.infeasible.find((l) => l.point.key === key);
  }

  /** Infeasible points that no other of them dominates in f alone. */
  infeasibleFront(): Listed[] {
    return this.infeasible.filter((a) => !this.infeasible.some((b) => b !== a && weaklyDominates(b.point.f, a.point.f) && !weaklyDominates(a.point.f, b.point.f)));
  }
}

/** a is nowhere worse than b, in h neither. */
export function covers(a: Evaluated, b: Evaluated): boolean {
  return a.h <= b.h && weaklyDominates(a.f, b.f);
}
