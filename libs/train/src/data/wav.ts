/** Recordings in folders, a class each (the layout of Speech Commands: Warden 2018), as log-mel spectrograms or cepstral coefficients. */
import { existsSync } from 'node:fs';
import { join as path, relative } from 'node:path';
import type { DatasetSpec } from '@app/contracts';
import wavefile from 'wavefile';
import { classFolders, type LabelledFile } from './class-folders.js';
import { DatasetError, type ImageSet } from './image-set.js';
import type { Source } from './load.js';
import { frontEnd, type FrontEnd } from './log-mel.js';
import { readBytes } from './read-bytes.js';

type Settings = Extract<DatasetSpec, { format: 'wav' }>;

/** @throws DatasetError naming the recording: no WAV, another rate, empty */
export function readWavFolder(settings: Settings): Source {
  const { directory } = settings;
  if (settings.highHz > settings.sampleRate / 2 || settings.lowHz >= settings.highHz) throw new DatasetError(directory, `expected lowHz < highHz ≤ sampleRate / 2, got ${settings.lowHz}, ${settings.highHz} and ${settings.sampleRate / 2}`);
  const { names, files } = classFolders(directory, ['.wav']);
  const listed = path(directory, 'testing_list.txt');
  const testing = new Set(existsSync(listed) ? new TextDecoder().decode(readBytes(listed)).split(/\r?\n/).map((line) => line.trim()) : []);
  const tests = (f: LabelledFile): boolean => testing.has(relative(directory, f.file).replaceAll('\\', '/'));
  const front = frontEnd(settings);
  const test = files.filter(tests);
  return {
    name: directory, file: directory, classes: null, classNames: names, fixedShape: true,
    train: setOf(files.filter((f) => !tests(f)), settings, front), test: test.length === 0 ? null : setOf(test, settings, front),
  };
}

function setOf(files: readonly LabelledFile[], settings: Settings, front: FrontEnd): ImageSet {
  const size = front.frames * front.features;
  const pixels = new Float32Array(files.length * size);
  files.forEach(({ file }, i) => pixels.set(front.extract(samplesOf(file, settings)), i * size));
  return { count: files.length, channels: 1, height: front.frames, width: front.features, pixels, labels: Uint16Array.from(files, (f) => f.label) };
}

/** The first channel, −1 … 1. */
function samplesOf(file: string, { sampleRate }: Settings): Float32Array {
  const bytes = readBytes(file);
  let wav: InstanceType<typeof wavefile.WaveFile>;
  let samples: Float64Array;
  try {
    wav = new wavefile.WaveFile(bytes);
    wav.toBitDepth('32f');
    const all = wav.getSamples(false) as unknown as Float64Array | Float64Array[];
    samples = Array.isArray(all) ? all[0]! : all;
  } catch (error) {
    throw new DatasetError(file, `expected a WAV file: ${String((error as Error).message ?? error)}`, { cause: error });
  }
  const rate = (wav.fmt as { sampleRate: number }).sampleRate;
  if (rate !== sampleRate) throw new DatasetError(file, `expected ${sampleRate} Hz, got ${rate} Hz`);
  if (samples.length === 0) throw new DatasetError(file, 'expected a recording, got no samples');
  return Float32Array.from(samples);
}
