import { countPoints } from './cardinality.js';
import type { Genes, Parameter, Point, Scalar } from './parameter.js';
import type { SearchSpace } from './search-space.js';
import { show, SpaceError, type SpaceIssue } from './space-error.js';
import { checkParameters, type CheckedSpace } from './validate.js';

/**
 * Search space over the parameters, in their order; a private copy is kept.
 * @throws SpaceError with the path of each fault: duplicate or empty names, min > max, steps that miss max, log scale with
 *         min ≤ 0, empty or repeated values, unknown or continuous parents, conditions in a ring, numbers that aren't finite; features that
 *         differ in number from point to point or aren't finite, when they are asked for
 */
export function createSearchSpace(parameters: readonly Parameter[], aids: SpaceAids = {}): SearchSpace {
  const checked = checkParameters(parameters);
  return new ParameterSpace(structuredClone(parameters), checked, aids.features);
}

export interface SpaceAids {
  /** See `SearchSpace.features`. Pure; called with decoded points. */
  readonly features?: ((point: Point) => readonly number[]) | undefined;
}

class ParameterSpace implements SearchSpace {
  readonly dimension: number;
  readonly sizes: readonly number[];
  readonly cardinality: number;
  readonly features: ((genes: Genes) => Float64Array) | undefined;
  readonly #space: CheckedSpace;
  readonly #conditional: boolean;

  constructor(readonly parameters: readonly Parameter[], space: CheckedSpace, features: SpaceAids['features']) {
    this.#space = space;
    this.dimension = parameters.length;
    this.sizes = space.axes.map((a) => a.size);
    this.cardinality = countPoints(space);
    this.#conditional = space.requirements.some((r) => r.length > 0);
    this.features = features && this.#checkedFeatures(features);
  }

  decode(genes: Genes): Point {
    const g = this.canonical(genes);
    const active = this.active(g);
    const entries: [string, Scalar][] = [];
    this.parameters.forEach((p, i) => {
      if (active[i]) entries.push([p.name, this.#space.axes[i]!.decode(g[i]!)]);
    });
    return Object.fromEntries(entries);
  }

  encode(point: Point): Genes {
    const issues: SpaceIssue[] = [];
    const names = new Set(this.parameters.map((p) => p.name));
    for (const name of Object.keys(point)) {
      if (!names.has(name)) issues.push({ path: name, message: `unknown parameter; known: ${[...names].join(', ')}` });
    }
    const genes = this.#space.axes.map((a) => a.defaultGene);
    const active = new Array<boolean>(this.dimension).fill(false);
    const faulty = new Set<number>();
    for (const i of this.#space.order) {
      const { name } = this.parameters[i]!;
      const requirements = this.#space.requirements[i]!;
      if (requirements.some((r) => faulty.has(r.parent))) {
        faulty.add(i);
        continue;
      }
      active[i] = requirements.every((r) => active[r.parent] && r.genes.has(genes[r.parent]!));
      const given = Object.hasOwn(point, name);
      if (!active[i]) {
        if (given) issues.push({ path: name, message: `is inactive in this point (it needs ${this.#conditionText(i)}); leave it out` });
        continue;
      }
      const gene = given ? this.#space.axes[i]!.encode(point[name]) : { fault: 'is missing' };
      if (typeof gene === 'number') genes[i] = gene;
      else {
        issues.push({ path: name, message: gene.fault });
        faulty.add(i);
      }
    }
    if (issues.length > 0) throw new SpaceError(issues);
    return genes;
  }

  canonical(genes: Genes): Genes {
    this.#checkGenes(genes);
    const out = this.#space.axes.map((a, i) => a.snap(genes[i]!));
    return this.#conditional ? this.#resetInactive(out) : out;
  }

  key(genes: Genes): string {
    return genes.join(',');
  }

  active(genes: Genes): readonly boolean[] {
    const active = new Array<boolean>(this.dimension).fill(true);
    if (!this.#conditional) return active;
    for (const i of this.#space.order) {
      active[i] = this.#space.requirements[i]!.every((r) => active[r.parent] && r.genes.has(genes[r.parent]!));
    }
    return active;
  }

  toUnit(genes: Genes): Float64Array {
    return Float64Array.from(this.#space.axes, (a, i) => a.toUnit(genes[i]!));
  }

  fromUnit(u: ArrayLike<number>): Genes {
    if (u.length !== this.dimension) throw new SpaceError([{ path: 'u', message: `expected ${this.dimension} coordinates, got ${u.length}` }]);
    const out = this.#space.axes.map((a, i) => {
      const v = u[i]!;
      if (Number.isNaN(v)) throw new SpaceError([{ path: `u[${i}]`, message: 'expected a number, got NaN' }]);
      return a.fromUnit(v <= 0 ? 0 : v >= 1 ? 1 : v);
    });
    return this.#conditional ? this.#resetInactive(out) : out;
  }

  *enumerate(): Generator<Genes> {
    if (this.cardinality === Infinity) throw new RangeError('a space with a continuous parameter can not be enumerated');
    const genes = this.#space.axes.map((a) => a.defaultGene);
    yield* this.#walk(0, genes, new Array<boolean>(this.dimension).fill(false));
  }

  *#walk(depth: number, genes: number[], active: boolean[]): Generator<Genes> {
    if (depth === this.dimension) {
      yield [...genes];
      return;
    }
    const i = this.#space.order[depth]!;
    const axis = this.#space.axes[i]!;
    active[i] = this.#space.requirements[i]!.every((r) => active[r.parent] && r.genes.has(genes[r.parent]!));
    if (!active[i]) {
      genes[i] = axis.defaultGene;
      yield* this.#walk(depth + 1, genes, active);
      return;
    }
    for (let k = 0; k < axis.size; k++) {
      genes[i] = k;
      yield* this.#walk(depth + 1, genes, active);
    }
  }

  #resetInactive(genes: number[]): number[] {
    const active = this.active(genes);
    this.#space.axes.forEach((a, i) => {
      if (!active[i]) genes[i] = a.defaultGene;
    });
    return genes;
  }

  #checkedFeatures(features: (point: Point) => readonly number[]): (genes: Genes) => Float64Array {
    let due: number | null = null;
    return (genes) => {
      const values = features(this.decode(genes));
      due ??= values.length;
      if (values.length !== due) throw new SpaceError([{ path: 'features', message: `expected ${due} numbers as at the first point, got ${values.length}` }]);
      const fault = values.findIndex((v) => !Number.isFinite(v));
      if (fault >= 0) throw new SpaceError([{ path: `features[${fault}]`, message: `expected a finite number, got ${values[fault]}` }]);
      return Float64Array.from(values);
    };
  }

  #checkGenes(genes: Genes): void {
    if (genes.length !== this.dimension) throw new SpaceError([{ path: 'genes', message: `expected ${this.dimension} genes, got ${genes.length}` }]);
    genes.forEach((g, i) => {
      if (typeof g !== 'number' || Number.isNaN(g)) throw new SpaceError([{ path: `genes[${i}]`, message: `expected a number, got ${show(g)}` }]);
    });
  }

  #conditionText(i: number): string {
    return Object.entries(this.parameters[i]!.when ?? {})
      .map(([name, due]) => `${name} = ${(Array.isArray(due) ? (due as readonly Scalar[]) : [due as Scalar]).map(show).join(' or ')}`)
      .join(' and ');
  }
}
