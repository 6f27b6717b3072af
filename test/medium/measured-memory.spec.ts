import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lifetimes, peakOf, planArena, reorderOperators, TFLM_ALIGNMENT, tflmArena, weightFlashBytes } from '@app/cost';
import { readMemoryData, type MemoryData } from '../../bench/hardware/memory-data.js';
import { toGraph, toTflm } from '../../bench/hardware/memory-networks.js';

// measured with TensorFlow Lite Micro itself; sources and licences stand in the files of bench/data/memory
let data: MemoryData;
beforeAll(() => {
  data = readMemoryData(join(import.meta.dirname, '..', '..', 'bench', 'data', 'memory'));
});

describe('memory measured on real runtimes', () => {
  it('TFLM: every one of 375 activation areas is met to the byte, and 99 % of the arenas within 1 %', () => {
    expect(data.arenas).toHaveLength(375);
    const wrong = data.arenas.filter((row) => tflmArena(toTflm(row.network)).nonPersistent !== row.nonPersistent);
    expect(wrong.map((row) => row.network.name)).toEqual([]);
    const near = data.arenas.filter((row) => Math.abs(tflmArena(toTflm(row.network)).total / row.arenaUsed - 1) <= 0.01);
    expect(near.length / data.arenas.length).toBeGreaterThanOrEqual(0.99);
  });

  it('STM32Cube.AI: the weights in flash are those of the table at its two decimals', () => {
    const rows = data.runtimes.filter((row) => row.weightFlash !== undefined);
    expect(rows.length).toBeGreaterThanOrEqual(8);
    for (const row of rows) expect(weightFlashBytes(toGraph(row.network)!, 'int8') / 1024).toBeCloseTo(row.weightFlash! / 1024, 2);
  });

  it('the best order is proven for every network, and our planner reaches the largest live set of every one', () => {
    for (const { network } of data.arenas) {
      const { program } = toTflm(network);
      const best = reorderOperators(program, 20_000, TFLM_ALIGNMENT);
      expect([network.name, best.optimal]).toEqual([network.name, true]);
      const { buffers } = lifetimes(program, undefined, TFLM_ALIGNMENT);
      expect(planArena(buffers, { nodes: 5_000 }).size).toBe(peakOf(buffers));
    }
  });

  it('refuses a folder without measurements, naming it', () => {
    expect(() => readMemoryData(join(import.meta.dirname, 'nothing'))).toThrow(/^--measurements: expected tflm_memory\.json\.gz or other memory files in .*nothing, found none$/);
  });
});
