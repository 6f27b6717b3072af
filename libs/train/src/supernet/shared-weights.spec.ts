import { evaluate, initialWeights, packingOf, packWeights, tensor, totals, unpackWeights, type Graph, type Tensor, type Weights } from '@app/graph';
import { Rng } from '@app/numeric';
import type { Parameter, Point } from '@app/space';
import { describe, expect, it } from 'vitest';
import { gather, initialShared, layOut, NoSuchSlice, scatterAdd, slicesOf } from './shared-weights.js';
import { supernetSpace, type SupernetSpace } from './supernet-space.js';

const TASK = { numClasses: 3, inputChannels: 2 };
const NONE = 2 ** 32;

/** A small part of FlyNet that has everything that is cut. */
function parameters(changed: Readonly<Record<string, readonly (number | string)[]>> = {}): Parameter[] {
  const all: Record<string, readonly (number | string)[]> = {
    width: [0.1, 0.2, 0.3], resolution: [32, 48], reduction: ['maxout', 'sum-relu'], attentionStatistics: ['mean', 'mean-variance'], excitation: ['softmax', 'sigmoid'],
    lowResidual: ['none', 'default', 'conv3x3', 'dw-pw', 'mdw-concat'], highResidual: ['none', 'crop-pad', 'mdw-concat'], noiseHead: [NONE],
    ...Object.fromEntries([1, 2, 3, 4, 5].flatMap((s) => [[`depth${s}`, [1, 2, 3]], [`heads${s}`, [1, 2, 3]], [`kernel${s}`, [3, 5]], [`noise${s}`, [NONE]]])),
    ...changed,
  };
  return Object.entries(all).map(([name, values]): Parameter => ({ name, type: 'ordinal', values }));
}
const spaceOf = (given: Parameter[] = parameters()): SupernetSpace => supernetSpace({ family: 'flynet', settings: {}, parameters: given }, TASK);
const places = (space: SupernetSpace, shared: ReturnType<SupernetSpace['layOut']>, point: Point, at = 0): Int32Array => slicesOf(shared, space.graph(point), point, at);

/** Slices a weight the plain way: by node, name and coordinates. */
function sliced(from: Graph, weights: ReadonlyMap<string, Weights>, to: Graph, nameIn: (id: string) => string, headsOf: (node: string) => readonly [number, number]): Map<string, Record<string, Tensor>> {
  const result = new Map<string, Record<string, Tensor>>();
  const packing = packingOf(to);
  for (const { node, name, shape } of [...packing.parameters, ...packing.statistics]) {
    const source = weights.get(nameIn(node))![name]!;
    const [heads, all] = headsOf(node);
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let i = 0; i < data.length; i++) {
      const at: number[] = [];
      for (let axis = shape.length - 1, rest = i; axis >= 0; rest = Math.floor(rest / shape[axis]!), axis--) at.unshift(rest % shape[axis]!);
      const there = at.map((x, axis) => {
        if (axis === 0) return Math.floor(x / heads) * all + (x % heads);
        return axis >= 2 && shape.length === 4 ? x + (source.shape[axis]! - shape[axis]!) / 2 : x;
      });
      data[i] = source.data[there.reduce((sum, x, axis) => sum * source.shape[axis]! + x, 0)]!;
    }
    result.set(node, { ...result.get(node), [name]: tensor(shape, data) });
  }
  expect(from.nodes.length).toBeGreaterThan(0);
  return result;
}

