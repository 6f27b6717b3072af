import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSearchSpace } from './create-search-space.js';
import type { Parameter, Scalar } from './parameter.js';
import { SpaceError } from './space-error.js';

const supernet: Parameter[] = [
  { name: 'depth', type: 'int', min: 1, max: 3 },
  { name: 'w1', type: 'ordinal', values: [8, 16, 32] },
  { name: 'w2', type: 'ordinal', values: [8, 16, 32, 64], when: { depth: [2, 3] } },
  { name: 'w3', type: 'categorical', values: ['a', 'b'], when: { depth: 3 } },
  { name: 'k3', type: 'int', min: 3, max: 7, step: 2, when: { w3: 'b' } },
];

/** A grid parameter, small enough to list. */
const gridParameter = (name: string): fc.Arbitrary<Parameter> => fc.oneof(
  fc.record({ min: fc.integer({ min: -5, max: 5 }), steps: fc.integer({ min: 0, max: 3 }), step: fc.integer({ min: 1, max: 3 }) })
    .map(({ min, steps, step }): Parameter => ({ name, type: 'int', min, max: min + steps * step, step })),
  fc.record({ min: fc.integer({ min: -50, max: 50 }), steps: fc.integer({ min: 1, max: 3 }), step: fc.constantFrom(1, 5, 25) })
    .map(({ min, steps, step }): Parameter => ({ name, type: 'float', min: min / 100, max: (min + steps * step) / 100, step: step / 100 })),
  fc.record({ min: fc.integer({ min: 1, max: 9 }), more: fc.integer({ min: 0, max: 3 }) })
    .map(({ min, more }): Parameter => ({ name, type: 'int', min, max: min + more, scale: 'log' })),
  fc.integer({ min: 1, max: 4 }).map((n): Parameter => ({ name, type: 'ordinal', values: [4, 6, 'x', 16].slice(0, n) })),
  fc.integer({ min: 1, max: 4 }).map((n): Parameter => ({ name, type: 'categorical', values: [true, 'relu', 3, 'hswish'].slice(0, n) })),
);

/** Up to five grid parameters; each may depend on earlier ones. */
const gridSpace: fc.Arbitrary<Parameter[]> = fc
  .integer({ min: 1, max: 5 })
  .chain((n) => fc.tuple(
    fc.tuple(...Array.from({ length: n }, (_, i) => gridParameter(`p${i}`))),
    fc.array(fc.record({ parent: fc.nat(4), value: fc.nat(3), more: fc.boolean() }), { minLength: 2 * n, maxLength: 2 * n }),
    fc.array(fc.nat(2), { minLength: n, maxLength: n }),
  ))
  .map(([parameters, links, counts]) => parameters.map((p, i): Parameter => {
    const when: Record<string, Scalar | Scalar[]> = {};
    for (let c = 0; c < counts[i]!; c++) {
      const link = links[2 * i + c]!;
      if (i === 0) continue;
      const parent = parameters[link.parent % i]!;
      const values = valuesOf(parent);
      const first = values[link.value % values.length]!;
      when[parent.name] = link.more ? [first, values[(link.value + 1) % values.length]!] : first;
    }
    return { ...p, when };
  }));

function valuesOf(p: Parameter): Scalar[] {
  if (p.type === 'ordinal' || p.type === 'categorical') return [...p.values];
  const step = p.step ?? 1;
  const n = Math.round((p.max - p.min) / step);
  return Array.from({ length: n + 1 }, (_, k) => Math.round((p.min + k * step) * 100) / 100);
}

/** Every combination of values, inactive ones left out, from the definition alone. */
function pointsByBruteForce(parameters: readonly Parameter[]): Set<string> {
  let full: Record<string, Scalar>[] = [{}];
  for (const p of parameters) full = full.flatMap((point) => valuesOf(p).map((v) => ({ ...point, [p.name]: v })));
  return new Set(full.map((point) => {
    const kept: Record<string, Scalar> = {};
    for (const p of parameters) {
      const on = Object.entries(p.when ?? {}).every(([name, due]) => Object.hasOwn(kept, name) && (Array.isArray(due) ? due : [due]).includes(kept[name]!));
      if (on) kept[p.name] = point[p.name]!;
    }
    return JSON.stringify(kept);
  }));
}

