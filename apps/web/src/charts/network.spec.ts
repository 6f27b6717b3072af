import { describe, expect, it } from 'vitest';
import { nodes } from './fixture.js';
import { memoryStrip } from './memory-strip.js';
import { foldableBlocks, layoutNetwork } from './network-layout.js';

const folded = layoutNetwork({ nodes }, new Map(), 'macs', new Set());
const open = layoutNetwork({ nodes }, new Map(), 'macs', new Set(['a', 'b1', 'b2']));

describe('layoutNetwork', () => {
  it('folds blocks, and alike ones in a row into one box with a count', () => {
    expect(foldableBlocks(nodes)).toEqual(['a', 'b1', 'b2']);
    expect(folded.boxes.map((b) => b.title)).toEqual(['conv 3×3', 'a', 'b1–2', 'conv 3×3']);
    expect(folded.boxes[2]!.detail).toBe('2 × 2 layers → 8×4×4');
  });
  it('shows every layer exactly once, folded or not', () => {
    for (const layout of [folded, open]) expect(layout.boxes.flatMap((b) => b.layers).sort()).toEqual(nodes.map((n) => n.id).sort());
  });
  it('keeps the sum of the shares at one', () => {
    for (const layout of [folded, open]) expect(layout.boxes.reduce((s, b) => s + b.share, 0)).toBeCloseTo(1, 12);
  });
  it('runs downwards along every edge and lets no two boxes overlap', () => {
    const at = new Map(open.boxes.map((b) => [b.id, b]));
    for (const e of open.edges) expect(at.get(e.to)!.y).toBeGreaterThanOrEqual(at.get(e.from)!.y + at.get(e.from)!.height);
    for (const a of open.boxes) for (const b of open.boxes) if (a !== b) expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
  });
  it('sets branches side by side and leads a skip round the outside', () => {
    const [a1, a2] = ['a1', 'a2'].map((id) => open.boxes.find((b) => b.id === id)!);
    expect(a1!.y).toBe(a2!.y);
    expect(open.edges.filter((e) => e.long).map((e) => `${e.from}>${e.to}`)).toEqual(['in>a3']);
  });
  it('frames the layers of a block laid open', () => {
    expect(open.frames.map((f) => f.block)).toEqual(['a', 'b1', 'b2']);
  });
});

describe('memoryStrip', () => {
  it('marks the first highest layer and the limit above it', () => {
    const strip = memoryStrip([10, 40, 40, 5], 50, 400, 108)!;
    expect(strip.peak).toEqual({ index: 1, bytes: 40, x: 150, y: 28 });
    expect(strip.limitY).toBe(8);
  });
  it('leaves a far limit out rather than pressing the picture flat', () => {
    expect(memoryStrip([10], 1e9, 400, 100)!.limitY).toBeNull();
  });
  it('has nothing to draw without layers and survives zeros', () => {
    expect(memoryStrip([], null, 400, 100)).toBeNull();
    expect(memoryStrip([0, 0], null, 400, 100)!.area).not.toMatch(/NaN/);
  });
});
