import type { KeptWeightsSpec, StudySpec } from '@app/contracts';

const BY_DEFAULT: KeptWeightsSpec = { of: 'front', mebibytes: 512 };

const TRAINED: ReadonlySet<string> = new Set(['train', 'supernet', 'command', 'http']);

/** Whose trained weights a study keeps, and how many, where its evaluator has some; null: none. */
export function keptWeights({ accuracy }: Pick<StudySpec, 'accuracy'>): KeptWeightsSpec | null {
  if (!TRAINED.has(accuracy.method)) return null;
  const kept = ('weights' in accuracy ? accuracy.weights : undefined) ?? BY_DEFAULT;
  return kept.of === 'none' ? null : kept;
}
