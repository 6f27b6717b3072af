import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { datasetSchema, type DatasetSpec } from '@app/contracts';
import { Rng } from '@app/numeric';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import wavefile from 'wavefile';
import { BatchWriter, NO_AUGMENTATION } from './batches.js';
import { loadDataset } from './load.js';
import { frontEnd } from './log-mel.js';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddis-formats-'));
  folders.push(folder);
});
afterAll(() => folders.forEach((f) => rmSync(f, { recursive: true })));

function write(name: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), bytes);
}
const spec = (input: object): DatasetSpec => datasetSchema.parse(input);

describe('image folders', () => {
  const image = (colour: { r: number; g: number; b: number }, format: 'png' | 'jpeg' = 'png'): Promise<Buffer> => sharp({ create: { width: 5, height: 3, channels: 3, background: colour } })[format]().toBuffer();
  const read = (extra: object = {}): ReturnType<typeof loadDataset> => loadDataset(spec({ format: 'image-folder', directory: folder, height: 2, width: 2, validation: 0.5, ...extra }));

  it('give classes in order of name, pixels channel by channel, at the size asked for', async () => {
    for (const i of [0, 1]) {
      write(`cat/${i}.png`, await image({ r: 200, g: 100, b: 0 }));
      write(`ant/${i}.jpg`, await image({ r: 0, g: 0, b: 255 }, 'jpeg'));
    }
    write('cat/notes.txt', 'no image');
    const data = await read();
    expect([data.classNames, data.balance, data.train.channels, data.train.height, data.test]).toEqual([['ant', 'cat'], [1, 1], 3, 2, null]);
    const cat = data.train.labels.indexOf(1);
    expect([...data.train.pixels.subarray(12 * cat, 12 * cat + 12)]).toEqual([200, 200, 200, 200, 100, 100, 100, 100, 0, 0, 0, 0]);
  });

  it('may have a test part, and be read as grey', async () => {
    for (const part of ['train', 'test']) for (const name of ['a', 'b']) for (const i of [0, 1]) write(`${part}/${name}/${i}.png`, await image({ r: 50, g: 50, b: 50 }));
    const data = await read({ channels: 1 });
    expect([data.train.channels, data.test?.count, data.train.pixels[0]]).toEqual([1, 4, 50]);
    write('test/c/0.png', await image({ r: 1, g: 1, b: 1 }));
    await expect(read()).rejects.toThrow(/test\/c: expected the classes of the training part, a, b, got "c"/);
  });

  it('with a broken image are refused by its name', async () => {
    write('a/0.png', await image({ r: 1, g: 2, b: 3 }));
    write('b/0.png', (await image({ r: 1, g: 2, b: 3 })).subarray(0, 40));
    await expect(read()).rejects.toThrow(/b\/0.png: expected an image/);
  });

  it('without classes, or with one empty, are refused', async () => {
    await expect(read()).rejects.toThrow(/expected a folder a class, got none/);
    write('a/0.png', await image({ r: 1, g: 2, b: 3 }));
    mkdirSync(join(folder, 'b'));
    await expect(read()).rejects.toThrow(/expected training images of all 2 classes, got none of class b/);
  });
});

