import type { TrainingRecipe } from '@app/contracts';

/**
 * Learning rate of a step: linear warm-up from 0, then constant, in steps, or half a cosine down to 0 (Loshchilov & Hutter 2017,
 * SGDR, eq. 5, without restarts).
 *
 * @param step          0, 1, …
 * @param stepsPerEpoch
 * @param totalSteps    of the whole training, warm-up included
 */
export function learningRateAt(recipe: Pick<TrainingRecipe, 'learningRate' | 'schedule' | 'stepAt' | 'stepFactor' | 'warmupEpochs'>, step: number, stepsPerEpoch: number, totalSteps: number): number {
  const warmup = Math.min(recipe.warmupEpochs * stepsPerEpoch, totalSteps);
  if (step < warmup) return (recipe.learningRate * (step + 1)) / (warmup + 1);
  switch (recipe.schedule) {
    case 'constant':
      return recipe.learningRate;
    case 'step':
      return recipe.learningRate * recipe.stepFactor ** recipe.stepAt.filter((share) => step >= share * totalSteps).length;
    case 'cosine':
      return (recipe.learningRate * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, totalSteps - warmup)))) / 2;
  }
}

/** Share of the way down to its own temperature that a softmax over heads still has before it, after so many steps: half a cosine from 1 to 0, whatever the learning rate does. */
export const annealingAt = (step: number, totalSteps: number): number => (step >= totalSteps ? 0 : (1 + Math.cos((Math.PI * step) / totalSteps)) / 2);
