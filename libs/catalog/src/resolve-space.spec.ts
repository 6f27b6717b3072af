import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSearchSpace } from '@app/space';
import { loadCatalog } from './catalog.js';
import { completePoint } from './points.js';

const catalog = loadCatalog();

describe('narrowing a built-in space', () => {
  const narrowing = fc.record({
    width: fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 14 })).map(([a, b]) => ({ min: (6 + Math.min(a, b)) / 20, max: (6 + Math.max(a, b)) / 20 })),
    resolution: fc.subarray([32, 48, 64, 80, 96, 112, 128, 160, 192, 224], { minLength: 1 }).map((values) => ({ values })),
    heads2: fc.subarray([1, 2, 3, 4, 5], { minLength: 1 }).map((values) => ({ values: values.toReversed() })),
    kernel3: fc.constantFrom(3, 5, 7).map((max) => ({ max })),
    lowResidual: fc.subarray(['none', 'default', 'conv3x3', 'dw-pw', 'mdw-concat'], { minLength: 1 }).map((values) => ({ values })),
    noiseHead: fc.constantFrom(4, 4294967296).map((fixed) => ({ fixed })),
  }, { requiredKeys: [] });

  it('leaves a part of the base: each of its points, the default first, is a point of the base', () => {
    const base = catalog.space('flynet');
    const whole = createSearchSpace(base.parameters);
    fc.assert(fc.property(narrowing, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: whole.dimension, maxLength: whole.dimension }), (parameters, u) => {
      const resolved = catalog.resolveSpace({ base: 'flynet', parameters });
      if ('issues' in resolved) throw new Error(JSON.stringify(resolved.issues));
      const part = createSearchSpace(resolved.value.parameters);
      expect(part.cardinality).toBeLessThanOrEqual(whole.cardinality);
      for (const point of [completePoint(resolved.value.parameters, {}), part.decode(part.fromUnit(u))]) {
        expect(whole.decode(whole.encode(point))).toEqual(point);
        expect(part.decode(part.encode(point))).toEqual(point);
      }
      expect(resolved.value.family).toBe('flynet');
    }), { numRuns: 60 });
  });

  it('of parameters on which others depend drops those that can never be active, and keeps the rest a part of the base', () => {
    const base = catalog.space('ds-cnn');
    const whole = createSearchSpace(base.parameters);
    const blocks = fc.oneof(
      fc.integer({ min: 1, max: 8 }).map((fixed) => ({ fixed })), fc.subarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 1 }).map((values) => ({ values })),
      fc.tuple(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 })).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) })),
    );
    fc.assert(fc.property(blocks, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: whole.dimension, maxLength: whole.dimension }), (narrowed, u) => {
      const resolved = catalog.resolveSpace({ base: 'ds-cnn', parameters: { blocks: narrowed } });
      if ('issues' in resolved) throw new Error(JSON.stringify(resolved.issues));
      const largest = 'fixed' in narrowed ? narrowed.fixed : 'values' in narrowed ? Math.max(...narrowed.values) : narrowed.max;
      expect(resolved.value.parameters.filter((p) => /^channels/.test(p.name))).toHaveLength(largest);
      const part = createSearchSpace(resolved.value.parameters);
      const point = part.decode(part.fromUnit(u.slice(0, part.dimension)));
      expect(whole.decode(whole.encode(point))).toEqual(point);
    }), { numRuns: 40 });
  });
});