describe('NumPy archives', () => {
  function npy(type: string, shape: readonly number[], bytes: Uint8Array, order = 'False'): Uint8Array {
    const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
    const head = new TextEncoder().encode(text.padEnd(117) + '\n');
    return Uint8Array.from([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, head.length & 255, head.length >> 8, ...head, ...bytes]);
  }
  const raw = (values: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(values.buffer);
  const read = (arrays: Record<string, Uint8Array>, extra: object = {}): ReturnType<typeof loadDataset> => {
    write('data.npz', zipSync(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes]))));
    return loadDataset(spec({ format: 'npz', file: join(folder, 'data.npz'), validation: 0.5, ...extra }));
  };
  const labels = npy('<i8', [4], raw(BigInt64Array.of(0n, 1n, 0n, 1n)));

  it('hold images with channels last, as Keras writes them, or first', async () => {
    const values = Uint8Array.from({ length: 4 * 2 * 1 * 3 }, (_, i) => i);
    const last = await read({ x_train: npy('|u1', [4, 2, 1, 3], values), y_train: labels });
    const first = await read({ x_train: npy('|u1', [4, 3, 2, 1], values), y_train: labels }, { layout: 'nchw' });
    expect([last.train.channels, last.train.height, last.train.width]).toEqual([3, 2, 1]);
    const at = (set: typeof last.train, i: number): number[] => [...set.pixels.subarray(6 * i, 6 * i + 6)].map((v) => v % 6);
    expect(at(last.train, 0)).toEqual([0, 3, 1, 4, 2, 5]);
    expect(at(first.train, 0)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('of floats are normalised as they are', async () => {
    const data = await read({ x_train: npy('<f4', [4, 1, 2], raw(Float32Array.of(-1, 1, -1, 1, -1, 1, -1, 1))), y_train: labels, x_test: npy('<f4', [1, 1, 2], raw(Float32Array.of(3, -3))), y_test: npy('|u1', [1], Uint8Array.of(1)) });
    expect([data.mean, data.deviation, data.test?.count]).toEqual([[0], [1], 1]);
    const writer = new BatchWriter(data, 1, 1, 2);
    writer.plain(data.test!, 0);
    expect([...writer.images]).toEqual([3, -3]);
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['a missing array', { y_train: labels }, /data.npz: expected an array "x_train", got "y_train"/],
    ['objects', { x_train: npy('|O', [4], new Uint8Array(4)), y_train: labels }, /array "x_train": expected elements of type .*, got \|O/],
    ['Fortran order', { x_train: npy('|u1', [4, 1, 1], new Uint8Array(4), 'True'), y_train: labels }, /array "x_train": expected C order/],
    ['values cut off', { x_train: npy('|u1', [4, 1, 1], new Uint8Array(3)), y_train: labels }, /array "x_train": expected 4 bytes for shape \[4, 1, 1\], got 3/],
    ['other bytes', { x_train: Uint8Array.of(1, 2, 3), y_train: labels }, /array "x_train": expected a .npy file/],
    ['too few labels', { x_train: npy('|u1', [2, 1, 1], new Uint8Array(2)), y_train: labels }, /array "y_train": expected a label for each of the 2 images, got shape \[4\]/],
    ['negative labels', { x_train: npy('|u1', [2, 1, 1], new Uint8Array(2)), y_train: npy('|i1', [2], Uint8Array.of(0, 255)) }, /array "y_train": expected labels from 0 up, got -1 for image 1/],
    ['a flat array', { x_train: npy('|u1', [4], new Uint8Array(4)), y_train: labels }, /array "x_train": expected 3 or 4 dimensions, got shape \[4\]/],
    ['no number', { x_train: npy('<f8', [4, 1, 1], raw(Float64Array.of(1, 2, NaN, 4))), y_train: labels }, /data.npz: expected finite values, got NaN in training sample 2/],
  ])('are refused by name: %s', async (_what, arrays, message) => {
    await expect(read(arrays)).rejects.toThrow(message);
  });

  it('that are no archive are refused', async () => {
    write('data.npz', 'hello');
    await expect(loadDataset(spec({ format: 'npz', file: join(folder, 'data.npz') }))).rejects.toThrow(/data.npz: expected a ZIP archive of NumPy arrays/);
  });
});

/** a wave of that pitch */
const tone = (hz: number, seconds: number, rate = 16_000): Float32Array => Float32Array.from({ length: seconds * rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hz * i) / rate));

