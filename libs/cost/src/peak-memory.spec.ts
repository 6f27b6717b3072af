import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elements, graphBuilder, inferShapes, verifyGraph, type Graph, type Node, type Shape } from '@app/graph';
import { peakMemory } from './peak-memory.js';

interface Step { readonly kind: number; readonly a: number; readonly b: number }

/** A network of nodes that are not merged into one another; whatever nothing reads leaves it, so that no node is dead. */
function networkOf(steps: readonly Step[], kinds: readonly ('maxPool' | 'concat' | 'globalAvgPool' | 'add' | 'activation' | 'identity')[]): Graph {
  const nodes: Node[] = [{ id: 'n0', kind: 'input', inputs: [], attrs: { shape: [1, 2, 4, 4] } }];
  const shapes: Shape[] = [[1, 2, 4, 4]];
  for (const { kind: k, a, b } of steps) {
    const kind = kinds[k % kinds.length]!;
    const x = a % nodes.length;
    const fitting = shapes.flatMap((s, i) => (kind === 'concat' ? s[2] === shapes[x]![2] : elements(s) === elements(shapes[x]!)) ? [i] : []);
    const y = fitting[b % fitting.length]!;
    const shape = shapes[x]!;
    const id = `n${nodes.length}`;
    const [nx, ny] = [`n${x}`, `n${y}`];
    if (kind === 'maxPool') nodes.push({ id, kind, inputs: [nx], attrs: { kernel: [3, 3], stride: [1, 1], padding: [1, 1, 1, 1] } });
    else if (kind === 'concat') nodes.push({ id, kind, inputs: [nx, ny], attrs: { axis: 1 } });
    else if (kind === 'add') nodes.push({ id, kind, inputs: [nx, shapes[y]!.join() === shape.join() ? ny : nx], attrs: {} });
    else if (kind === 'activation') nodes.push({ id, kind, inputs: [nx], attrs: { fn: 'relu' } });
    else nodes.push({ id, kind, inputs: [nx], attrs: {} });
    shapes.push(kind === 'concat' ? [1, shape[1]! + shapes[y]![1]!, shape[2]!, shape[3]!] : kind === 'globalAvgPool' ? [1, shape[1]!, 1, 1] : shape);
  }
  const read = new Set(nodes.flatMap((n) => n.inputs));
  return verifyGraph({ name: 'random', nodes, outputs: nodes.map((n) => n.id).filter((id) => !read.has(id)) });
}

const steps = fc.array(fc.record({ kind: fc.nat(50), a: fc.nat(50), b: fc.nat(50) }), { minLength: 1, maxLength: 14 });

/** Any order in which a node stands behind what it reads; `picks` decides between those that may come next. */
function someOrder(graph: Graph, picks: readonly number[]): string[] {
  const order: string[] = [];
  while (order.length < graph.nodes.length) {
    const ready = graph.nodes.filter((n) => !order.includes(n.id) && n.inputs.every((i) => order.includes(i)));
    order.push(ready[picks[order.length % picks.length]! % ready.length]!.id);
  }
  return order;
}

/** F-C13 word for word: at k, sizes of tensors already produced and still needed by k or later, plus the output of k. */
function liveByDefinition(graph: Graph, order: readonly string[]): number[] {
  const shapes = inferShapes(graph);
  const node = (id: string): Node => graph.nodes.find((n) => n.id === id)!;
  return order.map((_, k) => {
    const needed = order.filter((id, at) => (at <= k || node(id).kind === 'input') && (at === k || graph.outputs.includes(id) || order.slice(k).some((later) => node(later).inputs.includes(id))));
    return needed.reduce((sum, id) => sum + elements(shapes.get(id)!), 0);
  });
}

/** The same by simulation of an allocator that knows renaming and writing in place. */
function liveBySimulation(graph: Graph, order: readonly string[]): number[] {
  const shapes = inferShapes(graph);
  const node = (id: string): Node => graph.nodes.find((n) => n.id === id)!;
  const real = (id: string): string => (node(id).kind === 'identity' ? real(node(id).inputs[0]!) : id);
  const readersOf = (id: string): Node[] => graph.nodes.filter((n) => n.kind !== 'identity' && n.inputs.some((i) => real(i) === real(id)));
  const home = new Map<string, string>();
  for (const { id, kind, inputs } of graph.nodes) {
    const over = kind === 'identity' ? inputs[0] : kind === 'add' || kind === 'activation' ? inputs.find((i) => readersOf(i).length === 1 && !graph.outputs.some((o) => real(o) === real(i))) : undefined;
    home.set(id, over === undefined ? id : home.get(over)!);
  }
  return order.map((_, k) => {
    const alive = new Set<string>();
    order.forEach((id, at) => {
      const there = at <= k || node(id).kind === 'input';
      if (there && (at === k || graph.outputs.includes(id) || order.slice(k).some((later) => node(later).inputs.includes(id)))) alive.add(home.get(id)!);
    });
    return [...alive].reduce((sum, id) => sum + elements(shapes.get(id)!), 0);
  });
}

