/** Published accuracies the surrogate is fitted on. Figures quoted as facts. */

export interface FlynetRow {
  readonly width: number;
  readonly heads: number;
  readonly reduction: string;
  readonly excitation: string;
  readonly lowResidual: string;
  /** levels of the noise on the hidden layer; 2^32: none */
  readonly noiseHead: number;
  /** ImageNet top-1, % */
  readonly top1: number;
}

export const NO_NOISE = 2 ** 32;

const row = (top1: number, change: Partial<FlynetRow>): FlynetRow => ({ width: 0.5, heads: 3, reduction: 'maxout', excitation: 'softmax', lowResidual: 'mdw-concat', noiseHead: NO_NOISE, ...change, top1 });

/** FlyNet by width at 3 heads and by heads at width 0.5: thesis, Tables 8.3, 8.6 (1.0×, no noise) and 8.5. */
export const SCALING_ROWS: readonly FlynetRow[] = [
  row(55.9, { width: 0.4 }), row(59.1, { width: 0.5 }), row(61.5, { width: 0.6 }), row(63.3, { width: 0.7 }), row(65.7, { width: 0.8 }), row(67.2, { width: 1 }),
  row(56.7, { heads: 1 }), row(58.2, { heads: 2 }), row(59.8, { heads: 4 }), row(59.9, { heads: 5 }),
];

/** Ablations: one setting changed against the first row of each list (Tables 8.1, 8.2, 8.6). */
export const ABLATIONS: readonly { readonly base: FlynetRow; readonly changed: readonly FlynetRow[] }[] = [
  { base: row(59.1, {}), changed: [row(58.9, { excitation: 'sigmoid' })] },
  { base: row(58.9, { excitation: 'sigmoid' }), changed: [row(58.8, { excitation: 'sigmoid', reduction: 'funnel' }), row(57.6, { excitation: 'sigmoid', reduction: 'sum-relu' })] },
  {
    base: row(55.9, { width: 0.4 }),
    changed: [row(54.5, { width: 0.4, lowResidual: 'none' }), row(55.5, { width: 0.4, lowResidual: 'default' }), row(56.0, { width: 0.4, lowResidual: 'conv3x3' }), row(55.6, { width: 0.4, lowResidual: 'dw-pw' })],
  },
  {
    base: row(67.2, { width: 1 }),
    changed: [row(67.3, { width: 1, noiseHead: 16 }), row(67.4, { width: 1, noiseHead: 8 }), row(67.1, { width: 1, noiseHead: 6 }), row(66.1, { width: 1, noiseHead: 4 })],
  },
];

/**
 * MobileNetV2, ImageNet top-1 in % by width multiplier at inputs of 224, 192, 160, 128 and 96 pixels: TensorFlow models repository,
 * research/slim/nets/mobilenet/README.md. Each network was trained at its resolution.
 */
export const RESOLUTION_SIDES = [224, 192, 160, 128, 96] as const;
export const RESOLUTION_ROWS: Readonly<Record<string, readonly number[]>> = {
  '0.35': [60.3, 58.2, 55.7, 50.8, 45.5],
  '0.5': [65.4, 63.9, 61.0, 57.7, 51.2],
  '0.75': [69.8, 68.7, 66.4, 63.2, 58.8],
  '1.0': [71.8, 70.7, 68.8, 65.3, 60.3],
};
