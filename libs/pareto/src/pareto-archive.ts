import { dominates } from './dominance.js';
import { checkPoint, type Objectives } from './vectors.js';

export interface ArchiveChange<Id> {
  /** whether the point is on the front now */
  readonly added: boolean;
  /** points it pushed off */
  readonly removed: readonly Id[];
}

/**
 * The non-dominated points met so far, each under its id. Equal points are all kept. The members do not depend on the order of insertion.
 *
 * One pass over the members a point, which stops at the first that dominates; a member that dominated comes to the head, since runs of
 * dominated points tend to fall to the same few.
 */
export class ParetoArchive<Id extends string | number = string> {
  readonly #members: { readonly id: Id; readonly point: Float64Array }[] = [];
  readonly #ids = new Set<Id>();
  #objectives = 0;

  /** @throws RangeError on NaN, a point of another length than the first, or an id that is on the front already */
  insert(id: Id, point: Objectives): ArchiveChange<Id> {
    this.#objectives ||= point.length;
    checkPoint(point, this.#objectives);
    if (this.#ids.has(id)) throw new RangeError(`id ${JSON.stringify(id)} is on the front already`);
    const members = this.#members;
    const removed: Id[] = [];
    let kept = 0;
    for (let i = 0; i < members.length; i++) {
      const member = members[i]!;
      // Nothing was removed before: members do not dominate each other, so the point cannot both dominate one and fall to another.
      if (dominates(member.point, point)) {
        [members[0], members[i]] = [member, members[0]!];
        return { added: false, removed: [] };
      }
      if (dominates(point, member.point)) removed.push(member.id);
      else members[kept++] = member;
    }
    members.length = kept;
    for (const gone of removed) this.#ids.delete(gone);
    members.push({ id, point: Float64Array.from(point) });
    this.#ids.add(id);
    return { added: true, removed };
  }

  /** Whether some member dominates the point. */
  dominates(point: Objectives): boolean {
    checkPoint(point, this.#objectives || point.length);
    return this.#members.some((member) => dominates(member.point, point));
  }

  has(id: Id): boolean {
    return this.#ids.has(id);
  }

  get size(): number {
    return this.#members.length;
  }

  /** In no particular order. */
  ids(): Id[] {
    return this.#members.map((member) => member.id);
  }

  /** Copies, in the order of `ids`. */
  points(): Float64Array[] {
    return this.#members.map((member) => member.point.slice());
  }
}