describe('WAV folders', () => {
  function wav(samples: Float32Array, rate = 16_000): Uint8Array {
    const file = new wavefile.WaveFile();
    file.fromScratch(1, rate, '16', Int16Array.from(samples, (s) => Math.round(s * 32_767)));
    return file.toBuffer();
  }
  const read = (extra: object = {}): ReturnType<typeof loadDataset> => loadDataset(spec({ format: 'wav', directory: folder, validation: 0.5, ...extra }));

  it('become spectrograms, time down and bands across; short recordings end in silence; the list names the test part', async () => {
    for (const i of [0, 1]) {
      write(`low/${i}.wav`, wav(tone(300, 1)));
      write(`high/${i}.wav`, wav(tone(3000, 0.5)));
    }
    write('high/2.wav', wav(tone(3000, 1)));
    write('_background_noise_/hum.wav', wav(tone(50, 2)));
    write('testing_list.txt', 'high/2.wav\n');
    const data = await read();
    expect([data.classNames, data.train.height, data.train.width, data.test?.count, data.fixedShape]).toEqual([['high', 'low'], 49, 40, 1, true]);
    const row = (frame: number): number[] => {
      const at = data.train.labels.indexOf(0) * 49 * 40 + frame * 40;
      return [...data.train.pixels.subarray(at, at + 40)];
    };
    expect(row(0).indexOf(Math.max(...row(0)))).toBeGreaterThan(30);
    expect(Math.max(...row(48))).toBeCloseTo(Math.log(1e-6), 5);
  });

  it('shift in time only, the mean coming in, and take noise', async () => {
    for (const name of ['a', 'b']) for (const i of [0, 1]) write(`${name}/${i}.wav`, wav(tone(name === 'a' ? 300 : 2000, 1)));
    const data = await read();
    const plain = new BatchWriter(data, 1, 49, 40);
    plain.augmented(data.train, [0], 0, NO_AUGMENTATION, Rng.of(1));
    const moved = new BatchWriter(data, 1, 49, 40);
    moved.augmented(data.train, [0], 0, { ...NO_AUGMENTATION, timeShift: 5 }, Rng.of(2));
    const rows = (w: BatchWriter): string[] => Array.from({ length: 49 }, (_, t) => [...w.images.subarray(40 * t, 40 * t + 40)].map((v) => v.toFixed(4)).join());
    const by = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5].find((d) => rows(moved).every((r, t) => (t + d < 0 || t + d > 48 ? /^(0\.0000,?)+$/.test(r) : r === rows(plain)[t + d])));
    expect(by).toBeDefined();
    const noisy = new BatchWriter(data, 1, 49, 40);
    noisy.augmented(data.train, [0], 0, { ...NO_AUGMENTATION, inputNoise: 0.1 }, Rng.of(3));
    const spread = Math.sqrt(noisy.images.reduce((s, v, i) => s + (v - plain.images[i]!) ** 2, 0) / noisy.images.length);
    expect(spread).toBeGreaterThan(0.09);
    expect(spread).toBeLessThan(0.11);
  });

  it.each<[string, () => void, object, RegExp]>([
    ['another rate', () => write('a/0.wav', wav(tone(300, 1, 8000), 8000)), {}, /a\/0.wav: expected 16000 Hz, got 8000 Hz/],
    ['no WAV', () => write('a/0.wav', 'hello'), {}, /a\/0.wav: expected a WAV file/],
    ['bands beyond half the rate', () => write('a/0.wav', wav(tone(300, 1))), { highHz: 9000 }, /expected lowHz < highHz ≤ sampleRate \/ 2, got 20, 9000 and 8000/],
  ])('are refused by name: %s', async (_what, arrange, extra, message) => {
    arrange();
    await expect(read(extra)).rejects.toThrow(message);
  });
});

