import type { Genes } from './parameter.js';
import type { SearchSpace } from './search-space.js';

/**
 * Canonical points that differ from a canonical point by one step of one active grid gene: ±1 for int, stepped float and ordinal,
 * any other value for categorical. Continuous genes stay. Switching a parent sets the genes it switches off (or on) to
 * their defaults. No point twice, never the point itself.
 */
export function gridNeighbours(space: SearchSpace, genes: Genes): Genes[] {
  const active = space.active(genes);
  const seen = new Set([space.key(genes)]);
  const found: Genes[] = [];
  space.parameters.forEach((p, i) => {
    const size = space.sizes[i]!;
    if (!active[i] || size === Infinity) return;
    const own = genes[i]!;
    const values = p.type === 'categorical' ? Array.from({ length: size }, (_, k) => k) : [own - 1, own + 1];
    for (const v of values) {
      if (v < 0 || v >= size || v === own) continue;
      const next = space.canonical(genes.map((g, j) => (j === i ? v : g)));
      const key = space.key(next);
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(next);
    }
  });
  return found;
}