describe('shared weights', () => {
  const space = spaceOf();
  const shared = space.layOut(1);

  it('hold every network of the space, each weight once', () => {
    for (const point of space.middles(5, 1, 12)) {
      const own = places(space, shared, point);
      expect(own.length).toBe(totals(space.graph(point)).params);
      expect(new Set(own).size).toBe(own.length);
      expect(own.every((at) => at >= 0 && at < shared.length)).toBe(true);
    }
  });

  it('are all of the largest network where one width and no shortcut that fills in channels is all there is', () => {
    const plain = spaceOf(parameters({ width: [0.2], lowResidual: ['default'], highResidual: ['none'] }));
    const layout = plain.layOut(1);
    expect([...places(plain, layout, plain.largest)].sort((a, b) => a - b)).toEqual([...Array(layout.length).keys()]);
  });

  it('come back from a network as they went', () => {
    const values = initialShared(shared, 3);
    for (const point of space.middles(2, 1, 10)) {
      const own = places(space, shared, point);
      const back = new Float64Array(shared.length);
      scatterAdd(gather(values, own), own, back);
      const has = new Set(own);
      expect(back.every((v, i) => v === (has.has(i) ? values[i] : 0))).toBe(true);
    }
  });

  it('are private to a switch in the batch norms, and common in all else', () => {
    const layout = space.layOut(2);
    const [a, b] = [places(space, layout, space.smallest, 0), places(space, layout, space.smallest, 4)];
    const { parameters: slots } = packingOf(space.graph(space.smallest));
    const common = new Set(b);
    for (const { node, offset, shape } of slots) {
      const count = shape.reduce((x, y) => x * y, 1);
      const isNorm = /Bn$/.test(node);
      expect([node, [...a.subarray(offset, offset + count)].every((at) => common.has(at) === !isNorm)]).toEqual([node, true]);
    }
  });

  it('of a narrower, shallower network with fewer heads and smaller kernels give its outputs by the reference interpreter', () => {
    // a space without shortcuts, whose largest network has every layer
    const plain = spaceOf(parameters({ lowResidual: ['default'], highResidual: ['crop-pad'], attentionStatistics: ['mean-variance'], resolution: [32] }));
    const layout = plain.layOut(1);
    const large = plain.graph(plain.largest);
    const weights = initialWeights(large, 9);
    const vector = new Float32Array(layout.length);
    const packed = packWeights(packingOf(large), weights);
    slicesOf(layout, large, plain.largest, 0).forEach((at, i) => (vector[at] = packed.parameters[i]!));
    const point: Point = { ...plain.largest, width: 0.2, depth2: 1, depth3: 2, heads1: 2, heads4: 1, kernel2: 3, kernel5: 3 };
    const small = plain.graph(point);
    const { statistics } = packWeights(packingOf(small), initialWeights(small, 9));
    const inherited = unpackWeights(packingOf(small), { parameters: gather(vector, slicesOf(layout, small, point, 0)), statistics });
    // block 5 of the small network is the second of stage 3: block 8 of the large one
    const block = [1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 14, 15];
    const heads = [2, 2, 2, 3, 3, 3, 1, 1, 1, 3, 3, 3];
    const due = sliced(large, weights, small, (id) => id.replace(/^block(\d+)/, (_, n: string) => `block${block[Number(n) - 1]!}`), (id) => {
      const number = /^block(\d+)\.mdw(Bn)?$/.exec(id)?.[1];
      return number === undefined ? [1, 1] : [heads[Number(number) - 1]!, 3];
    });
    const input = new Map([[small.nodes[0]!.id, tensor([1, 2, 32, 32], Float32Array.from({ length: 2048 }, (_, i) => Math.sin(i)))]]);
    const [got, want] = [evaluate(small, inherited, input), evaluate(small, due, input)];
    expect([...got.values()][0]!.data.some((v) => v !== 0)).toBe(true);
    expect(got).toEqual(want);
  });

  it('refuse a network of another space, naming the layer', () => {
    const narrow = spaceOf(parameters({ width: [0.2] })).layOut(1);
    expect(() => places(space, narrow, space.largest)).toThrow(NoSuchSlice);
    expect(() => places(space, narrow, space.largest)).toThrow(/expected stage2.1.expand.weight within \[16, 8, 1, 1\] as the supernet has it, got \[24, 8, 1, 1\]/);
  });

  it('lie the same whatever order the networks come in, but for their places', () => {
    const points = [space.largest, space.smallest];
    const lengths = [points, points.toReversed()].map((some) => layOut(some.map((point) => ({ point, graph: space.graph(point) })), 1).length);
    expect(lengths[0]).toBe(lengths[1]);
  });
});

describe('the space of a supernet', () => {
  const space = spaceOf();

  it('ends at the largest and the smallest of what can grow', () => {
    expect(space.largest).toMatchObject({ width: 0.3, resolution: 48, depth3: 3, heads1: 3, kernel5: 5, attentionStatistics: 'mean-variance', reduction: 'maxout' });
    expect(space.smallest).toMatchObject({ width: 0.1, resolution: 32, depth3: 1, heads1: 1, kernel5: 3, lowResidual: space.largest['lowResidual'] });
  });

  it('draws the same networks for the same epoch, its widths in turn', () => {
    const draws = [1, 2, 3].flatMap((epoch) => space.middles(7, epoch, 2));
    expect(space.middles(7, 2, 2)).toEqual(draws.slice(2, 4));
    for (const half of [draws.slice(0, 3), draws.slice(3)]) expect(half.map((p) => p['width']).toSorted()).toEqual([0.1, 0.2, 0.3]);
    expect(space.middles(8, 1, 2)).not.toEqual(space.middles(7, 1, 2));
  });

  it('lends the batch norms of the next larger width that was trained', () => {
    expect([0.1, 0.2, 0.3].map((w) => space.trainedWidth(w, 1, 2, 2))).toEqual([0, 1, 2]);
    const trained = Rng.of(1, 'supernet widths', 0).shuffle([0.1, 0.2, 0.3])[0];
    expect(space.trainedWidth(0.2, 1, 1, 1)).toBe(trained === 0.2 ? 1 : 2);
  });

  it('has no batch norms for a width beyond its largest', () => {
    expect(() => space.trainedWidth(0.35, 1, 2, 2)).toThrow(/expected a width up to 0.3, which is the supernet's, got 0.35/);
  });

  it('refuses other families and widths without a step', () => {
    expect(() => supernetSpace({ family: 'mnasnet', settings: {}, parameters: [] }, TASK)).toThrow(/knows the family flynet; this space is of family "mnasnet"/);
    const continuous = parameters().map((p): Parameter => (p.name === 'width' ? { name: 'width', type: 'float', min: 0.3, max: 1 } : p));
    expect(() => spaceOf(continuous)).toThrow(/"width" is continuous/);
  });
});
