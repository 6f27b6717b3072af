import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { decode, GraphNetworkBuilder, PieceBuilder, PieceDecoder, PieceTable, pointFromCode, type Feature, type NetworkBuilder } from '@app/decode';
import { isPieced, joinPieces, totals, type Graph } from '@app/graph';
import { createSearchSpace } from '@app/space';
import { UnsupportedPrecision } from '../errors.js';
import { RUNTIMES, type RuntimeKind } from '../latency-rules.js';
import { priceNetwork } from '../price-network.js';
import type { DeviceProfile } from '../types.js';
import { ArenaWalk } from './arena-walk.js';
import { FIGURES, NetworkPricer, type NetworkEstimates, type PricedDevice } from './network-pricer.js';

const catalog = loadCatalog();
const devices: readonly PricedDevice[] = catalog.devices().map((device) => ({ device }));
const everyPrecision: readonly PricedDevice[] = catalog.devices().flatMap((device) => (['int8', 'fp16', 'fp32'] as const).flatMap((precision) => (device.precisions[precision] ? [{ device, precision }] : [])));
const task = { numClasses: 10, inputChannels: 3 };

/** The plain twin: `priceNetwork` on each device, without its layers. */
function plainly(graph: Graph, on: readonly PricedDevice[] = devices): NetworkEstimates[] {
  return on.map(({ device, precision }) => {
    const { layers: _, order: __, ...estimates } = priceNetwork(graph, device, precision);
    return estimates;
  });
}

function pointsOf(name: string): fc.Arbitrary<ReturnType<ReturnType<typeof createSearchSpace>['decode']>> {
  const space = createSearchSpace(catalog.space(name).parameters);
  return fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: space.dimension, maxLength: space.dimension }).map((u) => space.decode(space.fromUnit(u)));
}

/** A device whose latency model runs networks as another runtime does. */
function under(runtime: RuntimeKind): PricedDevice {
  const device = catalog.device('stm32f446re');
  return { device: { ...device, id: runtime, latencyModel: { ...device.latencyModel!, runtime: RUNTIMES[runtime] } } };
}

