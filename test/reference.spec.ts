/** Every entry of the reference material is held by a test or left out for a reason: reference/ledger.ts. Those without a home stand here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCatalog, projectRoot } from '@app/catalog';
import { operatorEnergy, peakMemory } from '@app/cost';
import { decode } from '@app/decode';
import { countOps, countsByBlock, evaluateProgram, graphBuilder, isKind, packWeights, quantizeToLevels, sumCounts, totals, trainingGraph, type Graph } from '@app/graph';
import { cholesky, choleskySolve, Rng } from '@app/numeric';
import { hypervolume, paretoFront } from '@app/pareto';
import type { Point } from '@app/space';
import { CHECKS, FORMULAS, VECTORS, type Fate } from './reference/ledger.js';

const fixture = <T>(file: string): T => JSON.parse(readFileSync(new URL(`./reference/${file}`, import.meta.url), 'utf8')) as T;

interface Vector { readonly id: string; readonly formula: string; readonly input: Readonly<Record<string, unknown>>; readonly output: unknown }
const { vectors } = fixture<{ vectors: readonly Vector[] }>('golden-vectors.json');
const { checks } = fixture<{ checks: readonly ({ readonly id: string } & Readonly<Record<string, unknown>>)[] }>('derived-checks.json');
const vector = <I, O>(id: string): { input: I; output: O } => vectors.find((v) => v.id === id) as unknown as { input: I; output: O };
const check = <T>(id: string): T => checks.find((c) => c.id === id) as unknown as T;
const own = readFileSync(new URL(import.meta.url), 'utf8');

describe('the ledger of the reference material', () => {
  const LETTERS: Readonly<Record<string, number>> = { C: 13, B: 7, N: 3, W: 4, D: 3, A: 9, S: 8, P: 6, O: 6, R: 3, X: 4, M: 6 };
  const ids = [...Object.entries(LETTERS).flatMap(([letter, last]) => Array.from({ length: last }, (_, i) => `F-${letter}${i + 1}`)), ...Array.from({ length: 9 }, (_, i) => `F-Q${i}`)];

  it('has every formula, vector and check, and no others', () => {
    expect(Object.keys(FORMULAS).sort()).toEqual(ids.sort());
    expect(Object.keys(VECTORS).sort()).toEqual(vectors.map((v) => v.id).sort());
    expect(Object.keys(CHECKS).sort()).toEqual(checks.map((c) => c.id).sort());
  });

  const all: [string, Fate][] = [FORMULAS, VECTORS, CHECKS].flatMap((ledger) => Object.entries(ledger));

  it.each(all.filter(([, fate]) => 'file' in fate))('%s is held where the ledger says', (_id, fate) => {
    const { file, says } = fate as Extract<Fate, { file: string }>;
    expect(readFileSync(join(projectRoot(), file), 'utf8')).toContain(says);
  });

  it.each(all.filter(([, fate]) => 'here' in fate))('%s is held here', (id) => {
    expect(own).toMatch(new RegExp(`(it|it\\.each\\([^\\n]*\\))\\('[^'\\n]*${id.replace(/_[kq]\d+$/, '_')}`));
  });

  it('says why of all it leaves out', () => {
    for (const [, fate] of all) if ('absent' in fate) expect(fate.absent.length).toBeGreaterThan(20);
  });
});

/** k-bit rounding of numbers of [0, 1] whose range is all of it, as the ends 0 and 1 are among them. */
const base = (x: readonly number[], bits: number): number[] => [...quantizeToLevels(Float32Array.from([0, 1, ...x]), 2 ** bits)].slice(2);
interface Quantised { x: number[]; k: number }

