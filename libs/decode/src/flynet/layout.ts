/**
 * MobileNetV3-Small as FlyNet takes it over (thesis, ch. 8): base numbers before the width multiplier. A stage begins wherever the
 * stride or the output width changes its run: 16 | 24 24 | 40 40 40 | 48 48 | 96 96 96.
 */
import type { ActivationFn } from '@app/graph';

export interface BaseBlock {
  readonly expansion: number;
  readonly output: number;
  readonly stride: 1 | 2;
  readonly activation: ActivationFn;
}

export const STAGES: readonly (readonly BaseBlock[])[] = [
  [{ expansion: 16, output: 16, stride: 2, activation: 'relu' }],
  [
    { expansion: 72, output: 24, stride: 2, activation: 'relu' },
    { expansion: 88, output: 24, stride: 1, activation: 'relu' },
  ],
  [
    { expansion: 96, output: 40, stride: 2, activation: 'hswish' },
    { expansion: 240, output: 40, stride: 1, activation: 'hswish' },
    { expansion: 240, output: 40, stride: 1, activation: 'hswish' },
  ],
  [
    { expansion: 120, output: 48, stride: 1, activation: 'hswish' },
    { expansion: 144, output: 48, stride: 1, activation: 'hswish' },
  ],
  [
    { expansion: 288, output: 96, stride: 2, activation: 'hswish' },
    { expansion: 576, output: 96, stride: 1, activation: 'hswish' },
    { expansion: 576, output: 96, stride: 1, activation: 'hswish' },
  ],
];

export const STEM_CHANNELS = 16;
/** the last 1×1 convolution is this many times the rounded width of the last block */
export const LAST_EXPANSION = 6;
export const HIDDEN_FEATURES = 1024;

/** Block i of a stage, from 0; beyond its own, the last one again at stride 1. */
export function blockAt(stage: number, i: number): BaseBlock {
  return STAGES[stage]![i] ?? REPEATED[stage]!;
}

const REPEATED = STAGES.map((blocks): BaseBlock => ({ ...blocks.at(-1)!, stride: 1 }));
