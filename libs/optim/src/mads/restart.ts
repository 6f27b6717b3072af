import { Sobol } from '@app/numeric';
import type { Genes } from '@app/space';
import type { Proposal } from './context.js';
import type { MadsRun } from './mads-run.js';
import { meshStep, unitVector } from './poll-directions.js';

const DRAWS = 1000;
const MOST_KNOWN = 1000;
const TRIES = 20;

/** Of 1000 Sobol points the unseen one farthest from all that is known (the last thousand of it); null: the space is exhausted. */
export function farthestPoint(run: MadsRun): Genes | null {
  const { space, ledger } = run;
  const known = [...ledger.history.slice(-MOST_KNOWN), ...ledger.pending.values()].map((c) => run.features.of(c.genes));
  const weights = new Float64Array(run.features.length).fill(1);
  const sequence = new Sobol(space.dimension, run.rng.nextUint32());
  let best: { genes: Genes; distance: number } | null = null;
  for (let t = 0; t < DRAWS; t++) {
    const genes = space.fromUnit(sequence.point(t));
    if (!ledger.isOpen(genes)) continue;
    const x = run.features.of(genes);
    let distance = Infinity;
    for (const k of known) {
      distance = Math.min(distance, run.features.distance(x, k, weights));
      if (best !== null && distance <= best.distance) break;
    }
    if (best === null || distance > best.distance) best = { genes, distance };
  }
  return best?.genes ?? ledger.drawRandom(run.rng);
}

/** A poll point or a categorical change of a random listed point; null if twenty of them were known. */
export function fillPoint(run: MadsRun): Proposal | null {
  const list = run.barrier.feasible.length > 0 ? run.barrier.feasible : run.barrier.infeasible;
  for (let t = 0; t < TRIES && list.length > 0; t++) {
    const centre = run.rng.pick(list);
    const genes = [...centre.point.genes];
    const { coordinates, categories } = run.free(genes);
    if (coordinates.length + categories.length === 0) continue;
    const along = run.rng.int(coordinates.length + categories.length) < coordinates.length;
    if (along) meshStep(unitVector(run.rng, coordinates.length), coordinates, run.axes, centre.mesh).forEach((s, i) => (genes[i] = genes[i]! + s));
    else {
      const i = run.rng.pick(categories);
      genes[i] = (genes[i]! + 1 + run.rng.int(run.space.sizes[i]! - 1)) % run.space.sizes[i]!;
    }
    const next = run.space.canonical(genes);
    if (run.ledger.admit(next)) return { genes: next, step: 'fill', from: centre.point.key, mesh: centre.mesh, along };
  }
  return null;
}
