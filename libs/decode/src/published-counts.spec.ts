/** Networks others have counted: fixtures/published-networks.json says who. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { countOps, fusedInto, inferShapes, isKind, sumCounts, totals, type Graph } from '@app/graph';
import type { Point } from '@app/space';
import { decode } from './decode.js';
import { fbnetCode, pointFromFbnetCode } from './fbnet.js';

interface Published {
  readonly name: string;
  readonly family: string;
  readonly point: Point;
  readonly task: { readonly numClasses: number; readonly inputChannels: number };
  readonly source: string;
  readonly macs: number;
  readonly params: number;
  readonly layers?: readonly string[];
}
const fixture = <T>(file: string): T => JSON.parse(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8')) as T;
const { networks } = fixture<{ networks: readonly Published[] }>('published-networks.json');

const per = (name: string, values: readonly number[], from = 1): Point => Object.fromEntries(values.map((v, i) => [`${name}${i + from}`, v]));
/** The default points of the built-in spaces, to which the fixture gives the differences. */
const DEFAULTS: Readonly<Record<string, Point>> = {
  'mobilenet-v1': { depth: 5 },
  'mobilenet-v2': { ...per('depth', [2, 3, 4, 3, 3, 1], 2), ...per('expansion', [6, 6, 6, 6, 6, 6], 2) },
  'mobilenet-v3': { kernel: 5, squeezeExcite: 'quarter', activation: 'hswish' },
  mnasnet: { ...per('depth', [3, 3, 3, 2, 4, 1], 2), ...per('kernel', [3, 5, 5, 3, 5, 3], 2), ...per('expansion', [3, 3, 6, 6, 6, 6], 2) },
  mcunet: {},
  'ds-cnn': { frames: 49, coefficients: 10, kernelTime: 10, kernelFrequency: 4, strideTime: 2, strideFrequency: 2, stemChannels: 64, blocks: 4, firstStride: 1, ...per('channels', [64, 64, 64, 64]) },
  'resnet-8': { width: 1, resolution: 32, depth1: 1, depth2: 1, depth3: 1 },
  autoencoder: { features: 640, layers: 4, hidden: 128, bottleneck: 8 },
};
const CLASSES_1000 = { numClasses: 1000, inputChannels: 3 };
const network = (family: string, changes: Point, task = CLASSES_1000, settings: Record<string, string | number> = {}): Graph => decode({ family, settings }, { ...DEFAULTS[family], ...changes }, task);

/** Parameters once batch norm is folded into the layer before it: a bias a channel where there was none, instead of scale and shift. */
function foldedParams(graph: Graph): number {
  const shapes = inferShapes(graph);
  const fused = fusedInto(graph);
  const byId = new Map(graph.nodes.map((n) => [n.id, n]));
  return graph.nodes.filter((n) => n.kind === 'batchNorm').reduce((sum, norm) => {
    const root = byId.get(fused.get(norm.id) ?? '');
    expect(root, `${norm.id} folds`).toBeDefined();
    const biased = (root!.attrs as { bias: boolean }).bias;
    return sum - shapes.get(norm.id)![1]! * (biased ? 2 : 1);
  }, totals(graph).params);
}

/** Convolutions and linear layers in order, written as the fixture does; a 1×1 convolution of a 1×1 map is a linear layer. */
function layersOf(graph: Graph): string[] {
  const shapes = inferShapes(graph);
  const counts = countOps(graph);
  return graph.nodes.flatMap((node): string[] => {
    const macs = counts.get(node.id)!.macs;
    const [, channels, height = 1, width = 1] = shapes.get(node.id)!;
    if (isKind(node, 'linear')) return [`fc ${node.attrs.outFeatures} ${macs}`];
    if (!isKind(node, 'conv2d')) return [];
    const { kernel, stride, groups } = node.attrs;
    return [`${groups > 1 ? 'dw' : 'conv'} ${kernel.join('x')}/${stride.join('x')} ${height}x${width}x${channels} ${macs}`];
  });
}
/** One form for a convolution of a 1×1 map and a linear layer: heads are published either way. */
const sameForm = (layer: string): string => layer.replace(/^conv 1x1\/1x1 1x1x(\d+) /, 'fc $1 ');