const anySpace: fc.Arbitrary<Parameter[]> = fc.tuple(
  gridSpace,
  fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.double({ min: 1e-3, max: 1e4, noNaN: true }),
  fc.double({ min: 1e-9, max: 1, noNaN: true }), fc.double({ min: 1.5, max: 1e9, noNaN: true }),
).map(([grid, min, width, low, ratio]) => [
  ...grid,
  { name: 'x', type: 'float', min, max: min + width },
  { name: 'lr', type: 'float', min: low, max: low * ratio, scale: 'log' },
]);

const unit = (n: number) => fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: n, maxLength: n });
const spaceAndUnit = anySpace.chain((parameters) => fc.tuple(fc.constant(parameters), unit(parameters.length)));

describe('a search space', () => {
  it('lists exactly the points of the definition, each once, and counts them without listing', () => {
    fc.assert(fc.property(gridSpace, (parameters) => {
      const space = createSearchSpace(parameters);
      const due = pointsByBruteForce(parameters);
      const genes = [...space.enumerate()];
      expect(new Set(genes.map((g) => JSON.stringify(space.decode(g))))).toEqual(due);
      expect(genes.length).toBe(due.size);
      expect(space.cardinality).toBe(due.size);
      expect(new Set(genes.map((g) => space.key(g))).size).toBe(due.size);
      for (const g of genes) {
        expect(space.canonical(g)).toEqual(g);
        expect(space.encode(space.decode(g))).toEqual(g);
      }
    }), { numRuns: 150 });
  });

  it('encodes what it decoded to the same genes, and a canonical point is its own canonical form', () => {
    fc.assert(fc.property(spaceAndUnit, ([parameters, u]) => {
      const space = createSearchSpace(parameters);
      const genes = space.fromUnit(u);
      expect(space.canonical(genes)).toEqual(genes);
      expect(space.encode(space.decode(genes))).toEqual(genes);
      expect(space.fromUnit(space.toUnit(genes))).toEqual(genes);
    }), { numRuns: 400 });
  });

  it('has the same key for two points exactly if they decode to the same values', () => {
    fc.assert(fc.property(anySpace.chain((p) => fc.tuple(fc.constant(p), unit(p.length), unit(p.length), fc.nat(p.length - 1))), ([parameters, u, v, cut]) => {
      const space = createSearchSpace(parameters);
      const a = space.fromUnit(u);
      const b = space.fromUnit([...u.slice(0, cut), ...v.slice(cut)]);
      const same = JSON.stringify(space.decode(a)) === JSON.stringify(space.decode(b));
      expect(space.key(a) === space.key(b)).toBe(same);
    }), { numRuns: 300 });
  });

  it('clips genes outside the range and sets inactive ones to their default', () => {
    const space = createSearchSpace(supernet);
    expect(space.canonical([-7, Infinity, 3, 1, 2])).toEqual([0, 2, 1, 0, 1]);
    expect(space.active([0, 2, 1, 0, 1])).toEqual([true, true, false, false, false]);
    expect(space.decode([0, 2, 3, 1, 2])).toEqual({ depth: 1, w1: 32 });
  });

  it('keeps a child of an inactive parent inactive, whatever gene the parent carries', () => {
    const space = createSearchSpace(supernet);
    expect(space.active([1, 0, 0, 1, 0])).toEqual([true, true, true, false, false]);
  });

  it('shows grid values without rounding noise', () => {
    const space = createSearchSpace([{ name: 'd', type: 'float', min: 0.1, max: 0.9, step: 0.1 }]);
    expect([...space.enumerate()].map((g) => space.decode(g)['d'])).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    const fine = createSearchSpace([{ name: 'd', type: 'float', min: -1e-7, max: 1, step: 1e-7 }]);
    expect(fine.decode([8])['d']).toBe(7e-7);
    expect(fine.cardinality).toBe(10_000_002);
  });

  it('keeps a value of a continuous parameter as the user wrote it', () => {
    const space = createSearchSpace([{ name: 'x', type: 'float', min: -5, max: 10 }, { name: 'lr', type: 'float', min: 1e-5, max: 1, scale: 'log' }]);
    expect(space.decode(space.encode({ x: 3.3, lr: 0.003 }))).toEqual({ x: 3.3, lr: 0.003 });
    expect(space.decode([0, 1])).toEqual({ x: -5, lr: 1 });
    expect(space.toUnit(space.encode({ x: 2.5, lr: 0.1 }))[1]).toBeCloseTo(0.8, 10);
  });

  it('counts 5^21 points and a conditional space of 1e15 at once', () => {
    const wide: Parameter[] = Array.from({ length: 21 }, (_, i) => ({ name: `o${i}`, type: 'categorical', values: ['a', 'b', 'c', 'd', 'e'] }));
    expect(createSearchSpace(wide).cardinality).toBe(5 ** 21);
    // Five stages; depth 2, 3 or 4 switches on as many layers of 3 kernels × 3 widths: the sum is (9² + 9³ + 9⁴)⁵ (Once-for-All, § 3.2).
    const ofa: Parameter[] = [];
    for (let s = 0; s < 5; s++) {
      ofa.push({ name: `d${s}`, type: 'ordinal', values: [2, 3, 4] });
      for (let l = 0; l < 4; l++) {
        const when = l < 2 ? undefined : { [`d${s}`]: l === 2 ? [3, 4] : 4 };
        ofa.push({ name: `k${s}${l}`, type: 'ordinal', values: [3, 5, 7], when }, { name: `e${s}${l}`, type: 'ordinal', values: [3, 4, 6], when });
      }
    }
    expect(createSearchSpace(ofa).cardinality).toBe((9 ** 2 + 9 ** 3 + 9 ** 4) ** 5);
  });

  it('has infinitely many points once a parameter is continuous, and refuses to list them', () => {
    const space = createSearchSpace([{ name: 'x', type: 'float', min: 0, max: 1 }]);
    expect(space.cardinality).toBe(Infinity);
    expect(() => space.enumerate().next()).toThrow(RangeError);
  });

  it('draws every value equally often from an even sweep of the unit interval', () => {
    const space = createSearchSpace([
      { name: 'i', type: 'int', min: 3, max: 10, step: 1 },
      { name: 'f', type: 'float', min: 0.5, max: 0.9, step: 0.1 },
      { name: 'o', type: 'ordinal', values: [1, 2, 9, 12] },
      { name: 'c', type: 'categorical', values: ['a', 'b'] },
    ]);
    const n = 4000;
    const counts = space.sizes.map((s) => new Array<number>(s).fill(0));
    for (let t = 0; t < n; t++) space.fromUnit(new Float64Array(4).fill((t + 0.5) / n)).forEach((g, i) => counts[i]![g]!++);
    counts.forEach((c, i) => expect(c).toEqual(new Array(space.sizes[i]!).fill(n / space.sizes[i]!)));
  });

  it('spreads a log-scaled int evenly in the logarithm: each octave from 16 on as often as the next', () => {
    const space = createSearchSpace([{ name: 'n', type: 'int', min: 1, max: 1023, scale: 'log' }]);
    const octaves = new Array<number>(10).fill(0);
    for (let t = 0; t < 10_000; t++) octaves[Math.floor(Math.log2(Number(space.decode(space.fromUnit([(t + 0.5) / 10_000]))['n'])))]!++;
    for (const c of octaves.slice(4)) expect(c).toBeGreaterThan(920);
    for (const c of octaves.slice(4)) expect(c).toBeLessThan(975);
    for (let k = 0; k < 1023; k++) expect(space.fromUnit(space.toUnit([k]))).toEqual([k]);
  });

  it('takes a range of one value', () => {
    const space = createSearchSpace([{ name: 'x', type: 'float', min: 2.5, max: 2.5 }, { name: 'n', type: 'int', min: 4, max: 4 }]);
    expect(space.cardinality).toBe(1);
    expect([...space.enumerate()].map((g) => space.decode(g))).toEqual([{ x: 2.5, n: 4 }]);
  });

  it('does not change when the list it was built from does', () => {
    const parameters = [{ name: 'c', type: 'categorical' as const, values: ['a', 'b'] }];
    const space = createSearchSpace(parameters);
    parameters[0]!.values.push('c');
    expect(space.parameters[0]).toEqual({ name: 'c', type: 'categorical', values: ['a', 'b'] });
  });
});

