/**
 * Mixture densities over a mixed space: one component a point, a product over parameters, and one broad component for the prior.
 *
 * A numeric parameter has a normal kernel cut to the unit interval; on a grid its mass over the gene's cell counts. A category has the
 * kernel ([c = c_k] + 1/n)/(1 + L/n). Where a component's parameter is inactive its kernel is the prior's.
 * Bergstra, Bardenet, Bengio, Kégl, Algorithms for hyper-parameter optimization (2011); the joint form of the mixture after Falkner,
 * Klein, Hutter, BOHB (2018).
 */
import { logSumExp, normalCdf, type Rng } from '@app/numeric';
import type { Genes, SearchSpace } from '@app/space';

const LOG_SQRT_2PI = 0.5 * Math.log(2 * Math.PI);

export class ParzenMixture {
  readonly #units: readonly Float64Array[];
  readonly #active: readonly (readonly boolean[])[];
  /** kernel width of a numeric parameter on the unit interval */
  readonly #width: number;
  readonly #smoothing: number;
  /** [n][d]: log of the kernel's mass inside the unit interval */
  readonly #inside: readonly Float64Array[];

  /** @param points  [n], n ≥ 1, canonical */
  constructor(readonly space: SearchSpace, readonly points: readonly Genes[]) {
    const n = points.length;
    this.#units = points.map((g) => space.toUnit(g));
    this.#active = points.map((g) => space.active(g));
    // Scott's exponent: Multivariate density estimation (1992), § 6.3.
    this.#width = Math.max(0.2 * n ** (-1 / (space.dimension + 4)), 1e-3);
    this.#smoothing = 1 / n;
    const w = this.#width;
    this.#inside = this.#units.map((u) => u.map((mean) => Math.log(normalCdf((1 - mean) / w) - normalCdf(-mean / w))));
  }

  sample(rng: Rng): Genes {
    const k = rng.int(this.points.length + 1);
    const u = new Float64Array(this.space.dimension);
    const picked: (number | null)[] = [];
    this.space.parameters.forEach((p, i) => {
      const prior = k === this.points.length || !this.#active[k]![i];
      const size = this.space.sizes[i]!;
      if (p.type === 'categorical') {
        const own = !prior && rng.next() < 1 / (1 + size * this.#smoothing);
        picked.push(own ? this.points[k]![i]! : rng.int(size));
      } else {
        u[i] = prior ? rng.next() : this.#normal(rng, this.#units[k]![i]!);
        picked.push(null);
      }
    });
    const genes = this.space.fromUnit(u);
    return this.space.canonical(genes.map((g, i) => picked[i] ?? g));
  }

  /** log density over the active parameters of canonical genes */
  logDensity(genes: Genes): number {
    const { space } = this;
    const active = space.active(genes);
    const unit = space.toUnit(genes);
    const terms = new Float64Array(this.points.length + 1);
    const n = this.points.length;
    for (let i = 0; i < space.dimension; i++) {
      if (!active[i]) continue;
      const size = space.sizes[i]!;
      const flat = size === Infinity ? 0 : -Math.log(size);
      const categorical = space.parameters[i]!.type === 'categorical';
      for (let k = 0; k < n; k++) terms[k]! += this.#active[k]![i] ? (categorical ? this.#category(k, i, genes[i]!, size) : this.#position(k, i, unit[i]!, size)) : flat;
      terms[n]! += flat;
    }
    return logSumExp(terms) - Math.log(n + 1);
  }

  #category(k: number, i: number, value: number, size: number): number {
    return Math.log(((this.points[k]![i] === value ? 1 : 0) + this.#smoothing) / (1 + size * this.#smoothing));
  }

  #position(k: number, i: number, u: number, size: number): number {
    const mean = this.#units[k]![i]!;
    const w = this.#width;
    const inside = this.#inside[k]![i]!;
    if (size === Infinity) return -0.5 * ((u - mean) / w) ** 2 - Math.log(w) - LOG_SQRT_2PI - inside;
    const cell = normalCdf((u + 0.5 / size - mean) / w) - normalCdf((u - 0.5 / size - mean) / w);
    return Math.log(Math.max(cell, 1e-300)) - inside;
  }

  #normal(rng: Rng, mean: number): number {
    for (;;) {
      const u = mean + this.#width * rng.normal();
      if (u >= 0 && u <= 1) return u;
    }
  }
}