describe('published networks', () => {
  it.each(networks)('$name has the MACs and folded parameters of $source', ({ family, point, task, macs, params }) => {
    const graph = network(family, point, task);
    expect({ macs: totals(graph).macs, params: foldedParams(graph) }).toEqual({ macs, params });
  });

  it.each(networks.filter((n) => n.layers))('$name has the same layers one by one: kernel, stride, map, channels, MACs', ({ family, point, task, layers }) => {
    expect(layersOf(network(family, point, task)).map(sameForm)).toEqual(layers!.map(sameForm));
  });

  it('cover every family but those with tests of their own', () => {
    expect([...new Set(networks.map((n) => n.family))].sort()).toEqual(Object.keys(DEFAULTS).sort());
  });
});

describe('counts that the papers and model libraries print', () => {
  const million = (v: number, digits: number): string => (v / 1e6).toFixed(digits);
  const printed = (graph: Graph): { macs: number; params: number } => totals(graph);

  it.each([
    // trainable parameters of Keras applications and torchvision, batch norm scale and shift counted
    ['MobileNetV1 1.0, Keras', 'mobilenet-v1', { width: 1, resolution: 224 }, 4_231_976],
    ['MobileNetV2 1.0, torchvision', 'mobilenet-v2', { width: 1, resolution: 224 }, 3_504_872],
    ['MobileNetV3-Large 1.0, torchvision', 'mobilenet-v3', { size: 'large', width: 1, resolution: 224 }, 5_483_032],
    ['MobileNetV3-Small 1.0, torchvision', 'mobilenet-v3', { size: 'small', width: 1, resolution: 224 }, 2_542_856],
    ['MnasNet 1.0, torchvision', 'mnasnet', { width: 1, resolution: 224 }, 4_383_312],
  ] as const)('%s: trainable parameters to the last one', (_name, family, point, params) => {
    expect(printed(network(family, point)).params).toBe(params);
  });

  it.each([
    // Howard et al. 2017, Tables 4, 5 and 6; Table 7 for the resolutions
    ['MobileNetV1 1.0', { width: 1, resolution: 224 }, '569', '4.2'], ['MobileNetV1 0.75', { width: 0.75, resolution: 224 }, '325', '2.6'],
    ['MobileNetV1 0.5', { width: 0.5, resolution: 224 }, '149', '1.3'], ['MobileNetV1 0.25', { width: 0.25, resolution: 224 }, '41', '0.5'],
    ['MobileNetV1 at 192', { width: 1, resolution: 192 }, '418', '4.2'], ['MobileNetV1 at 128', { width: 1, resolution: 128 }, '186', '4.2'],
    ['shallow MobileNetV1', { width: 1, resolution: 224, depth: 0 }, '307', '2.9'],
  ] as const)('%s: the millions of MACs and parameters the paper prints', (_name, point, macs, params) => {
    const got = printed(network('mobilenet-v1', point));
    expect([million(got.macs, 0), million(got.params, 1)]).toEqual([macs, params]);
  });

  it('MobileNetV2: 300 M and 585 M multiply-adds at widths 1 and 1.4 (Sandler et al. 2018, Table 4)', () => {
    expect(printed(network('mobilenet-v2', { width: 1, resolution: 224 })).macs / 300e6).toBeCloseTo(1, 2);
    expect(printed(network('mobilenet-v2', { width: 1.4, resolution: 224 })).macs / 585e6).toBeCloseTo(1, 2);
  });

  it('MobileNetV3-Small at width 0.75 has the 2.0 M parameters of the paper, so that its hidden layer is not made smaller', () => {
    expect(million(printed(network('mobilenet-v3', { size: 'small', width: 0.75, resolution: 224 })).params, 1)).toBe('2.0');
  });

  it('MobileNetV3-Small is the network FlyNet starts from: 56,510,400 MACs, 927,008 parameters with the last convolution (flynet-spec § 9)', () => {
    const graph = network('mobilenet-v3', { size: 'small', width: 1, resolution: 224 });
    expect(totals(graph).macs).toBe(56_510_400);
    const head = sumCounts([...countOps(graph)].filter(([id]) => /^head\.(hidden|classifier)$/.test(id)).map(([, c]) => c));
    expect(totals(graph).params - head.params).toBe(927_008);
  });

  it('the autoencoder has the 269,992 numbers of MLPerf Tiny\'s Keras model: parameters and running statistics', () => {
    const graph = network('autoencoder', {}, { numClasses: 2, inputChannels: 1 });
    const statistics = graph.nodes.filter((n) => n.kind === 'batchNorm').reduce((sum, n) => sum + 2 * inferShapes(graph).get(n.id)![1]!, 0);
    expect(totals(graph).params + statistics).toBe(269_992);
    expect(inferShapes(graph).get(graph.outputs[0]!)).toEqual([1, 640]);
  });

  /** Zhang et al. 2017, Table 8 and § 4.6: memory is 8-bit weights and the largest pair of maps, operations are twice the MACs. */
  const helloEdge = [
    ['S', { stemChannels: 64, blocks: 4, ...per('channels', [64, 64, 64, 64]) }, 38.6, 5.4],
    ['M', { strideFrequency: 1, stemChannels: 172, firstStride: 2, blocks: 4, ...per('channels', [172, 172, 172, 172]) }, 189.2, 19.8],
    ['L', { strideFrequency: 1, stemChannels: 276, firstStride: 2, blocks: 5, ...per('channels', [276, 276, 276, 276, 276]) }, 497.6, 56.9],
  ] as const;
  it.each(helloEdge)('DS-CNN %s of Hello Edge: memory to the printed digit, operations within 2 %%', (_size, point, kilobytes, megaOps) => {
    const graph = network('ds-cnn', point, { numClasses: 12, inputChannels: 1 });
    const shapes = inferShapes(graph);
    const bytes = (id: string): number => shapes.get(id)!.reduce((a, b) => a * b, 1);
    const convs = graph.nodes.filter((n) => n.kind === 'conv2d');
    const maps = Math.max(...convs.slice(1).map((n) => bytes(n.inputs[0]!) + bytes(n.id)));
    expect((foldedParams(graph) + maps) / 1000).toBeCloseTo(kilobytes, 1);
    expect(Math.abs((2 * totals(graph).macs) / (megaOps * 1e6) - 1)).toBeLessThan(0.02);
  });
});