describe('rounding to levels', () => {
  const close = (got: readonly number[], due: readonly number[]): void => {
    expect(got).toHaveLength(due.length);
    got.forEach((v, i) => expect(v).toBeCloseTo(due[i]!, 5));
  };

  it.each([1, 2, 3, 4, 8])('base_quantizer_k%i, F-Q1: k bits are 2^k levels', (k) => {
    const { input, output } = vector<Quantised, number[]>(`base_quantizer_k${k}`);
    close(base(input.x, k), output);
  });

  it.each([2, 3, 4])('tanh_quantizer_k%i, F-Q3: of tanh, scaled by its largest', (k) => {
    const { input, output } = vector<Quantised, number[]>(`tanh_quantizer_k${k}`);
    const bounded = input.x.map(Math.tanh);
    const largest = Math.max(...bounded.map(Math.abs));
    close(base(bounded.map((v) => v / (2 * largest) + 0.5), k).map((v) => 2 * v - 1), output);
  });

  it.each([2, 4])('relu_quantizer_k%i, F-Q4: of what a ReLU to 1 leaves', (k) => {
    const { input, output } = vector<Quantised, number[]>(`relu_quantizer_k${k}`);
    close(base(input.x.map((v) => Math.min(1, Math.max(0, v))), k), output);
  });

  it.each([2, 3, 4])('log_quantizer_k%i, F-Q5: of the logarithms, between their own ends', (k) => {
    const { input, output } = vector<Quantised, number[]>(`log_quantizer_k${k}`);
    const logs = quantizeToLevels(Float32Array.from(input.x.filter((v) => v !== 0), (v) => Math.log2(Math.abs(v))), 2 ** k);
    let at = 0;
    close(input.x.map((v) => (v === 0 ? 0 : Math.sign(v) * 2 ** logs[at++]!)), output);
  });

  it.each([4, 6, 8, 16])('quantization_noise_q%i, F-N1: between the tensor\'s own ends', (q) => {
    const { input, output } = vector<{ x: number[] }, number[]>(`quantization_noise_q${q}`);
    close([...quantizeToLevels(Float32Array.from(input.x), q)], output);
  });

  it('F-N2: is off by an error of mean 0 and variance D² / 12', () => {
    const rng = Rng.of(1, 'noise');
    const x = Float32Array.from({ length: 100_000 }, (_, i) => (i < 2 ? i : rng.next()));
    const step = 1 / 15;
    const errors = [...quantizeToLevels(x, 16)].map((v, i) => v - x[i]!);
    const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(step ** 2 / 12 / errors.length));
    expect(errors.reduce((sum, e) => sum + e * e, 0) / errors.length / (step ** 2 / 12)).toBeCloseTo(1, 1);
  });
});

const NO_NOISE = 2 ** 32;
const perStage = (name: string, values: readonly number[]): Point => Object.fromEntries(values.map((v, i) => [`${name}${i + 1}`, v]));
function flynet(width: number, heads: number, low = 'default', high = 'crop-pad'): Graph {
  return decode({ family: 'flynet', settings: {} }, {
    width, resolution: 224, reduction: 'maxout', attentionStatistics: 'mean-variance', excitation: 'softmax', lowResidual: low, highResidual: high, noiseHead: NO_NOISE,
    ...perStage('depth', [1, 2, 3, 2, 3]), ...perStage('heads', Array<number>(5).fill(heads)), ...perStage('kernel', [3, 3, 5, 5, 5]), ...perStage('noise', Array<number>(5).fill(NO_NOISE)),
  }, { numClasses: 1000, inputChannels: 3 });
}
const resnet18 = (): Graph => decode({ family: 'resnet18-scaling', settings: {} }, { depth: 1, width: 1, resolution: 1 }, { numClasses: 1000, inputChannels: 3 });

