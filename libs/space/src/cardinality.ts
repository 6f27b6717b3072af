/**
 * Number of distinct points of a space with conditional parameters, without listing them.
 *
 * Decide one parent at a time, its values grouped by which children they switch on; what remains falls apart into groups that no
 * open condition links, whose counts multiply. Linear for trees of conditions; exponential only in the parents that one
 * linked group still shares.
 */
import type { CheckedSpace } from './validate.js';

/** @returns exact up to 2^53, the nearest double above (at most Number.MAX_VALUE); Infinity if any parameter is continuous */
export function countPoints(space: CheckedSpace): number {
  if (space.axes.some((a) => a.size === Infinity)) return Infinity;
  const n = countGroups(space, space.order, new Map());
  return n === Infinity ? Number.MAX_VALUE : n;
}

/** Met so far: parent → its gene, or null where it is inactive. Every condition of a listed parameter is open or holds. */
type Decided = Map<number, number | null>;

function countGroups(space: CheckedSpace, listed: readonly number[], decided: Decided): number {
  let product = 1;
  for (const group of linkedGroups(space, listed, decided)) product *= countGroup(space, group, decided);
  return product;
}

function countGroup(space: CheckedSpace, group: readonly number[], decided: Decided): number {
  const top = group.find((i) => space.requirements[i]!.every((r) => decided.has(r.parent)))!;
  const size = space.axes[top]!.size;
  const rest = group.filter((i) => i !== top);
  const children = rest.filter((i) => space.requirements[i]!.some((r) => r.parent === top));
  if (children.length === 0) return size * (rest.length === 0 ? 1 : countGroups(space, rest, decided));
  const named = new Set<number>();
  for (const c of children) for (const r of space.requirements[c]!) if (r.parent === top) for (const g of r.genes) named.add(g);
  const classes = new Map<string, { gene: number; count: number }>();
  for (const gene of named) {
    const sign = children.map((c) => (holds(space, c, top, gene) ? '1' : '0')).join('');
    const known = classes.get(sign);
    if (known) known.count++;
    else classes.set(sign, { gene, count: 1 });
  }
  let total = 0;
  if (size > named.size) total += (size - named.size) * countWith(space, rest, decided, top, null);
  for (const { gene, count } of classes.values()) total += count * countWith(space, rest, decided, top, gene);
  return total;
}

function holds(space: CheckedSpace, child: number, parent: number, gene: number): boolean {
  return space.requirements[child]!.every((r) => r.parent !== parent || r.genes.has(gene));
}

function countWith(space: CheckedSpace, rest: readonly number[], decided: Decided, top: number, gene: number | null): number {
  const next: Decided = new Map(decided).set(top, gene);
  const kept: number[] = [];
  for (const i of rest) {
    const off = space.requirements[i]!.some((r) => {
      const g = next.get(r.parent);
      return g === null || (g !== undefined && !r.genes.has(g));
    });
    if (off) next.set(i, null);
    else kept.push(i);
  }
  return countGroups(space, kept, next);
}

/** Groups, each with parents first, of the listed parameters; two are linked where one is an undecided parent of the other. */
function linkedGroups(space: CheckedSpace, listed: readonly number[], decided: Decided): number[][] {
  const root = new Map<number, number>(listed.map((i) => [i, i]));
  const find = (i: number): number => {
    let r = i;
    while (root.get(r) !== r) r = root.get(r)!;
    return r;
  };
  for (const i of listed) {
    for (const r of space.requirements[i]!) if (!decided.has(r.parent)) root.set(find(i), find(r.parent));
  }
  const groups = new Map<number, number[]>();
  for (const i of listed) {
    const r = find(i);
    const group = groups.get(r);
    if (group) group.push(i);
    else groups.set(r, [i]);
  }
  return [...groups.values()];
}
