/**
 * The weights of all networks of a FlyNet space as slices of one vector.
 *
 * A weight is shared under the name of its layer (stage, place in the stage, part), so a shorter stage has the first blocks of a longer
 * one. A network takes the first filters of a layer (F-W3), the first heads of a channel and the middle of a kernel. Batch norms are
 * private: one scale and shift for each switch (F-W2), a switch being a width and a precision.
 */
import { inferShapes, isKind, packingOf, weightsOf, type Graph, type Node, type Slot, type WeightSpec } from '@app/graph';
import { Rng } from '@app/numeric';
import type { Point } from '@app/space';

/** A weight with an axis for each way it is cut: `first` keeps the beginning, `centre` the middle. */
interface Cut {
  readonly key: string;
  readonly axes: readonly { readonly size: number; readonly keep: 'first' | 'centre' }[];
  readonly isPrivate: boolean;
  readonly decayed: boolean;
  readonly offset: number;
}

export interface SharedSlot {
  readonly key: string;
  /** over all networks, each axis as long as the longest */
  readonly sizes: readonly number[];
  readonly isPrivate: boolean;
  readonly decayed: boolean;
  readonly init: WeightSpec['init'];
  /** of the largest */
  readonly fanIn: number;
  /** of the first switch if private; those of the others follow */
  readonly offset: number;
}

export interface SharedWeights {
  readonly slots: ReadonlyMap<string, SharedSlot>;
  readonly length: number;
  readonly switches: number;
}

/** The network holds a weight that no network did which the shared weights were laid out for. */
export class NoSuchSlice extends Error {}

/**
 * Layout that holds every one of the networks.
 *
 * @param switches  how many copies there are of what is private
 */
export function layOut(networks: Iterable<{ readonly graph: Graph; readonly point: Point }>, switches: number): SharedWeights {
  const slots = new Map<string, Omit<SharedSlot, 'offset'>>();
  for (const { graph, point } of networks) {
    const specs = specsOf(graph);
    for (const { key, axes, isPrivate, decayed, spec } of cutsOf(graph, point, specs)) {
      const known = slots.get(key);
      slots.set(key, {
        key, isPrivate, decayed, init: spec.init, fanIn: Math.max(spec.fanIn, known?.fanIn ?? 0),
        sizes: axes.map(({ size }, i) => Math.max(size, known?.sizes[i] ?? 0)),
      });
    }
  }
  let length = 0;
  const placed = new Map<string, SharedSlot>();
  for (const [key, slot] of slots) {
    placed.set(key, { ...slot, offset: length });
    length += product(slot.sizes) * (slot.isPrivate ? switches : 1);
  }
  return { slots: placed, length, switches };
}

/**
 * Where each parameter of a network, in the order of its packing, lies in the shared vector.
 *
 * @param at  switch that the network's batch norms are taken of
 * @throws NoSuchSlice
 */
export function slicesOf(shared: SharedWeights, graph: Graph, point: Point, at: number): Int32Array {
  const cuts = cutsOf(graph, point, specsOf(graph));
  const last = cuts.at(-1);
  const places = new Int32Array(last === undefined ? 0 : last.offset + product(last.axes.map((a) => a.size)));
  for (const { key, axes, offset, isPrivate } of cuts) {
    const slot = shared.slots.get(key);
    if (slot === undefined || axes.some(({ size }, i) => size > slot.sizes[i]!)) {
      throw new NoSuchSlice(`expected ${key} within [${slot?.sizes.join(', ') ?? 'nothing'}] as the supernet has it, got [${axes.map((a) => a.size).join(', ')}]`);
    }
    const base = slot.offset + (isPrivate ? at * product(slot.sizes) : 0);
    write(places, offset, axes, slot.sizes, 0, base);
  }
  return places;
}

/** Indices of one weight, row-major over its axes. Returns the next free place. */
function write(places: Int32Array, to: number, axes: Cut['axes'], sizes: readonly number[], axis: number, from: number): number {
  if (axis === axes.length) {
    places[to] = from;
    return to + 1;
  }
  const { size, keep } = axes[axis]!;
  const stride = product(sizes.slice(axis + 1));
  const skipped = keep === 'centre' ? (sizes[axis]! - size) >> 1 : 0;
  let next = to;
  for (let i = 0; i < size; i++) next = write(places, next, axes, sizes, axis + 1, from + (skipped + i) * stride);
  return next;
}