describe('counts and sizes', () => {
  type Row = [width: number, heads: number, number, number, params: number, macs: number, number, madds: number, number, backbone: number];

  it.each(check<{ rows: Row[] }>('flynet_cost_model').rows)('flynet_cost_model: width %d, %d heads is within the tolerances of what the thesis prints', (width, heads, ...rest) => {
    const [, , paramsM, convMacsM, , maddsM, , backboneM] = rest;
    const graph = flynet(width, heads);
    const { params, macs, madds } = totals(graph);
    const tolerance = width === 0.6 ? 0.09 : Number.isInteger(10 * paramsM) ? 0.03 : 0.012;
    if (paramsM !== null) expect(Math.abs(params / 1e6 / paramsM - 1)).toBeLessThan(tolerance);
    expect(macs / 1e6).toBeCloseTo(convMacsM, 1);
    if (maddsM !== null) expect(Math.abs(madds / 1e6 - maddsM)).toBeLessThan(0.9);
    // the printed backbone of 0.8x, 0.41, can't be met by any network with the printed rest
    const backbone = sumCounts([...countsByBlock(graph)].filter(([block]) => block !== 'head').map(([, c]) => c)).params;
    if (backboneM !== null && width !== 0.8) expect(backbone / 1e6).toBeCloseTo(backboneM, 1.9);
  });

  it('mdw_head_increment: a head more at 0.5x', () => {
    const due = check<{ params_M_model: number; conv_MACs_M_model: number; params_M_printed: number; madds_M_printed: number }>('mdw_head_increment');
    const [two, three] = [totals(flynet(0.5, 2)), totals(flynet(0.5, 3))];
    expect((three.params - two.params) / 1e6).toBeCloseTo(due.params_M_model, 4);
    expect((three.macs - two.macs) / 1e6).toBeCloseTo(due.conv_MACs_M_model, 3);
    expect(Math.floor((three.params - two.params) / 1e4) / 100).toBe(due.params_M_printed);
    expect(Math.round((three.madds - two.madds) / 1e6)).toBe(due.madds_M_printed);
  });

  it.each([['conv3x3', 0], ['dw-pw', 1], ['mdw-concat', 2]] as const)('light_residual_increment, F-B6: weights and products of the shortcut %s at 0.4x', (kind, row) => {
    const { rows } = check<{ rows: [string, number, number, number, number][] }>('light_residual_increment');
    const graph = flynet(0.4, 3, kind);
    const counts = countOps(graph);
    const convolutions = graph.nodes.filter((n) => isKind(n, 'conv2d') && /\.low/.test(n.id));
    const sum = (of: 'params' | 'macs'): number => convolutions.reduce((total, n) => total + counts.get(n.id)![of], 0);
    expect([sum('params'), sum('macs')]).toEqual([rows[row]![1], rows[row]![3]]);
  });

  it.each([0, 1, 2])('resnet18_quantized_size, F-C9: configuration %i in MB of 2^20 bytes, batch norm apart', (row) => {
    const [name, due] = check<{ rows: [string, number][] }>('resnet18_quantized_size').rows[row]!;
    const graph = resnet18();
    const counts = countOps(graph);
    const layers = graph.nodes.filter((n) => n.kind === 'conv2d' || n.kind === 'linear');
    const bits = (i: number): number => (name.startsWith('all') ? 1 : i === 0 || i === layers.length - 1 ? 32 : name.startsWith('2') ? 2 : 1);
    expect(layers.reduce((sum, layer, i) => sum + (counts.get(layer.id)!.params * bits(i)) / 8, 0) / 2 ** 20).toBeCloseTo(due, 3);
  });

  it('F-C7: a matrix of rank r in two layers has r·(m + n) weights and products', () => {
    const g = graphBuilder('low rank');
    g.output(g.linear(g.linear(g.input([1, 100]), 7, false), 60, false));
    expect(totals(g.build())).toMatchObject({ params: 7 * 160, macs: 7 * 160 });
  });
});

describe('fronts and energies of Table 8.3', () => {
  type Model = [name: string, isFlynet: boolean, top1: number, top5: number | null, params: number, madds: number];
  const { rows } = fixture<{ rows: Model[] }>('table-8-3.json');
  interface Fronts { sets: Record<string, string[]>; dominated_in_3d: string[]; hypervolume_2d: Record<string, number> }
  const due = check<Fronts>('pareto_table_8_3');
  const OBJECTIVES: Record<string, (m: Model) => number[]> = {
    top1_vs_params: (m) => [-m[2], m[4]], top1_vs_madds: (m) => [-m[2], m[5]], top1_params_madds: (m) => [-m[2], m[4], m[5]], top1_vs_energy_fp32_weights_from_DRAM: (m) => [-m[2], 640 * m[4] + 4.6 * m[5]],
  };

  it.each(Object.keys(OBJECTIVES))('pareto_table_8_3: the front of %s', (name) => {
    expect(paretoFront(rows.map(OBJECTIVES[name]!)).map((i) => rows[i]![0]).sort()).toEqual([...due.sets[name]!].sort());
  });

  it('pareto_table_8_3: who is dominated in all three, and both hypervolumes', () => {
    const front = new Set(due.sets['top1_params_madds']);
    for (const name of due.dominated_in_3d) expect(front.has(name)).toBe(false);
    const [params, madds] = Object.values(due.hypervolume_2d) as [number, number];
    expect(hypervolume(rows.map(OBJECTIVES['top1_vs_params']!), [-30, 4])).toBeCloseTo(params, 3);
    expect(hypervolume(rows.map(OBJECTIVES['top1_vs_madds']!), [-30, 130])).toBeCloseTo(madds, 3);
  });

  it('energy_split, F-C11: weights from DRAM and arithmetic in single precision, by the prices of Table 1.1 that the phone has', () => {
    const phone = loadCatalog().device('phone');
    for (const [name, dram, compute, share] of check<{ rows: [string, number, number, number, number][] }>('energy_split').rows) {
      const [, , , , params, madds] = rows.find((m) => m[0] === name)!;
      const energy = (macs: number, weightBytes: number): number => 1e6 * operatorEnergy({ macs, activationBytes: 0, weightBytes }, phone, 'fp32');
      expect(energy(0, 4e6 * params)).toBeCloseTo(dram, 6);
      expect(energy(1e6 * madds, 0)).toBeCloseTo(compute, 6);
      expect(energy(0, 4e6 * params) / energy(1e6 * madds, 4e6 * params)).toBeCloseTo(share, 3);
    }
  });
});

