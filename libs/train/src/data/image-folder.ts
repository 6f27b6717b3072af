/** Images in folders, a class each; `train/` and `test/` within, or a training part only. */
import { existsSync } from 'node:fs';
import { join as path } from 'node:path';
import type { DatasetSpec } from '@app/contracts';
import sharp from 'sharp';
import { classFolders, type LabelledFile } from './class-folders.js';
import { DatasetError, type ImageSet } from './image-set.js';
import type { Source } from './load.js';

type Settings = Extract<DatasetSpec, { format: 'image-folder' }>;

const ENDINGS = ['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff'];
/** Files decoded at once. */
const TOGETHER = 16;

/** Every image scaled to height × width; transparency lies on black. @throws DatasetError naming the image that can't be decoded */
export async function readImageFolder(settings: Settings): Promise<Source> {
  const { directory } = settings;
  const parted = existsSync(path(directory, 'train'));
  const train = classFolders(parted ? path(directory, 'train') : directory, ENDINGS);
  const test = parted && existsSync(path(directory, 'test')) ? classFolders(path(directory, 'test'), ENDINGS, train.names) : null;
  return {
    name: directory, file: directory, classes: null, classNames: train.names,
    train: await decode(train.files, settings), test: test === null ? null : await decode(test.files, settings),
  };
}

async function decode(files: readonly LabelledFile[], { height, width, channels }: Settings): Promise<ImageSet> {
  const plane = height * width;
  const pixels = new Uint8Array(files.length * channels * plane);
  for (let from = 0; from < files.length; from += TOGETHER) {
    await Promise.all(files.slice(from, from + TOGETHER).map(async ({ file }, k) => {
      const rows = await pixelsOf(file, height, width, channels);
      const at = (from + k) * channels * plane;
      for (let c = 0; c < channels; c++) for (let p = 0; p < plane; p++) pixels[at + c * plane + p] = rows[p * channels + c]!;
    }));
  }
  return { count: files.length, channels, height, width, pixels, labels: Uint16Array.from(files, (f) => f.label) };
}

/** [height, width, channels] */
async function pixelsOf(file: string, height: number, width: number, channels: 1 | 3): Promise<Uint8Array> {
  try {
    const image = sharp(file).resize(width, height, { fit: 'fill' }).flatten({ background: '#000' });
    return await (channels === 1 ? image.greyscale().toColourspace('b-w') : image.toColourspace('srgb')).raw().toBuffer();
  } catch (error) {
    throw new DatasetError(file, `expected an image: ${(error as Error).message}`, { cause: error });
  }
}
