import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSections, type Graph } from '@app/graph';
import { decode } from './decode.js';
import { flynetPoints } from './flynet/flynet-points.fixture.js';
import { SectionDecoder } from './section-decoder.js';

const space = { family: 'flynet', settings: { temperature: 2 } };
const task = { numClasses: 10, inputChannels: 3 };

/** Kinds, attributes and wiring in order, whatever the ids; noise, which acts in training only, taken out. */
function anonymous({ nodes, outputs }: Graph): unknown {
  const place = new Map<string, number>();
  const rows: unknown[] = [];
  for (const node of nodes) {
    if (node.kind === 'quantizationNoise') place.set(node.id, place.get(node.inputs[0]!)!);
    else place.set(node.id, rows.push([node.kind, node.attrs, node.inputs.map((id) => place.get(id))]) - 1);
  }
  return { rows, outputs: outputs.map((id) => place.get(id)) };
}

describe('networks in sections', () => {
  it('are the networks, joined', () => {
    // few sections are kept, so that points meet hits, misses and sections that were let go
    const decoder = new SectionDecoder(space, task, 40);
    fc.assert(fc.property(flynetPoints, (point) => {
      expect(anonymous(joinSections(decoder.decode(point)))).toEqual(anonymous(decode(space, point, task)));
      expect(decoder.cache.size).toBeLessThanOrEqual(40);
    }), { numRuns: 120 });
    expect(decoder.cache.hits).toBeGreaterThan(0);
  });

  it('share equal sections', () => {
    const decoder = new SectionDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 5 });
    const first = decoder.decode({ ...point!, heads5: 2, depth5: 3 });
    const again = decoder.decode({ ...point!, heads5: 1, depth5: 1, noise1: 16 });
    const shared = again.sections.filter((section) => first.sections.includes(section));
    expect(shared).toHaveLength(again.sections.length - 1);
    expect(decoder.cache.misses).toBe(new Set([...first.sections, ...again.sections]).size);
  });

  it('are one section where a family knows none', () => {
    const decoder = new SectionDecoder({ family: 'resnet18-scaling', settings: {} }, task);
    const point = { depth: 1, width: 1, resolution: 1 };
    expect(decoder.decode(point).sections).toEqual([{ graph: decode({ family: 'resnet18-scaling', settings: {} }, point, task), takes: ['input'] }]);
  });

  it('forget all when more widths come than have a number, and go on', () => {
    const decoder = new SectionDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 6 });
    const sections = decoder.decode({ ...point!, width: 1 }).sections.length;
    for (let k = 0; k < 1024; k++) decoder.cache.numberOf(0.3 + k / 2000);
    expect(decoder.cache.size).toBe(0);
    expect(decoder.decode({ ...point!, width: 1 }).sections).toHaveLength(sections);
  });

  it('refuse what decoding refuses', () => {
    const decoder = new SectionDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 7 });
    expect(() => decoder.decode({ ...point!, heads3: 17 })).toThrow('heads3: expected an integer from 1 to 16, got 17');
    expect(() => new SectionDecoder({ family: 'none', settings: {} }, task)).toThrow(/family: expected one of/);
    expect(() => new SectionDecoder(space, task, 1)).toThrow(/capacity/);
  });
});