describe('networks priced in pieces', () => {
  it('cost on every profile what they cost as a whole, to the last bit', () => {
    const definition = catalog.space('flynet');
    const decoder = new PieceDecoder(definition, task, 65_536, 1);
    const pricer = new NetworkPricer(devices);
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      const graph = decode(definition, point, task);
      expect(pricer.estimates(decoder.decode(point))).toEqual(plainly(graph));
      expect(pricer.counts()).toMatchObject({ macs: totals(graph).macs, params: totals(graph).params });
    }), { numRuns: 25 });
  });

  it('cost the same in every precision and under every runtime', () => {
    const definition = catalog.space('flynet');
    const decoder = new PieceDecoder(definition, task, 65_536, 1);
    const all = [...everyPrecision, ...(Object.keys(RUNTIMES) as RuntimeKind[]).map(under)];
    const pricer = new NetworkPricer(all);
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      expect(pricer.estimates(decoder.decode(point))).toEqual(plainly(decode(definition, point, task), all));
    }), { numRuns: 6 });
  });

  it('cost the same whatever was priced before, and whether pieces are known or not', () => {
    const definition = catalog.space('flynet');
    const [known, forgetful] = [new PieceDecoder(definition, task, 65_536, 1), new PieceDecoder(definition, task, 2)];
    const [a, b] = [new NetworkPricer(devices), new NetworkPricer(devices)];
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      expect(a.estimates(known.decode(point))).toEqual(b.estimates(forgetful.decode(point)));
      expect(a.estimates(known.decode(point))).toEqual(new NetworkPricer(devices).estimates(known.decode(point)));
    }), { numRuns: 8 });
  });

  /** families with zeros or channel shuffles, which are told as graphs */
  const WHOLE: ReadonlySet<string> = new Set(['nas-bench-201', 'fbnet']);
  it('cost the same in every space that networks are searched in', () => {
    const pricer = new NetworkPricer(devices);
    for (const { name } of catalog.spaces()) {
      const definition = catalog.space(name);
      if (definition.family === 'none') continue;
      const usual = { ...task, inputChannels: definition.family === 'ds-cnn' ? 1 : 3 };
      const decoder = new PieceDecoder(definition, usual, 65_536, 1);
      fc.assert(fc.property(pointsOf(name), (point) => {
        const network = decoder.decode(point);
        if (!WHOLE.has(definition.family)) expect(isPieced(network), name).toBe(true);
        expect(pricer.estimates(network), name).toEqual(plainly(decode(definition, point, usual)));
      }), { numRuns: 3 });
    }
  });

  it.each([['', 30], [' in sections too', 2]])('cost the same where operators read each other, tensors tie in size and end early%s', (_, reach) => {
    const pricer = new NetworkPricer(devices);
    const table = new PieceTable(4000, 1);
    let pieced = 0;
    fc.assert(fc.property(randomNetworks(reach), (plan) => {
      const graph = build(new GraphNetworkBuilder('random'), plan);
      const due = plainly(graph);
      // a section is kept when it comes again
      const networks = [0, 1, 2].map(() => build(new PieceBuilder('random', table), plan));
      for (const pieces of networks) {
        if (pieces === null) return;
        pieced++;
        expect(pricer.estimates(pieces)).toEqual(due);
      }
      expect(plainly(joinPieces(networks[2]!), devices.slice(0, 4))).toEqual(plainly(graph, devices.slice(0, 4)));
    }), { numRuns: 50 });
    expect(pieced).toBeGreaterThan(100);
    expect(table.sections.hits).toBeGreaterThan(50);
  });

  it('place no buffers where each run has had such neighbours before, in whatever network', () => {
    const begun = vi.spyOn(ArenaWalk.prototype, 'begin');
    const definition = catalog.space('flynet');
    const arena = [{ device: catalog.device('stm32h743zi-tflm-reference') }];
    const decoder = new PieceDecoder(definition, task, 65_536, 1);
    const pricer = new NetworkPricer(arena);
    const space = createSearchSpace(definition.parameters);
    const usual = space.decode(space.fromUnit(new Array<number>(space.dimension).fill(0.3)));
    const kernels = [3, 5, 7].flatMap((kernel2) => [3, 5, 7].map((kernel5) => ({ ...usual, kernel2, kernel5 })));
    const unseen = kernels.pop()!;
    for (let round = 0; round < 2; round++) for (const point of kernels) pricer.price(decoder.decode(point));
    const placed = begun.mock.calls.length;
    expect(placed).toBeGreaterThan(0);
    expect(pricer.estimates(decoder.decode(unseen))).toEqual(plainly(decode(definition, unseen, task), arena));
    expect(begun.mock.calls.length).toBe(placed);
    begun.mockRestore();
  });

  it.each([2, 14, 15, 40])('cost the same where an operator reads %i tensors', (count) => {
    const pricer = new NetworkPricer(devices);
    const wide = <T>(net: NetworkBuilder<T>): T => {
      const x = net.conv('stem', net.input(3, 8), 4);
      const branches = Array.from({ length: count }, (_, i) => net.conv(`branch${i}`, x, 2 + (i % 3), { kernel: 3 }));
      return net.finish(net.linear('classifier', net.globalPool('mean', net.concat('concat', branches)), 5));
    };
    const graph = wide(new GraphNetworkBuilder('wide'));
    expect(pricer.estimates(wide(new PieceBuilder('wide', new PieceTable(1000)))!)).toEqual(plainly(graph));
    expect(pricer.counts()).toMatchObject({ macs: totals(graph).macs, params: totals(graph).params });
  });

  it('tell a chain of two operators from two side by side', () => {
    const pricer = new NetworkPricer(devices);
    const table = new PieceTable(100, 1);
    const chain = <T>(net: NetworkBuilder<T>): T => {
      const x = net.conv('stem', net.input(3, 8), 4);
      const [a, b] = net.section([0], [x], ([y]) => {
        const first = net.conv('a', y!, 4, { kernel: 3 });
        return [first, net.conv('b', first, 4, { kernel: 3 })];
      });
      return net.finish(net.add('sum', a!, b!));
    };
    const beside = <T>(net: NetworkBuilder<T>): T => {
      const x = net.conv('stem', net.input(3, 8), 4);
      const y = net.conv('other', x, 4);
      const [a, b] = net.section([1], [x, y], ([one, two]) => [net.conv('a', one!, 4, { kernel: 3 }), net.conv('b', two!, 4, { kernel: 3 })]);
      // both inputs live on behind the section
      return net.finish(net.add('sum', net.add('left', a!, x), net.add('right', b!, y)));
    };
    for (const build of [chain, beside, chain, beside, chain, beside]) {
      expect(pricer.estimates(build(new PieceBuilder('x', table))!)).toEqual(plainly(build(new GraphNetworkBuilder('x'))));
    }
    expect(table.sections.size).toBe(2);
  });

  it('fill rows of figures with the ends of their intervals', () => {
    const network = new PieceDecoder(catalog.space('flynet'), task).decode(fc.sample(pointsOf('flynet'), { numRuns: 1, seed: 3 })[0]!);
    const pricer = new NetworkPricer(devices);
    const estimates = pricer.estimates(network);
    pricer.price(network);
    estimates.forEach(({ latency, energy, peakRam, flash }, d) => {
      [latency, energy, peakRam, flash].forEach(({ value, low, high }, k) => {
        const at = d * FIGURES + k;
        expect([pricer.values[at], pricer.lows[at], pricer.highs[at]]).toEqual([value, low, high]);
      });
    });
  });
});