describe('the front end', () => {
  const settings = { sampleRate: 16_000, seconds: 1, windowMs: 40, strideMs: 20, bands: 40, lowHz: 20, highHz: 4000 };

  it('has energy in the band of the pitch, and none elsewhere to speak of', () => {
    const { frames, features, extract } = frontEnd(settings);
    const out = extract(tone(1000, 1));
    // bands are even in mel: 1,000 Hz is at 1,000 mel, of 32 to 2,146
    const mel = (hz: number): number => 2595 * Math.log10(1 + hz / 700);
    const due = Math.round(((1000 - mel(20)) / (mel(4000) - mel(20))) * 41) - 1;
    for (const t of [0, 20, frames - 1]) {
      const row = [...out.subarray(t * features, (t + 1) * features)];
      expect(Math.abs(row.indexOf(Math.max(...row)) - due)).toBeLessThanOrEqual(1);
      expect(Math.max(...row) - row[due + 12]!).toBeGreaterThan(10);
    }
  });

  it('twice as loud is four times the power everywhere', () => {
    const { extract } = frontEnd(settings);
    const rng = Rng.of(1);
    const quiet = Float32Array.from({ length: 16_000 }, () => 0.1 * rng.normal());
    const [a, b] = [extract(quiet), extract(quiet.map((v) => 2 * v))];
    a.forEach((v, i) => expect(b[i]! - v).toBeCloseTo(Math.log(4), 4));
  });

  it('gives cepstral coefficients that keep the length of the log-mel row', () => {
    const rng = Rng.of(2);
    const sound = Float32Array.from({ length: 16_000 }, () => 0.1 * rng.normal());
    const [bands, cepstrum] = [frontEnd(settings).extract(sound), frontEnd({ ...settings, coefficients: 40 }).extract(sound)];
    const norm = (v: Float32Array, t: number): number => Math.hypot(...v.subarray(40 * t, 40 * t + 40));
    for (const t of [0, 10, 48]) expect(norm(cepstrum, t)).toBeCloseTo(norm(bands, t), 3);
    expect(frontEnd({ ...settings, coefficients: 10 }).features).toBe(10);
  });
});

describe('series in CSV', () => {
  const read = (text: string, extra: object = {}): ReturnType<typeof loadDataset> => {
    write('data.csv', text);
    return loadDataset(spec({ format: 'csv', file: join(folder, 'data.csv'), validation: 0.5, ...extra }));
  };

  it('are channels by moments', async () => {
    const data = await read('x0,y0,label,x1,y1,x2,y2\n1,10,walk,2,20,3,30\n1,10,walk,2,20,3,30\n7,70,run,8,80,9,90\n7,70,run,8,80,9,90\n', { channels: 2 });
    expect([data.classNames, data.train.channels, data.train.height, data.train.width]).toEqual([['run', 'walk'], 2, 3, 1]);
    const walk = data.train.labels.indexOf(1);
    expect([...data.train.pixels.subarray(6 * walk, 6 * walk + 6)]).toEqual([1, 2, 3, 10, 20, 30]);
  });

  it('have classes in order of number where they are numbers, and a test part', async () => {
    write('test.csv', 'a,label\n5,10\n');
    const data = await read('a,label\n1,10\n2,9\n3,10\n4,9\n', { testFile: join(folder, 'test.csv') });
    expect([data.classNames, data.test?.labels[0]]).toEqual([['9', '10'], 1]);
  });

  it.each<[string, string, object, RegExp]>([
    ['no column of classes', 'a,b\n1,2\n', {}, /data.csv: expected a column "label", got "a", "b"/],
    ['text for a number', 'a,label\n1,x\noops,y\n', {}, /data.csv: line 3: expected a finite number in column "a", got "oops"/],
    ['an empty cell', 'a,b,label\n1,,x\n', {}, /line 2: expected a finite number in column "b", got ""/],
    ['a short line', 'a,b,label\n1,x\n', {}, /data.csv: expected CSV: .*line 2/i],
    ['moments that do not come out even', 'a,b,c,label\n1,2,3,x\n', { channels: 2 }, /expected moments of 2 values each, got 3 columns beside "label"/],
    ['one class', 'a,label\n1,x\n2,x\n', {}, /expected images of at least 2 classes, got one class only/],
    ['nothing', '', {}, /expected a column "label", got nothing/],
  ])('are refused by line: %s', async (_what, text, extra, message) => {
    await expect(read(text, extra)).rejects.toThrow(message);
  });
});
