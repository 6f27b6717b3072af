import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { graphBuilder, isKind, samePadding, type Graph } from '@app/graph';
import { planExecution, type Unit } from '../plan.js';
import { bestPatchSchedule, patchSchedules, regionsFor, type Region } from './patches.js';

/** A chain of convolutions and pools, with a skip connection wherever the map keeps its size. */
function chainOf(layers: readonly { kernel: number; stride: number; pool: boolean; skip: boolean }[], size: number): Graph {
  const b = graphBuilder('chain');
  let x = b.input([1, 4, size, size]);
  let left = size;
  for (const { kernel, stride, pool, skip } of layers) {
    if (left / stride < 2) break;
    const y = pool ? b.maxPool(x, { kernel, stride, padding: samePadding([left, left], [kernel, kernel], [stride, stride], [1, 1]) }) : b.conv2d(x, { outChannels: 4, kernel, stride, padding: 'same' });
    x = skip && stride === 1 ? b.add(x, y) : y;
    left = Math.ceil(left / stride);
  }
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 3));
  return b.build();
}

const layer = fc.record({ kernel: fc.constantFrom(1, 3, 5), stride: fc.constantFrom(1, 1, 2), pool: fc.boolean(), skip: fc.boolean() });

/** Which pixels of each map a patch depends on, pixel by pixel. */
function pixelsFor(head: readonly Unit[], region: Region): Map<string, Set<string>> {
  const needed = new Map<string, Set<string>>(head.map((u) => [u.id, new Set()]));
  const byId = new Map(head.map((u) => [u.id, u]));
  for (let r = region.rows[0]; r < region.rows[1]; r++) for (let c = region.columns[0]; c < region.columns[1]; c++) needed.get(head.at(-1)!.id)!.add(`${r},${c}`);
  for (const unit of [...head].reverse()) {
    const { node } = unit;
    for (const pixel of needed.get(unit.id)!) {
      const [r, c] = pixel.split(',').map(Number) as [number, number];
      for (const id of unit.inputs) {
        const [, , height = 1, width = 1] = byId.get(id)!.outputShape;
        const windowed = isKind(node, 'conv2d') || isKind(node, 'maxPool');
        const [kh, kw] = windowed ? node.attrs.kernel : [1, 1];
        for (let i = 0; i < kh; i++) {
          for (let j = 0; j < kw; j++) {
            const y = windowed ? r * node.attrs.stride[0] - node.attrs.padding[0] + i : r;
            const x = windowed ? c * node.attrs.stride[1] - node.attrs.padding[1] + j : c;
            if (y >= 0 && y < height && x >= 0 && x < width) needed.get(id)!.add(`${y},${x}`);
          }
        }
      }
    }
  }
  return needed;
}

describe('patch-based execution', () => {
  it('takes the smallest region of each map that holds every pixel the patch depends on', () => {
    fc.assert(fc.property(fc.array(layer, { minLength: 1, maxLength: 5 }), fc.nat(2), fc.nat(2), (layers, row, column) => {
      const units = planExecution(chainOf(layers, 12)).units;
      const head = units.slice(0, units.findIndex((u) => u.node.kind === 'globalAvgPool'));
      const [, , height = 1, width = 1] = head.at(-1)!.outputShape;
      const region: Region = { rows: [Math.min(row, height - 1), Math.min(row + 2, height)], columns: [Math.min(column, width - 1), Math.min(column + 1, width)] };
      const regions = regionsFor(head, region);
      pixelsFor(head, region).forEach((pixels, id) => {
        // windows with a stride above the kernel skip pixels: the region is their bounding box
        const [rows, columns] = [0, 1].map((axis) => [...pixels].map((p) => Number(p.split(',')[axis])));
        expect(regions.get(id)).toEqual({ rows: [Math.min(...rows!), Math.max(...rows!) + 1], columns: [Math.min(...columns!), Math.max(...columns!) + 1] });
      });
    }), { numRuns: 60 });
  });

  it('is worked out by hand for two convolutions of 3×3 in 2×2 patches', () => {
    const b = graphBuilder('two');
    const x = b.conv2d(b.input([1, 1, 8, 8]), { outChannels: 16, kernel: 3, padding: 'same' });
    const y = b.conv2d(x, { outChannels: 2, kernel: 3, stride: 2, padding: 'same' });
    b.output(b.linear(b.flatten(b.globalAvgPool(y)), 2));
    const before = 16 * 64 + 64;
    // SAME at stride 2 pads below and right only: rows 0–4 and 4–7 of the wide map for output rows 0–1 and 2–3
    const macsWide = 9 * 16 * (5 + 4) ** 2;
    const network = 9 * 16 * 64 + 9 * 16 * 2 * 16 + 4;
    expect(patchSchedules(b.build(), { bytesPerElement: 1, maxSide: 2 })).toEqual([{ stage: y, grid: [2, 2], peak: 64 + 32 + 16 * 25, before, recomputed: (macsWide - 9 * 16 * 64) / network }]);
  });

  it('recomputes more, never less, with more patches of the same stage, and leaves the input out if it comes in pieces', () => {
    const graph = chainOf([{ kernel: 3, stride: 1, pool: false, skip: false }, { kernel: 3, stride: 1, pool: false, skip: true }, { kernel: 3, stride: 2, pool: false, skip: false }], 24);
    const byStage = new Map<string, number[]>();
    for (const s of patchSchedules(graph, { bytesPerElement: 1, inputResident: false })) byStage.set(s.stage, [...(byStage.get(s.stage) ?? []), s.recomputed]);
    expect(byStage.size).toBeGreaterThan(0);
    for (const list of byStage.values()) expect(list).toEqual([...list].sort((a, b) => a - b));
    const whole = bestPatchSchedule(graph, { bytesPerElement: 1 });
    const pieces = bestPatchSchedule(graph, { bytesPerElement: 1, inputResident: false });
    expect(pieces!.peak).toBeLessThan(whole!.peak);
  });

  it('keeps within the recomputation that is allowed, and is null where patches do not help', () => {
    const graph = chainOf([{ kernel: 5, stride: 1, pool: false, skip: false }, { kernel: 5, stride: 2, pool: false, skip: false }, { kernel: 3, stride: 2, pool: false, skip: false }], 24);
    const some = bestPatchSchedule(graph, { bytesPerElement: 1, maxRecomputed: 0.3 });
    expect(some === null || some.recomputed <= 0.3).toBe(true);
    const b = graphBuilder('flat');
    b.output(b.linear(b.input([1, 10]), 3));
    expect(bestPatchSchedule(b.build(), { bytesPerElement: 1 })).toBeNull();
  });
});
