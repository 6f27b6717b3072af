import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, initialWeights, totals, verifyGraph, type Graph } from '@app/graph';
import { decode } from './decode.js';
import { DecodeError } from './decode-error.js';
import { architectureCode, isDegenerate, pointFromCode } from './nas-bench-201.js';

const CIFAR10 = { numClasses: 10, inputChannels: 3 };
const network = (code: string, settings: Record<string, number> = {}, task = CIFAR10): Graph => decode({ family: 'nas-bench-201', settings }, pointFromCode(code), task);
const digits = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 6, maxLength: 6 }).map((d) => d.join(''));
const allCodes = Array.from({ length: 5 ** 6 }, (_, i) => i.toString(5).padStart(6, '0'));

describe('NAS-Bench-201', () => {
  it('has the parameters and MACs the benchmark tabulates for any cell', () => {
    fc.assert(fc.property(digits, (code) => {
      const count = (op: string): number => [...code].filter((d) => d === op).length;
      const { params, macs } = totals(verifyGraph(network(code)));
      expect(params).toBe(73_306 + 243_040 * count('3') + 28_000 * count('2'));
      expect(macs).toBe(7_783_040 + 35_389_440 * count('3') + 3_932_160 * count('2'));
    }), { numRuns: 40 });
  });

  it('follows the task: 120 classes at 16 pixels cost a quarter of the map work and 7,150 weights more', () => {
    const small = totals(network('333333', { resolution: 16 }, { numClasses: 120, inputChannels: 3 }));
    const cifar = totals(network('333333'));
    expect(small.params - cifar.params).toBe(110 * 65);
    expect(small.macs - 64 * 120).toBe((cifar.macs - 640) / 4);
  });

  it('writes a code back from its point, for every cell', () => {
    for (const code of allCodes) expect(architectureCode(pointFromCode(code))).toBe(code);
  });

  it('has 341 cells whose output ignores the input; all are at chance accuracy in the tables, and no others are', () => {
    expect(allCodes.filter(isDegenerate)).toHaveLength(341);
    expect(isDegenerate('333030')).toBe(false);
    expect(isDegenerate('333000')).toBe(true);
    expect(isDegenerate('033030')).toBe(true);
    expect(isDegenerate('000100')).toBe(false);
  });

  it('answers the same to every input just where the cell is degenerate', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('0', '0', '1', '2', '4'), { minLength: 6, maxLength: 6 }).map((d) => d.join('')), (code) => {
      const graph = network(code, { channels: 4, cells: 1, resolution: 8 });
      const weights = initialWeights(graph, 7);
      const answer = (scale: number): number[] => {
        const data = Float32Array.from({ length: 3 * 64 }, (_, i) => scale * Math.sin(i * i + scale));
        return [...evaluate(graph, weights, new Map([['input', { shape: [1, 3, 8, 8], data }]])).get(graph.outputs[0]!)!.data];
      };
      const same = answer(1).every((v, i) => v === answer(5)[i]);
      expect(same).toBe(isDegenerate(code));
    }), { numRuns: 25 });
  });

  it('refuses codes that are not six digits from 0 to 4, points with an unknown operation, and sides that do not halve twice', () => {
    for (const code of ['', '01234', '0123456', '012345', '01234x']) {
      expect(() => pointFromCode(code)).toThrow(DecodeError);
      expect(() => isDegenerate(code)).toThrow(/six digits 0 … 4/);
    }
    expect(() => architectureCode({ ...pointFromCode('000000'), edge_2_1: 'conv5x5' })).toThrow('edge_2_1: expected one of none, skip, conv1x1, conv3x3, avgpool3x3, got "conv5x5"');
    expect(() => network('000000', { resolution: 30 })).toThrow(/settings.resolution: expected a multiple of 4/);
  });
});