describe('FBNet', () => {
  const { rows } = fixture<{ rows: readonly (readonly [string, number, number])[] }>('fbnet-counts.json');
  const cifar = (code: string, numClasses = 100): Graph => network('fbnet', pointFromFbnetCode(code), { numClasses, inputChannels: 3 }, { skeleton: 'cifar' });

  it.each(rows)('code %s has the MACs and parameters of HELP\'s table (fixtures/fbnet-counts.json)', (code, macs, params) => {
    const got = totals(cifar(code));
    expect({ macs: got.macs, params: got.params }).toEqual({ macs, params });
  });

  it('FBNet-C in the skeleton of the paper: 5.5 M parameters and 375 M multiply-adds (Wu et al. 2019, Table 3), at 224 pixels', () => {
    // blocks as in the released network
    const graph = network('fbnet', pointFromFbnetCode(`0${'3008'}${'7673'}${'7677'}${'7776'}${'7777'}3`), CLASSES_1000, { skeleton: 'imagenet' });
    expect(totals(graph).params / 5.5e6).toBeCloseTo(1, 1);
    expect(totals(graph).macs / 375e6).toBeCloseTo(1, 1);
    expect(inferShapes(graph).get('input')).toEqual([1, 3, 224, 224]);
  });

  it('writes a code back from its point', () => {
    for (const [code] of rows) expect(fbnetCode(pointFromFbnetCode(code))).toBe(code);
  });

  it('costs nothing in a block that is skipped where the shape stays', () => {
    const base = '0'.repeat(22);
    const skipped = `${base.slice(0, 2)}8${base.slice(3)}`;
    expect(cifar(skipped).nodes.some((n) => n.block === 'block3')).toBe(false);
    expect(totals(cifar(base)).params).toBeGreaterThan(totals(cifar(skipped)).params);
  });

  it('refuses codes and blocks it does not know', () => {
    for (const code of ['', '0'.repeat(21), '9'.repeat(22)]) expect(() => pointFromFbnetCode(code)).toThrow(/22 digits 0 … 8/);
    expect(() => fbnetCode({ ...pointFromFbnetCode('0'.repeat(22)), block7: 'k7_e6' })).toThrow('block7: expected one of k3_e1, k3_e1_g2');
    expect(() => network('fbnet', pointFromFbnetCode('0'.repeat(22)), CLASSES_1000, { skeleton: 'mnist' })).toThrow('settings.skeleton: expected one of imagenet, cifar, got "mnist"');
  });
});
