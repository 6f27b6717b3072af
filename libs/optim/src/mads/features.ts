import type { Genes, SearchSpace } from '@app/space';

/**
 * Genes as the learned distances see them: categories first, compared by equality; then the ordered parameters on the unit scale; then,
 * for each list of values that several categories have in common, the share of those categories at each level (for a cell: how many
 * 3×3 convolutions).
 */
export class Features {
  readonly categories: readonly number[];
  readonly ordered: readonly number[];
  /** groups of ≥ 2 categories with one list of values: indexes and number of levels */
  readonly groups: readonly { readonly members: readonly number[]; readonly levels: number }[];
  readonly length: number;
  /** index of the first ordered feature, and of the first share */
  readonly firstOrdered: number;
  readonly firstShare: number;
  /** per feature what the linear part of a model counts from: the middle of the scale, an even share */
  readonly centre: Float64Array;
  /** categories without a group, with 1 / number of levels */
  readonly alone: readonly { readonly feature: number; readonly even: number }[];

  constructor(readonly space: SearchSpace) {
    const all = space.parameters.map((_, i) => i).filter((i) => space.sizes[i] !== 1);
    this.categories = all.filter((i) => space.parameters[i]!.type === 'categorical');
    this.ordered = all.filter((i) => space.parameters[i]!.type !== 'categorical');
    const byList = new Map<string, number[]>();
    for (const i of this.categories) {
      const p = space.parameters[i]!;
      const list = p.type === 'categorical' ? JSON.stringify(p.values) : '';
      byList.set(list, [...(byList.get(list) ?? []), i]);
    }
    this.groups = [...byList.values()].filter((g) => g.length > 1).map((members) => ({ members, levels: space.sizes[members[0]!]! }));
    this.firstOrdered = this.categories.length;
    this.firstShare = all.length;
    this.length = all.length + this.groups.reduce((s, g) => s + g.levels, 0);
    this.centre = new Float64Array(this.length);
    for (let k = this.firstOrdered; k < this.firstShare; k++) this.centre[k] = 0.5;
    let at = this.firstShare;
    for (const { levels } of this.groups) this.centre.fill(1 / levels, at, (at += levels));
    const grouped = new Set(this.groups.flatMap((g) => g.members));
    this.alone = this.categories.flatMap((i, k) => (grouped.has(i) ? [] : [{ feature: k, even: 1 / space.sizes[i]! }]));
  }

  of(genes: Genes): Float64Array {
    const unit = this.space.toUnit(genes);
    const out = new Float64Array(this.length);
    let at = 0;
    for (const i of this.categories) out[at++] = genes[i]!;
    for (const i of this.ordered) out[at++] = unit[i]!;
    for (const { members, levels } of this.groups) {
      for (const i of members) out[at + genes[i]!]! += 1 / members.length;
      at += levels;
    }
    return out;
  }

  /** What feature k adds to a distance under weight 1. */
  gap(k: number, a: Float64Array, b: Float64Array): number {
    if (k < this.firstOrdered) return a[k] === b[k] ? 0 : 1;
    const t = a[k]! - b[k]!;
    return t * t;
  }

  distance(a: Float64Array, b: Float64Array, weights: ArrayLike<number>): number {
    let d = 0;
    for (let k = 0; k < this.length; k++) d += weights[k]! * this.gap(k, a, b);
    return d;
  }
}