describe('FlyNet on the microcontrollers of Table 1.2', () => {
  type Row = [width: number, heads: number, params: number, int8: number, four: number, peak: number, fused: number, ...fits: [boolean, boolean, boolean][]];
  const catalog = loadCatalog();

  it.each(check<{ rows: Row[] }>('mcu_fit').rows)('mcu_fit: width %d, %d heads: largest pair of maps, and what fits', (width, heads, params, ...rest) => {
    const [, , peak, , ...fits] = rest;
    const graph = flynet(width, heads, 'none', 'none');
    const exact = totals(graph).params;
    expect(Math.abs(exact / params - 1)).toBeLessThan(0.005);
    expect(peakMemory(graph, 1).peak).toBe(peak);
    ['stm32f446re', 'stm32f746zg', 'stm32f767zi'].forEach((id, i) => {
      const { flash, ram } = catalog.device(id).memory;
      expect([exact <= flash!.value, exact / 2 <= flash!.value, peak <= ram.value]).toEqual(fits[i]);
    });
  });
});

describe('a Gaussian process and a loss', () => {
  it('gp_lcb, F-O2 to F-O5: the posterior by our factorisation, and the next point at its lower bound; F-O3 and F-O4 are its prior and mean', () => {
    interface Input { X: number[]; Y: number[]; candidates: number[]; kappa: number; mean: number }
    const { input, output } = vector<Input, { mu: number[]; sigma: number[]; mu_minus_kappa_sigma: number[]; next_x: number }>('gp_lcb');
    const n = input.X.length;
    const k = (a: number, b: number): number => Math.exp(-((a - b) ** 2) / (2 * 0.12 ** 2));
    const { L } = cholesky(Float64Array.from({ length: n * n }, (_, i) => k(input.X[Math.floor(i / n)]!, input.X[i % n]!) + (Math.floor(i / n) === i % n ? 1e-6 : 0)), n);
    const weights = choleskySolve(L, n, input.Y.map((y) => y - input.mean));
    const bounds = input.candidates.map((x, c) => {
      const row = input.X.map((a) => k(x, a));
      const mu = input.mean + row.reduce((sum, v, i) => sum + v * weights[i]!, 0);
      const sigma = Math.sqrt(1 - row.reduce((sum, v, i) => sum + v * choleskySolve(L, n, row)[i]!, 0));
      expect(mu).toBeCloseTo(output.mu[c]!, 5);
      expect(sigma).toBeCloseTo(output.sigma[c]!, 5);
      expect(mu - input.kappa * sigma).toBeCloseTo(output.mu_minus_kappa_sigma[c]!, 5);
      return mu - input.kappa * sigma;
    });
    expect(input.candidates[bounds.indexOf(Math.min(...bounds))]).toBe(output.next_x);
  });

  it('self_distillation_kl, F-D1: the loss of training against soft targets is their divergence and their entropy', () => {
    const { input, output } = vector<{ p_r: number[]; p_q: number[] }, { L_out: number }>('self_distillation_kl');
    const g = graphBuilder('logits');
    g.output(g.linear(g.input([1, 3]), 3));
    const graph = g.build();
    const layer = graph.nodes.find((n) => n.kind === 'linear')!.id;
    const { program, packing } = trainingGraph(graph, { batch: 1, optimizer: { kind: 'sgd', momentum: 0, nesterov: false }, labelSmoothing: 0, clipNorm: null, statisticsRate: 0.1, averageDecay: null, noise: false });
    const packed = packWeights(packing, new Map([[layer, { weight: { shape: [3, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1) }, bias: { shape: [3], data: new Float32Array(3) } }]]));
    const known: Record<string, ArrayLike<number>> = { images: input.p_q.map(Math.log), targets: input.p_r, parameters: packed.parameters };
    const inputs = new Map(program.inputs.map(({ name, shape }) => [name, { shape, data: Float64Array.from(known[name] ?? new Float64Array(shape.reduce((a, b) => a * b, 1))) }]));
    const entropy = -input.p_r.reduce((sum, p) => sum + p * Math.log(p), 0);
    expect(evaluateProgram(program, inputs).get('loss')!.data[0]! - entropy).toBeCloseTo(output.L_out, 6);
  });
});