describe('networks priced as graphs', () => {
  it('cost what `priceNetwork` says, zeros, dead branches and constant answers included', () => {
    const pricer = new NetworkPricer(devices);
    const codes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 }).map((digits) => digits.join(''));
    fc.assert(fc.property(codes, (code) => {
      const graph = decode({ family: 'nas-bench-201', settings: { cells: 2 } }, pointFromCode(code), task);
      expect(pricer.estimates(graph)).toEqual(plainly(graph));
      expect(pricer.counts()).toEqual(totals(graph));
    }), { numRuns: 12 });
  });

  it('are refused in a precision the device lacks', () => {
    const device: DeviceProfile = catalog.device('v100');
    expect(() => new NetworkPricer([{ device: { ...device, precisions: { fp32: device.precisions.fp32 } }, precision: 'int8' }])).toThrow(UnsupportedPrecision);
  });
});

interface Operator {
  readonly kind: string;
  readonly with: number;
  readonly channels: number;
  readonly kernel: number;
  readonly act: boolean;
  readonly isSection: boolean;
}

interface Plan {
  readonly operators: readonly Operator[];
  /** how many tensors back an operator may read */
  readonly reach: number;
}

const KINDS = ['conv', 'depthwise', 'add', 'gate', 'concat', 'slice', 'pad', 'pool'] as const;

/** Convolutions, sums, concatenations, gates, slices and padding on maps of few sizes, so that many buffers tie; each operator reads the last tensor, some another one too. */
const randomNetworks = (reach: number): fc.Arbitrary<Plan> => fc.array(
  fc.record({
    kind: fc.constantFrom(...KINDS, 'conv', 'add'), with: fc.nat(), channels: fc.constantFrom(2, 4, 4, 8), kernel: fc.constantFrom(1, 3), act: fc.boolean(), isSection: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
).map((operators) => ({ operators, reach }));

function build<T>(net: NetworkBuilder<T>, { operators, reach }: Plan): T {
  const input = net.input(3, 6);
  net.begin('b');
  let x = net.conv('stem', input, 4, { kernel: 3 });
  const made: Feature[] = [x];
  operators.forEach((op, i) => {
    const other = made[made.length - 1 - (op.with % Math.min(reach, made.length))]!;
    const part = `${op.kind}${i}`;
    const key = [KINDS.indexOf(op.kind as (typeof KINDS)[number]), op.channels, op.kernel, op.act ? 1 : 0];
    if (!op.isSection) x = operator(net, part, op, x, other);
    else if (other === x) [x] = net.section([...key, 0], [x], ([a]) => [operator(net, part, op, a!, a!)]) as [Feature];
    else [x] = net.section([...key, 1], [x, other], ([a, b]) => [operator(net, part, op, a!, b!)]) as [Feature];
    made.push(x);
  });
  return net.finish(net.linear('classifier', net.globalPool('mean', x), 5));
}

function operator(net: NetworkBuilder, part: string, op: Operator, x: Feature, other: Feature): Feature {
  let y: Feature;
  if (op.kind === 'depthwise') y = net.convBn(part, x, x.channels, { kernel: 3, groups: x.channels });
  else if (op.kind === 'gate') y = net.channelAttention(part, x, { kernel: 3, statistics: op.kernel === 1 ? 'mean' : 'mean-variance', excitation: 'sigmoid', heads: 1, temperature: 1 });
  else if (op.kind === 'add' && other.channels === x.channels) y = net.add(part, x, other);
  else if (op.kind === 'concat') y = net.conv(`${part}Out`, net.concat(part, [x, other]), op.channels);
  else if (op.kind === 'slice' && op.channels < x.channels) y = net.firstChannels(part, x, op.channels);
  else if (op.kind === 'pad' && op.channels > x.channels) y = net.padChannels(part, x, op.channels);
  else if (op.kind === 'pool') y = net.maxPool(part, x, 3, 1);
  else y = net.convBn(part, x, op.channels, { kernel: op.kernel });
  return op.act ? net.activation(`${part}Act`, y, op.kernel === 1 ? 'relu' : 'hswish') : y;
}
