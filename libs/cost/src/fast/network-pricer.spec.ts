import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { decode, pointFromCode, SectionDecoder } from '@app/decode';
import { asOneSection, graphBuilder, joinSections, totals, type Graph, type GraphBuilder, type Section, type SectionedGraph } from '@app/graph';
import { createSearchSpace } from '@app/space';
import { UnsupportedPrecision } from '../errors.js';
import { RUNTIMES, type RuntimeKind } from '../latency-rules.js';
import { priceNetwork } from '../price-network.js';
import type { DeviceProfile } from '../types.js';
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

describe('networks priced in sections', () => {
  it('cost on every profile what they cost as a whole, to the last bit', () => {
    const definition = catalog.space('flynet');
    const decoder = new SectionDecoder(definition, task);
    const pricer = new NetworkPricer(devices);
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      const graph = decode(definition, point, task);
      expect(pricer.estimates(decoder.decode(point))).toEqual(plainly(graph));
      expect(pricer.counts()).toMatchObject({ macs: totals(graph).macs, params: totals(graph).params });
    }), { numRuns: 25 });
  });

  it('cost the same in every precision and under every runtime', () => {
    const definition = catalog.space('flynet');
    const decoder = new SectionDecoder(definition, task);
    const all = [...everyPrecision, ...(Object.keys(RUNTIMES) as RuntimeKind[]).map(under)];
    const pricer = new NetworkPricer(all);
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      expect(pricer.estimates(decoder.decode(point))).toEqual(plainly(decode(definition, point, task), all));
    }), { numRuns: 6 });
  });

  it('cost the same whatever was priced before, and whether sections are known or not', () => {
    const definition = catalog.space('flynet');
    const [known, forgetful] = [new SectionDecoder(definition, task), new SectionDecoder(definition, task, 2)];
    const [a, b] = [new NetworkPricer(devices), new NetworkPricer(devices)];
    fc.assert(fc.property(pointsOf('flynet'), (point) => {
      expect(a.estimates(known.decode(point))).toEqual(b.estimates(forgetful.decode(point)));
      expect(a.estimates(known.decode(point))).toEqual(new NetworkPricer(devices).estimates(known.decode(point)));
    }), { numRuns: 8 });
  });

  it('cost the same where blocks read each other, tensors tie in size and end early', () => {
    const pricer = new NetworkPricer(devices);
    fc.assert(fc.property(randomSections, (network) => {
      expect(pricer.estimates(network)).toEqual(plainly(joinSections(network)));
    }), { numRuns: 60 });
  });

  it('fill rows of figures with the ends of their intervals', () => {
    const network = new SectionDecoder(catalog.space('flynet'), task).decode(fc.sample(pointsOf('flynet'), { numRuns: 1, seed: 3 })[0]!);
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

describe('networks priced as one section', () => {
  it('cost what `priceNetwork` says, zeros, dead branches and constant answers included', () => {
    const pricer = new NetworkPricer(devices);
    const codes = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 }).map((digits) => digits.join(''));
    fc.assert(fc.property(codes, (code) => {
      const graph = decode({ family: 'nas-bench-201', settings: { cells: 2 } }, pointFromCode(code), task);
      expect(pricer.estimates(asOneSection(graph))).toEqual(plainly(graph));
      expect(pricer.counts()).toEqual(totals(graph));
    }), { numRuns: 12 });
    fc.assert(fc.property(pointsOf('resnet18-scaling'), (point) => {
      const network = new SectionDecoder(catalog.space('resnet18-scaling'), task).decode(point);
      expect(pricer.estimates(network)).toEqual(plainly(decode(catalog.space('resnet18-scaling'), point, task)));
    }), { numRuns: 4 });
  });
});

