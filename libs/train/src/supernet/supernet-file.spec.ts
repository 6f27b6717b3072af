import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { supernetAccuracySchema, type SupernetAccuracy } from '@app/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCompared, readSupernet, supernetPath, whileAlone, writeCompared, writeSupernet, type SupernetQuestion } from './supernet-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddis-supernet-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const accuracy = (given: object = {}): SupernetAccuracy => supernetAccuracySchema.parse({ method: 'supernet', dataset: { format: 'synthetic' }, checkpoints: folder, ...given });
const question = (given: Partial<SupernetQuestion> = {}): SupernetQuestion => ({
  accuracy: accuracy(), space: { family: 'flynet', settings: {}, parameters: [{ name: 'width', type: 'ordinal', values: [0.5, 1] }] }, task: { numClasses: 4, inputChannels: 1 }, seed: 1, quantize: null, ...given,
});

describe("a supernet's file", () => {
  it('has one path for whoever asks for the same supernet, and another for each that differs', () => {
    const same = [question({}), question({ accuracy: accuracy({ standAlone: 5, calibration: 3 }) }), question({ space: { ...question().space, parameters: [{ name: 'width', type: 'ordinal', values: [0.5, 1], description: 'in other words' }] } })];
    expect(new Set(same.map(supernetPath)).size).toBe(1);
    const others = [question({ seed: 2 }), question({ accuracy: accuracy({ epochs: 3 }) }), question({ accuracy: accuracy({ recipe: { flip: true } }) }), question({ task: { numClasses: 5, inputChannels: 1 } }), question({ space: { ...question().space, parameters: [] } })];
    expect(new Set([...same, ...others].map(supernetPath)).size).toBe(1 + others.length);
    expect(dirname(supernetPath(question()))).toBe(folder);
  });

  it('gives back what was written, and nothing where nothing was', () => {
    const path = supernetPath(question());
    expect([readSupernet(path), readCompared(question())]).toEqual([null, []]);
    const checkpoint = { epoch: 1, step: 2, curve: [], losses: [0.5], state: { parameters: Float32Array.of(1, 2), velocity: Float32Array.of(3, 4) } };
    writeSupernet(path, checkpoint);
    expect(readSupernet(path)).toEqual(checkpoint);
    writeCompared(question(), [{ inherited: 80, alone: null }]);
    expect(readCompared(question())).toEqual([{ inherited: 80, alone: null }]);
    expect(readCompared(question({ accuracy: accuracy({ standAlone: 5 }) }))).toEqual([]);
  });

  it('that was cut off is refused', () => {
    const path = supernetPath(question());
    writeSupernet(path, { epoch: 1, step: 2, curve: [], losses: [], state: { parameters: Float32Array.of(1, 2) } });
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    expect(() => readSupernet(path)).toThrow(/expected a whole checkpoint/);
  });

  it('is worked on by one at a time, the next one coming after', async () => {
    const path = supernetPath(question());
    const log: string[] = [];
    const work = (name: string) => whileAlone(path, async () => {
      log.push(`${name} begins`);
      await new Promise((r) => setTimeout(r, 20));
      log.push(`${name} ends`);
    });
    await Promise.all([work('a'), work('b')]);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('is let go by work that fails', async () => {
    const path = supernetPath(question());
    await expect(whileAlone(path, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await whileAlone(path, () => Promise.resolve(7))).toBe(7);
  });

  it('is taken over from a holder that gave no sign of life for a minute', async () => {
    const path = supernetPath(question());
    writeFileSync(`${path}.lock`, '1');
    const longAgo = new Date(Date.now() - 61_000);
    utimesSync(`${path}.lock`, longAgo, longAgo);
    expect(await whileAlone(path, () => Promise.resolve(7))).toBe(7);
  });
});
