import { trainingRecipeSchema } from '@app/contracts';
import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './checkpoint.js';
import { annealingAt, learningRateAt } from './schedule.js';

const recipe = (given: object) => trainingRecipeSchema.parse({ learningRate: 0.4, ...given });

describe('the learning rate', () => {
  it('of a cosine starts at its height, passes half of it half way and ends near 0', () => {
    const at = (step: number): number => learningRateAt(recipe({}), step, 10, 100);
    expect([at(0), at(50)]).toEqual([0.4, expect.closeTo(0.2, 12)]);
    expect(at(99)).toBeLessThan(0.001);
    for (let i = 1; i < 100; i++) expect(at(i)).toBeLessThan(at(i - 1));
  });

  it('in steps falls by the factor at each share of the training', () => {
    const at = (step: number): number => learningRateAt(recipe({ schedule: 'step', stepAt: [0.5, 0.8], stepFactor: 0.1 }), step, 10, 100);
    expect([at(49), at(50), at(79), at(80)]).toEqual([0.4, 0.4 * 0.1, 0.4 * 0.1, expect.closeTo(0.004, 12)]);
  });

  it('warms up linearly to where the schedule begins', () => {
    const at = (step: number): number => learningRateAt(recipe({ schedule: 'constant', warmupEpochs: 0.5 }), step, 6, 60);
    expect([0, 1, 2, 3, 59].map(at)).toEqual([0.1, 0.2, 0.30000000000000004, 0.4, 0.4]);
  });

  it('with a warm-up longer than the training never arrives', () => {
    expect(learningRateAt(recipe({ warmupEpochs: 100 }), 9, 1, 10)).toBeLessThan(0.4);
  });
});

describe('annealing', () => {
  it('begins whole, is half done half way and at the end wholly', () => {
    expect([0, 50, 100, 101].map((step) => annealingAt(step, 100))).toEqual([1, expect.closeTo(0.5, 12), 0, 0]);
    for (let i = 1; i <= 100; i++) expect(annealingAt(i, 100)).toBeLessThan(annealingAt(i - 1, 100));
  });
});

describe('a checkpoint', () => {
  const checkpoint: Checkpoint = { epoch: 3, step: 30, curve: [50, 60.5, 70], losses: [1, 0.5, 0.25], state: { parameters: Float32Array.of(1, -0.1, 3e38), velocity: new Float32Array(3), statistics: new Float32Array(0) } };

  it('comes back from its bytes as it was', () => {
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint))).toEqual(checkpoint);
  });

  it('is refused when cut off or something else', () => {
    const bytes = encodeCheckpoint(checkpoint);
    expect(() => decodeCheckpoint(bytes.subarray(0, bytes.length - 1))).toThrow(/expected a whole checkpoint/);
    expect(() => decodeCheckpoint(bytes.subarray(0, 30))).toThrow(/expected a whole checkpoint/);
    expect(() => decodeCheckpoint(new Uint8Array(100))).toThrow(/expected a checkpoint, got other bytes/);
  });
});
