import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPieced, joinPieces, wholeSection, type Graph, type Piece, type PiecedGraph } from '@app/graph';
import { decode } from './decode.js';
import { flynetPoints } from './flynet/flynet-points.fixture.js';
import { GraphNetworkBuilder, type Feature } from './network-builder.js';
import { PieceBuilder } from './piece-builder.js';
import { PieceDecoder } from './piece-decoder.js';
import { PieceTable } from './piece-table.js';

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

const pieced = (network: Graph | PiecedGraph): PiecedGraph => {
  if (!isPieced(network)) throw new Error('expected pieces');
  return network;
};

describe('networks in pieces', () => {
  it('are the networks, joined', () => {
    // few pieces are kept, so that points meet hits, misses and pieces that were let go
    const decoder = new PieceDecoder(space, task, 300);
    fc.assert(fc.property(flynetPoints, (point) => {
      expect(anonymous(joinPieces(pieced(decoder.decode(point))))).toEqual(anonymous(decode(space, point, task)));
    }), { numRuns: 120 });
    expect(decoder.table.hits).toBeGreaterThan(0);
  });

  it('share equal pieces', () => {
    const decoder = new PieceDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 5 });
    const piecesOf = (noise1: number): readonly Piece[] => wholeSection(pieced(decoder.decode({ ...point!, noise1 }))).pieces;
    const first = piecesOf(2 ** 32);
    const { misses } = decoder.table;
    const again = piecesOf(16);
    expect(again).toEqual(first);
    expect(again.every((piece, p) => piece === first[p])).toBe(true);
    expect(decoder.table.misses).toBe(misses);
  });

  it('share sections from the third time on, whatever stands before and behind them', () => {
    const decoder = new PieceDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 5 });
    const sectionsOf = (kernel5: number): PiecedGraph['sections'] => pieced(decoder.decode({ ...point!, kernel5 })).sections;
    sectionsOf(3);
    const second = sectionsOf(5);
    const third = sectionsOf(7);
    // input, stem and the blocks of four stages, one section each
    const same = 2 + [1, 2, 3, 4].reduce((sum, s) => sum + Number(point![`depth${s}`]), 0);
    for (let s = 0; s < same; s++) expect(third[s]).toBe(second[s]);
    expect(third.at(-1)).toBe(second.at(-1));
    expect(decoder.table.sections.hits).toBeGreaterThan(same);
  });

  it('refuse what decoding refuses', () => {
    const decoder = new PieceDecoder(space, task);
    const [point] = fc.sample(flynetPoints, { numRuns: 1, seed: 7 });
    expect(() => decoder.decode({ ...point!, heads3: 17 })).toThrow('heads3: expected an integer from 1 to 16, got 17');
    expect(() => new PieceDecoder({ family: 'none', settings: {} }, task)).toThrow(/family: expected one of/);
    expect(() => new PieceDecoder(space, task, 0)).toThrow(/capacity/);
  });
});

describe('a network is told whole', () => {
  it.each<[string, (net: PieceBuilder) => PiecedGraph | null]>([
    ['where nothing reads an operator', (net) => {
      const x = net.input(3, 8);
      net.conv('dead', x, 4);
      return net.finish(net.conv('a', x, 4));
    }],
    ['where a tensor may be zero', (net) => {
      const x = net.conv('a', net.input(3, 8), 4);
      return net.finish(net.add('sum', x, net.zeros('zeros', x)));
    }],
    ['where an activation may join an operator that does not stand right before it', (net) => {
      const x = net.input(3, 8);
      const a = net.conv('a', x, 4);
      const b = net.conv('b', x, 4);
      return net.finish(net.add('sum', b, net.activation('act', a, 'relu')));
    }],
    ['where a tensor is read as it was before an activation joined it', (net) => {
      const a = net.conv('a', net.input(3, 8), 4);
      return net.finish(net.add('sum', a, net.activation('act', a, 'relu')));
    }],
    ['where equal operators read one tensor', (net) => {
      const a = net.conv('a', net.input(3, 8), 4);
      return net.finish(net.add('sum', net.maxPool('p', a, 3, 1), net.maxPool('q', a, 3, 1)));
    }],
    ['where an activation may join an operator of another section', (net) => {
      const [a] = net.section([0], [net.input(3, 8)], ([x]) => [net.conv('a', x!, 4)]);
      return net.finish(net.activation('act', a!, 'relu'));
    }],
    ['where equal operators of two sections read one tensor', (net) => {
      const a = net.conv('a', net.input(3, 8), 4);
      const pooled = [0, 1].map((k) => net.section([k], [a], ([x]) => [net.maxPool(`p${k}`, x!, 3, 1)])[0]!);
      return net.finish(net.add('sum', pooled[0]!, pooled[1]!));
    }],
    ['where nothing reads what leaves a section', (net) => {
      const x = net.input(3, 8);
      net.section([0], [x], ([y]) => [net.conv('dead', y!, 4)]);
      return net.finish(net.conv('a', x, 4));
    }],
    ['with several outputs', (net) => {
      const a = net.conv('a', net.input(3, 8), 4);
      return net.finish(a, net.conv('b', a, 4));
    }],
    ['where a flattening may be an operator', (net) => net.finish(net.linear('l', net.shuffle('s', net.conv('a', net.input(3, 8), 4), 2), 3))],
  ])('%s', (_, build) => {
    // sections are told apart from the second time on
    const table = new PieceTable(100, 1);
    const [, second, third] = [0, 1, 2].map(() => build(new PieceBuilder('x', table)));
    expect([second, third]).toEqual([null, null]);
  });
});

