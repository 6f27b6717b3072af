import type { KeptWeightsSpec, StudySpec } from '@app/contracts';

const BY_DEFAULT: KeptWeightsSpec = { of: 'front', mebibytes: 512 };

/** Whose trained weights a study keeps, and how many; null: its trials have none. */
export function keptWeights({ accuracy }: Pick<StudySpec, 'accuracy'>): KeptWeightsSpec | null {
  if (accuracy.method !== 'train' && accuracy.method !== 'supernet') return null;
  const kept = accuracy.weights ?? BY_DEFAULT;
  return kept.of === 'none' ? null : kept;
}