function issues(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof SpaceError) return error.issues.map((i) => `${i.path}: ${i.message}`);
    throw error;
  }
  return [];
}
const faults = (...parameters: unknown[]): string[] => issues(() => createSearchSpace(parameters as Parameter[]));

describe('a faulty space', () => {
  it.each<[string, unknown[], string[]]>([
    ['nothing at all', [], ['parameters: expected at least one parameter, got none']],
    ['a name twice', [{ name: 'a', type: 'int', min: 0, max: 1 }, { name: 'a', type: 'int', min: 0, max: 1 }], ['parameters[1].name: "a" is the name of parameters[0] already']],
    ['an unknown type', [{ name: 'a', type: 'real' }], ['parameters[0].type: expected float, int, ordinal or categorical, got "real"']],
    ['min above max', [{ name: 'a', type: 'float', min: 2, max: 1 }], ['parameters[0].max: expected at least min (2), got 1']],
    ['bounds that are no numbers', [{ name: 'a', type: 'float', min: NaN, max: Infinity }], ['parameters[0].min: expected a finite number, got NaN', 'parameters[0].max: expected a finite number, got Infinity']],
    ['a fractional int', [{ name: 'a', type: 'int', min: 0.5, max: 1 }], ['parameters[0].min: expected an integer, got 0.5']],
    ['a step that misses max', [{ name: 'a', type: 'float', min: 0, max: 1, step: 0.3 }], ['parameters[0].step: steps of 0.3 from 0 miss max 1; the last one below it is 0.9']],
    ['a step of zero', [{ name: 'a', type: 'int', min: 0, max: 4, step: 0 }], ['parameters[0].step: expected a positive integer, got 0']],
    ['a log scale from zero', [{ name: 'a', type: 'int', min: 0, max: 4, scale: 'log' }], ['parameters[0].min: a log scale needs min > 0, got 0']],
    ['too many steps', [{ name: 'a', type: 'float', min: 0, max: 1e15, step: 1 }], ['parameters[0].step: expected fewer than 2^48 values, got 1000000000000001']],
    ['a range a double can not resolve', [{ name: 'a', type: 'float', min: 1e12, max: 1e12 + 1 }], ['parameters[0].max: the range from 1000000000000 to 1000000000001 is below the precision of a number; shift or scale the parameter']],
    ['no values', [{ name: 'a', type: 'ordinal', values: [] }], ['parameters[0].values: expected at least one value, got none']],
    ['a value twice, once as text', [{ name: 'a', type: 'categorical', values: [1, 'b', '1'] }], ['parameters[0].values[2]: "1" stands at values[0] already']],
    ['a value that is no number', [{ name: 'a', type: 'ordinal', values: [1, NaN] }], ['parameters[0].values[1]: expected a text, a finite number or a truth value, got NaN']],
    ['a default off the grid', [{ name: 'a', type: 'int', min: 0, max: 4, step: 2, default: 3 }], ['parameters[0].default: expected 0 + k·2 (nearest: 4), got 3']],
    ['an unknown parent', [{ name: 'a', type: 'int', min: 0, max: 4, when: { b: 1 } }], ['parameters[0].when.b: unknown parameter "b"']],
    ['a continuous parent', [{ name: 'x', type: 'float', min: 0, max: 1 }, { name: 'a', type: 'int', min: 0, max: 4, when: { x: 1 } }], ['parameters[1].when.x: "x" is continuous; a condition needs a parameter with single values']],
    ['a value the parent lacks', [{ name: 'b', type: 'categorical', values: ['u', 'v'] }, { name: 'a', type: 'int', min: 0, max: 4, when: { b: ['u', 'w'] } }], ['parameters[1].when.b[1]: expected one of "u", "v", got "w"']],
    ['conditions in a ring', [{ name: 'c', type: 'int', min: 0, max: 1 }, { name: 'a', type: 'int', min: 0, max: 1, when: { b: 1 } }, { name: 'b', type: 'int', min: 0, max: 1, when: { a: 1 } }], ['parameters[1].when: the conditions run in a ring: a needs b needs a']],
  ])('says where and what: %s', (_, parameters, due) => {
    expect(faults(...parameters)).toEqual(due);
  });
});

