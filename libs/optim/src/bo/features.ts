/**
 * Points as the Gaussian processes see them.
 *
 * Numeric features first, compared by squared difference: the position in [0, 1] of every float, int and ordinal parameter, then for
 * each condition of the space whether it holds, then in spaces of categories only the share of parameters at each level of a list
 * that several of them have in common, then in spaces with categories what the space knows of a point's structure (`SearchSpace.features`;
 * a search that moves numeric parameters holds these still on its way). After them one feature a categorical parameter, compared by equality. Inactive parameters
 * stand at their default. Parameters with a single value have no feature.
 */
import type { CategoricalParameter, Genes, SearchSpace } from '@app/space';

export class FeatureMap {
  /** number of features */
  readonly size: number;
  /** features below this index are numeric, the others categories */
  readonly numeric: number;
  /** All free parameters are categorical: the kernel falls off with the mismatches instead of the Matérn form. */
  readonly categoricalOnly: boolean;
  /** per gene: its feature, -1 for none */
  readonly featureOf: Int32Array;
  readonly #space: SearchSpace;
  readonly #numericGenes: number[] = [];
  readonly #categoricalGenes: number[] = [];
  /** one gene for each distinct condition */
  readonly #conditional: number[];
  /** genes that share a list of levels, and how many levels it has */
  readonly #groups: { readonly genes: number[]; readonly levels: number }[] = [];
  readonly #structure: ((genes: Genes) => Float64Array) | null;

  constructor(space: SearchSpace) {
    this.#space = space;
    space.parameters.forEach((p, i) => {
      if (space.sizes[i] === 1) return;
      (p.type === 'categorical' ? this.#categoricalGenes : this.#numericGenes).push(i);
    });
    const conditions = new Map<string, number>();
    space.parameters.forEach((p, i) => {
      if (p.when && space.sizes[i]! > 1) conditions.set(JSON.stringify(p.when), i);
    });
    this.#conditional = [...conditions.values()];
    this.categoricalOnly = this.#numericGenes.length === 0 && this.#conditional.length === 0;
    if (this.categoricalOnly) this.#groups = sharedLevels(space, this.#categoricalGenes);
    this.featureOf = new Int32Array(space.dimension).fill(-1);
    this.#numericGenes.forEach((gene, k) => (this.featureOf[gene] = k));
    this.#structure = (this.#categoricalGenes.length > 0 && space.features) || null;
    const known = this.#structure?.(space.fromUnit(new Float64Array(space.dimension).fill(0.5))).length ?? 0;
    this.numeric = this.#numericGenes.length + this.#conditional.length + this.#groups.reduce((n, g) => n + g.levels, 0) + known;
    this.#categoricalGenes.forEach((gene, k) => (this.featureOf[gene] = this.numeric + k));
    this.size = this.numeric + this.#categoricalGenes.length;
  }

  /** @param genes  canonical */
  of(genes: Genes): Float64Array {
    const out = new Float64Array(this.size);
    const unit = this.#space.toUnit(genes);
    let at = 0;
    for (const gene of this.#numericGenes) out[at++] = unit[gene]!;
    if (this.#conditional.length > 0) {
      const active = this.#space.active(genes);
      for (const gene of this.#conditional) out[at++] = active[gene] ? 1 : 0;
    }
    for (const { genes: members, levels } of this.#groups) {
      for (const gene of members) out[at + genes[gene]!]! += 1 / members.length;
      at += levels;
    }
    if (this.#structure !== null) for (const value of this.#structure(genes)) out[at++] = value;
    for (const gene of this.#categoricalGenes) out[at++] = genes[gene]!;
    return out;
  }
}

function sharedLevels(space: SearchSpace, categorical: readonly number[]): { genes: number[]; levels: number }[] {
  const byList = new Map<string, number[]>();
  for (const gene of categorical) {
    const key = JSON.stringify((space.parameters[gene] as CategoricalParameter).values);
    byList.set(key, [...(byList.get(key) ?? []), gene]);
  }
  return [...byList.values()].filter((genes) => genes.length > 1).map((genes) => ({ genes, levels: space.sizes[genes[0]!]! }));
}