describe('a section', () => {
  it('that begins with what may join the operator before it is told operator by operator', () => {
    const table = new PieceTable(100, 1);
    const networks = [0, 1, 2].map(() => {
      const net = new PieceBuilder('x', table);
      const [a] = net.section([0], [net.conv('a', net.input(3, 8), 4)], ([x]) => [net.activation('act', x!, 'relu')]);
      return pieced(net.finish(net.conv('b', a!, 4))!);
    });
    for (const { sections } of networks) expect(sections.map(({ pieces }) => pieces.map(({ operators }) => operators))).toEqual([[1], [2], [1]]);
  });

  it('within another is part of it, whichever of them is known', () => {
    const table = new PieceTable(100, 1);
    const build = (kernel: number): Graph => {
      const net = new PieceBuilder('x', table);
      const x = net.conv('a', net.input(3, 8), 4);
      const inner = (part: string, y: Feature): Feature => net.section([1], [y], ([z]) => [net.activation(`${part}Act`, net.convBn(part, z!, 4, { kernel: 3 }), 'relu')])[0]!;
      const [y] = net.section([0, kernel], [x], ([z]) => [net.add('sum', inner('b', net.conv('c', z!, 4, { kernel })), z!)]);
      return joinPieces(pieced(net.finish(net.conv('d', inner('e', y!), 2))!));
    };
    const plain = (kernel: number): Graph => {
      const net = new GraphNetworkBuilder('x');
      const x = net.conv('a', net.input(3, 8), 4);
      const inner = (part: string, y: Feature): Feature => net.activation(`${part}Act`, net.convBn(part, y, 4, { kernel: 3 }), 'relu');
      return net.finish(net.conv('d', inner('e', net.add('sum', inner('b', net.conv('c', x, 4, { kernel })), x)), 2));
    };
    for (const kernel of [1, 3, 1, 1, 3, 3]) expect(anonymous(build(kernel))).toEqual(anonymous(plain(kernel)));
    expect(table.sections.hits).toBeGreaterThan(5);
  });

  it('is kept when it comes for the fourth time, or as often as the table is told', () => {
    const kept = (...settings: [number?]): number[] => {
      const table = new PieceTable(100, ...settings);
      return [1, 2, 3, 4, 5].map(() => {
        const net = new PieceBuilder('x', table);
        const [y] = net.section([0], [net.conv('a', net.input(3, 8), 4)], ([x]) => [net.conv('b', x!, 4)]);
        net.finish(y!);
        return table.sections.size;
      });
    };
    expect(kept()).toEqual([0, 0, 0, 1, 1]);
    expect(kept(1)).toEqual([0, 1, 1, 1, 1]);
  });

  it('reads nothing but its inputs', () => {
    const table = new PieceTable(100, 1);
    const build = (): unknown => {
      const net = new PieceBuilder('x', table);
      const a = net.conv('a', net.input(3, 8), 4);
      const b = net.conv('b', a, 4);
      return net.section([0], [b], ([x]) => [net.add('sum', x!, a)]);
    };
    build();
    expect(build).toThrow(/not among its inputs/);
  });

  it('takes only those of its inputs that it reads', () => {
    const table = new PieceTable(100, 1);
    const build = (): PiecedGraph => {
      const net = new PieceBuilder('x', table);
      const x = net.input(3, 8);
      const a = net.conv('a', x, 4);
      const [y] = net.section([0], [x, a], ([, second]) => [net.conv('b', second!, 4)]);
      return pieced(net.finish(y!)!);
    };
    build();
    const network = build();
    expect(network.sections.at(-1)!.taken).toBe(1);
    expect(joinPieces(network).nodes.map(({ kind }) => kind)).toEqual(['input', 'conv2d', 'conv2d']);
  });
});