describe('peak memory of an execution order', () => {
  it('is the sum of formula F-C13 for any network and any order, where nothing can be written in place', () => {
    fc.assert(fc.property(steps, fc.array(fc.nat(20), { minLength: 1 }), (s, picks) => {
      const graph = networkOf(s, ['maxPool', 'concat', 'globalAvgPool']);
      const order = someOrder(graph, picks);
      const live = liveByDefinition(graph, order);
      expect(peakMemory(graph, 1, order)).toEqual({ peak: Math.max(...live), order, live });
    }));
  });

  it('agrees with an allocator simulated step by step where tensors are renamed and written in place', () => {
    fc.assert(fc.property(steps, fc.array(fc.nat(20), { minLength: 1 }), (s, picks) => {
      const graph = networkOf(s, ['maxPool', 'concat', 'add', 'activation', 'identity']);
      const order = someOrder(graph, picks);
      expect(peakMemory(graph, 1, order).live).toEqual(liveBySimulation(graph, order));
    }));
  });

  it('never grows by writing in place', () => {
    fc.assert(fc.property(steps, (s) => {
      const graph = networkOf(s, ['maxPool', 'concat', 'add', 'activation']);
      expect(peakMemory(graph, 1).peak).toBeLessThanOrEqual(Math.max(...liveByDefinition(graph, graph.nodes.map((n) => n.id))));
    }));
  });

  it('of MicroNet-KWS-L is its first depthwise convolution: 49·10·276 + 25·5·276 bytes in int8', () => {
    // MicroNets, arXiv 2010.11267, table 5; the layers before and after are smaller
    const b = graphBuilder('kws-l');
    const relu = (x: string): string => b.activation(b.batchNorm(x), 'relu');
    let x = relu(b.conv2d(b.input([1, 1, 49, 10]), { outChannels: 276, kernel: [10, 4], padding: 'same' }));
    x = relu(b.conv2d(x, { outChannels: 276, kernel: 3, stride: 2, padding: 'same', groups: 276 }));
    x = relu(b.conv2d(x, { outChannels: 248, kernel: 1 }));
    b.output(b.linear(b.flatten(b.globalAvgPool(x)), 12));
    expect(peakMemory(b.build(), 1).peak).toBe(49 * 10 * 276 + 25 * 5 * 276);
  });

  it('counts a convolution with its batch norm and activation as one tensor, and no dead node', () => {
    const b = graphBuilder('fused');
    const x = b.input([1, 3, 8, 8]);
    b.conv2d(x, { outChannels: 64, kernel: 3 });
    b.output(b.activation(b.batchNorm(b.conv2d(x, { outChannels: 4, kernel: 3 })), 'relu'));
    const memory = peakMemory(b.build(), 4);
    expect(memory.live).toEqual([3 * 64 * 4, (3 + 4) * 64 * 4]);
  });

  it('takes nothing for an addition of zeros, nor for what only the zeros read', () => {
    const b = graphBuilder('none-edge');
    const x = b.input([1, 2, 4, 4]);
    const unread = b.conv2d(x, { outChannels: 2, kernel: 3 });
    const sum = b.add(b.maxPool(x, { kernel: 3, stride: 1, padding: 1 }), b.zeros(unread));
    b.output(b.globalAvgPool(sum));
    expect(peakMemory(b.build(), 1).order).toHaveLength(3);
  });

  it('refuses an order that is none, naming the node', () => {
    const b = graphBuilder('chain');
    const x = b.input([1, 1, 2, 2]);
    const y = b.maxPool(x, { kernel: 1 });
    b.output(y);
    const graph = b.build();
    expect(() => peakMemory(graph, 1, [y, x])).toThrow(`"${y}" stands before "${x}"`);
    expect(() => peakMemory(graph, 1, [x])).toThrow(`"${y}" is missing`);
    expect(() => peakMemory(graph, 1, [x, x])).toThrow(`"${x}" stands twice`);
    expect(() => peakMemory(graph, 1, [x, 'z'])).toThrow('"z" is not a node');
    expect(() => peakMemory(graph, Number.NaN)).toThrow('expected a finite number above 0, got NaN');
  });
});