/** The network's own vector. */
export function gather(shared: Float32Array, places: Int32Array): Float32Array {
  return Float32Array.from(places, (at) => shared[at]!);
}

/** Adds a network's own vector to the shared one, in place. */
export function scatterAdd(values: Float32Array, places: Int32Array, into: Float64Array): void {
  for (let i = 0; i < places.length; i++) into[places[i]!]! += values[i]!;
}

/** First values: as `initialWeights` of the largest network draws them, a stream a weight. */
export function initialShared(shared: SharedWeights, seed: number): Float32Array {
  const values = new Float32Array(shared.length);
  for (const { key, sizes, isPrivate, init, fanIn, offset } of shared.slots.values()) {
    const count = product(sizes) * (isPrivate ? shared.switches : 1);
    if (init === 'ones') values.fill(1, offset, offset + count);
    if (init !== 'kaiming-normal') continue;
    const rng = Rng.of(seed, 'supernet', key);
    for (let i = offset; i < offset + count; i++) values[i] = Math.sqrt(2 / fanIn) * rng.normal();
  }
  return values;
}

/** 1 where weight decay acts. */
export function decayMask(shared: SharedWeights): Uint8Array {
  const mask = new Uint8Array(shared.length);
  for (const { sizes, decayed, offset } of shared.slots.values()) if (decayed) mask.fill(1, offset, offset + product(sizes));
  return mask;
}

type Specs = ReadonlyMap<string, readonly WeightSpec[]>;

function specsOf(graph: Graph): Specs {
  const shapes = inferShapes(graph);
  return new Map(graph.nodes.map((node) => [node.id, weightsOf(node, shapes)]));
}

function cutsOf(graph: Graph, point: Point, specs: Specs): (Cut & { readonly spec: WeightSpec })[] {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const layerOf = layerNames(point);
  return packingOf(graph).parameters.map((slot) => {
    const node = nodes.get(slot.node)!;
    const spec = specs.get(slot.node)!.find((s) => s.name === slot.name)!;
    return { key: `${layerOf(slot.node)}.${slot.name}`, axes: axesOf(node, slot, nodes), isPrivate: isKind(node, 'batchNorm'), decayed: slot.decayed, offset: slot.offset, spec };
  });
}

/** `block4.mdw` is layer `stage2.3.mdw` if stage 1 has one block and stage 2 three or more: blocks are numbered through, over stages of the point's depths. */
function layerNames(point: Point): (id: string) => string {
  const places: string[] = [];
  for (let stage = 1; typeof point[`depth${stage}`] === 'number'; stage++) {
    for (let i = 1; i <= (point[`depth${stage}`] as number); i++) places.push(`stage${stage}.${i}`);
  }
  return (id) => id.replace(/^block(\d+)(?=\.)/, (_, number: string) => places[Number(number) - 1]!);
}

/** Channels that a depthwise convolution makes are counted by input channel and head. */
function axesOf(node: Node, { shape, name }: Slot, nodes: ReadonlyMap<string, Node>): Cut['axes'] {
  const first = (size: number) => ({ size, keep: 'first' as const });
  const headed = (channels: number, groups: number): Cut['axes'] => (groups === 1 ? [first(channels)] : [first(groups), first(channels / groups)]);
  if (isKind(node, 'conv2d')) {
    const [channels, inputs, ...kernel] = shape as [number, number, ...number[]];
    const out = headed(channels, node.attrs.groups);
    return name === 'bias' ? out : [...out, first(inputs), ...kernel.map((size) => ({ size, keep: 'centre' as const }))];
  }
  if (isKind(node, 'batchNorm')) {
    const source = nodes.get(node.inputs[0]!)!;
    return headed(shape[0]!, isKind(source, 'conv2d') ? source.attrs.groups : 1);
  }
  return shape.map(first);
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