describe('a faulty point', () => {
  const space = createSearchSpace([...supernet, { name: 'd', type: 'float', min: 0, max: 1, step: 0.1 }]);
  it('names every fault', () => {
    expect(issues(() => space.encode({ depth: 4, w1: '8', d: 0.25, kernel: 3 }))).toEqual([
      'kernel: unknown parameter; known: depth, w1, w2, w3, k3, d',
      'depth: expected a number from 1 to 3, got 4',
      'w1: expected one of 8, 16, 32, got "8"',
      'd: expected 0 + k·0.1 (nearest: 0.3), got 0.25',
    ]);
    expect(issues(() => space.encode({ depth: 2, w1: 8, w3: 'a', d: NaN }))).toEqual([
      'd: expected a number from 0 to 1, got NaN',
      'w2: is missing',
      'w3: is inactive in this point (it needs depth = 3); leave it out',
    ]);
  });
  it('takes a value that is on the grid but for rounding', () => {
    expect(space.decode(space.encode({ depth: 1, w1: 8, d: 0.1 + 0.2 }))['d']).toBe(0.3);
  });
  it('refuses genes of the wrong length or that are no numbers', () => {
    expect(issues(() => space.canonical([0, 1]))).toEqual(['genes: expected 6 genes, got 2']);
    expect(issues(() => space.canonical([0, 1, 0, 0, NaN, 0]))).toEqual(['genes[4]: expected a number, got NaN']);
    expect(issues(() => space.fromUnit([0, 1, 0, 0, NaN, 0]))).toEqual(['u[4]: expected a number, got NaN']);
  });
});

describe('features of a space', () => {
  const space = (features?: (point: Record<string, Scalar>) => number[]): ReturnType<typeof createSearchSpace> => createSearchSpace(supernet, { features });

  it('are computed from the point as the user would write it, and are absent where none are given', () => {
    const own = space((p) => [p['depth'] as number, 'w3' in p ? 1 : 0]);
    expect([...own.features!(own.encode({ depth: 3, w1: 8, w2: 8, w3: 'a' }))]).toEqual([3, 1]);
    expect([...own.features!(own.encode({ depth: 1, w1: 8 }))]).toEqual([1, 0]);
    expect(createSearchSpace(supernet).features).toBeUndefined();
  });

  it('are refused where their number changes or one is not finite', () => {
    const uneven = space((p) => Array<number>(p['depth'] as number).fill(0));
    expect(uneven.features!([0, 0, 0, 0, 0])).toHaveLength(1);
    expect(() => uneven.features!([1, 0, 0, 0, 0])).toThrow('features: expected 1 numbers as at the first point, got 2');
    expect(() => space(() => [0, NaN]).features!([0, 0, 0, 0, 0])).toThrow('features[1]: expected a finite number, got NaN');
  });
});
