import { describe, expect, it } from 'vitest';
import { cellFeatures } from './cell-features.js';
import { familyFeatures } from './decode.js';
import { isDegenerate, pointFromCode } from './nas-bench-201.js';

const allCodes = Array.from({ length: 5 ** 6 }, (_, i) => i.toString(5).padStart(6, '0'));
/** source and target of each digit */
const EDGES = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]] as const;

/** Whether something from the input that passes the edge can come to the output, by walking node by node. */
function works(code: string, edge: number): boolean {
  const open = (i: number): boolean => code[i] !== '0';
  const [reached, leads] = [new Set([0]), new Set([3])];
  EDGES.forEach(([from, to], i) => open(i) && reached.has(from) && reached.add(to));
  [...EDGES.entries()].reverse().forEach(([i, [from, to]]) => open(i) && leads.has(to) && leads.add(from));
  return open(edge) && reached.has(EDGES[edge]![0]) && leads.has(EDGES[edge]![1]);
}

describe('features of a cell', () => {
  it('are fourteen numbers from 0 to 1 for every cell', () => {
    const faulty = allCodes.filter((code) => cellFeatures(code).length !== 14 || !cellFeatures(code).every((v) => v >= 0 && v <= 1));
    expect(faulty).toEqual([]);
  });

  it('count the edges that work, and take no notice of those that do not', () => {
    const faulty = allCodes.filter((code) => {
      const working = EDGES.map((_, i) => works(code, i));
      const shares = ['1', '2', '3', '4'].map((o) => working.filter((w, i) => w && code[i] === o).length / 6);
      const bare = cellFeatures([...code].map((o, i) => (working[i] ? o : '0')).join(''));
      return !cellFeatures(code).every((v, k) => v === bare[k] && (k > 3 || v === shares[k]));
    });
    expect(faulty).toEqual([]);
  });

  it('mark the cells whose output does not depend on the input', () => {
    expect(allCodes.filter((code) => cellFeatures(code)[7] === 1)).toEqual(allCodes.filter(isDegenerate));
  });

  it('see a residual cell as it is drawn: a chain of three 3×3 convolutions beside a skip', () => {
    const sixth = 1 / 6;
    const expected = [sixth, 0, 0.5, 0, 1, 0, 0.5, 0, 1, 0, 0.5, 0.5, 0.5, 0];
    cellFeatures('303103').forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 12));
  });

  it('are what the family gives for a point; families without any give none', () => {
    expect(familyFeatures('nas-bench-201')!(pointFromCode('342013'))).toEqual(cellFeatures('342013'));
    expect(familyFeatures('resnet-8')).toBeUndefined();
    expect(familyFeatures('none')).toBeUndefined();
  });
});
