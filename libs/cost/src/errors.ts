import type { Precision } from './types.js';

/** A device was asked for arithmetic its profile doesn't have. */
export class UnsupportedPrecision extends Error {
  constructor(readonly device: string, readonly precision: string, readonly supported: readonly Precision[]) {
    super(`device "${device}" has no precision "${precision}"; it supports ${supported.join(', ')}`);
    this.name = 'UnsupportedPrecision';
  }
}