describe('a section', () => {
  const convolution = (b: GraphBuilder, x: string): string => b.conv2d(x, { outChannels: 4, kernel: 3 });
  const section = (build: (b: GraphBuilder, x: string) => string | readonly string[], takes: Section['takes'] = ['x']): Section => {
    const b = graphBuilder('piece');
    const built = build(b, b.input([1, 4, 8, 8], 'x'));
    (typeof built === 'string' ? [built] : built).forEach((id) => b.output(id));
    return { graph: b.build(), takes };
  };
  const price = (...sections: Section[]): void => new NetworkPricer(devices.slice(0, 2)).price({ name: 'made up', sections });
  const plain = section(convolution);

  it('is refused where its operators may be joined with those of another', () => {
    expect(() => price(plain, section((b, x) => convolution(b, b.activation(x, 'relu'))))).toThrow(/section "piece": expected no activation behind a tensor at an end/);
    expect(() => price(section((b, x) => { const y = convolution(b, x); return [convolution(b, b.batchNorm(y)), y]; }), plain)).toThrow(/no batchNorm behind/);
    expect(() => price(plain, section((b, x) => b.identity(x)), plain)).toThrow(/outputs that it makes/);
  });

  it('is refused where nodes of it may be dead, zero or constant', () => {
    expect(() => price(section((b, x) => { b.conv2d(x, { outChannels: 2, kernel: 1 }); return convolution(b, x); }), plain)).toThrow(/expected nodes that "conv2d_2" needs/);
    expect(() => price(section((b, x) => b.add(convolution(b, x), b.zeros(x))), plain)).toThrow(/expected no zeros/);
  });

  it('is refused where it does not fit the one before', () => {
    const two = section((b, x) => { const y = convolution(b, x); return [convolution(b, y), y]; });
    expect(() => price(two, plain)).toThrow(/sections 0 and 1: expected one place for each of 2 tensors, got 1/);
    expect(() => price(two, section(convolution, [null, 'x']))).toThrow(/expected the first tensor that is handed over to be read/);
  });

  it('is refused where operators on both sides may run once', () => {
    const pooled = section((b, x) => { const y = convolution(b, x); return [b.add(y, b.maxPool(y, { kernel: 3, stride: 1, padding: 1 })), y]; });
    const b = graphBuilder('pools again');
    const [x, y] = [b.input([1, 4, 8, 8], 'x'), b.input([1, 4, 8, 8], 'y')];
    b.output(b.add(x, b.maxPool(y, { kernel: 3, stride: 1, padding: 1 })));
    const network: SectionedGraph = { name: 'made up', sections: [pooled, { graph: b.build(), takes: ['x', 'y'] }] };
    expect(() => new NetworkPricer([under('litert')]).price(network)).toThrow(/may be merged/);
    const on = [under('compiled')];
    expect(new NetworkPricer(on).estimates(network)).toEqual(plainly(joinSections(network), on));
  });

  it('is priced only in a precision the device has', () => {
    const device: DeviceProfile = catalog.device('v100');
    expect(() => new NetworkPricer([{ device: { ...device, precisions: { fp32: device.precisions.fp32 } }, precision: 'int8' }])).toThrow(UnsupportedPrecision);
  });
});

/**
 * Chains of sections of convolutions, sums, means that scratch, concatenations and gates, on maps of few sizes so that many buffers tie. A section hands on its
 * last tensor and up to two more, of which the next reads some.
 */
const randomSections: fc.Arbitrary<SectionedGraph> = fc.array(
  fc.record({
    ops: fc.array(fc.record({ kind: fc.constantFrom('conv', 'conv', 'depthwise', 'add', 'gate', 'concat'), from: fc.nat(), with: fc.nat(), channels: fc.constantFrom(2, 4, 4, 8), kernel: fc.constantFrom(1, 3) }), { minLength: 1, maxLength: 6 }),
    more: fc.array(fc.nat(), { maxLength: 2 }),
    reads: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
  }),
  { minLength: 2, maxLength: 6 },
).map((plans): SectionedGraph => {
  const sections: Section[] = [];
  let arriving: readonly number[] = [3];
  plans.forEach(({ ops, more, reads }, s) => {
    const b = graphBuilder(`section ${s}`);
    const takes = arriving.map((channels, j) => (j === 0 || reads[j - 1] ? b.input([1, channels, 6, 6], `in${j}`) : null));
    const tensors = takes.filter((id) => id !== null);
    const entering = tensors.length;
    // all that enters is read, and the main path runs through every operator
    let x = b.conv2d(entering > 1 ? b.concat(tensors) : tensors[0]!, { outChannels: 4, kernel: 3 });
    const made = [x];
    for (const op of ops) {
      const other = made[op.with % made.length]!;
      const channels = b.shape(x)[1]!;
      if (op.kind === 'conv') x = b.conv2d(x, { outChannels: op.channels, kernel: op.kernel });
      else if (op.kind === 'depthwise') x = b.conv2d(x, { outChannels: channels, kernel: 3, groups: channels });
      else if (op.kind === 'gate') x = b.channelAttention(x, { kernel: 3, statistics: op.kernel === 1 ? 'mean' : 'mean-variance', excitation: 'sigmoid' });
      else if (op.kind === 'add' && b.shape(other)[1] === channels) x = b.add(x, other);
      else x = b.conv2d(b.concat([x, other]), { outChannels: op.channels, kernel: 1 });
      made.push(x);
    }
    const isLast = s === plans.length - 1;
    // what is handed on besides is read here too: by an operator behind it
    const others = isLast ? [] : [...new Set(more.map((k) => made[k % made.length]!))].filter((id) => id !== x);
    [x, ...others].forEach((id) => b.output(id));
    sections.push({ graph: b.build(), takes });
    arriving = [x, ...others].map((id) => b.shape(id)[1]!);
  });
  return { name: 'random', sections };
});
