import { Rng } from '@app/numeric';
import type { ImageSet } from './image-set.js';

export interface SyntheticSettings {
  readonly classes: number;
  readonly images: number;
  readonly size: number;
  readonly channels: number;
  readonly seed: number;
}

/**
 * Gratings with noise: class k is a wave at angle π·k / classes, of random phase and contrast. Easy for a convolution and out of
 * reach of a single pixel; the classes come in turn, so they are balanced.
 */
export function synthesize({ classes, images, size, channels, seed }: SyntheticSettings): ImageSet {
  const rng = Rng.of(seed, 'synthetic images');
  const pixels = new Uint8Array(images * channels * size * size);
  const labels = Uint16Array.from({ length: images }, (_, i) => i % classes);
  let at = 0;
  for (let i = 0; i < images; i++) {
    const angle = (Math.PI * labels[i]!) / classes;
    const [dx, dy] = [Math.cos(angle) * (Math.PI / 2), Math.sin(angle) * (Math.PI / 2)];
    const phase = 2 * Math.PI * rng.next();
    const contrast = 50 + 50 * rng.next();
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) pixels[at++] = Math.min(255, Math.max(0, Math.round(128 + contrast * Math.sin(dx * x + dy * y + phase) + 25 * rng.normal())));
      }
    }
  }
  return { count: images, channels, height: size, width: size, pixels, labels };
}
