import type { Condition, Parameter, Point, Scalar } from '@app/space';

/**
 * The point with every parameter it leaves out at its declared default. Conditional parameters that end up inactive are not added;
 * parameters without a default stay out, and unknown names stay in, for `SearchSpace.encode` to judge.
 */
export function completePoint(parameters: readonly Parameter[], point: Point): Point {
  const values = new Map<string, Scalar>();
  for (const p of parameters) {
    if (!Object.hasOwn(point, p.name) && p.default !== undefined) values.set(p.name, p.default);
  }
  for (const [name, value] of Object.entries(point)) values.set(name, value);
  const holds = (when: Condition): boolean =>
    Object.entries(when).every(([parent, due]) => values.has(parent) && (Array.isArray(due) ? (due as readonly Scalar[]) : [due as Scalar]).includes(values.get(parent)!));
  for (let before = -1; before !== values.size; ) {
    before = values.size;
    for (const p of parameters) {
      if (p.when && !Object.hasOwn(point, p.name) && !holds(p.when)) values.delete(p.name);
    }
  }
  return Object.fromEntries(values);
}
