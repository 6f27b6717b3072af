/** The optimizer's update on the shared vector, once for all switches of a step. */
import type { TrainingRecipe } from '@app/contracts';
import type { Checkpoint } from '../training/checkpoint.js';

type State = Checkpoint['state'];

/** What a recipe keeps besides the weights, at first. */
export function firstState(recipe: Pick<TrainingRecipe, 'optimizer' | 'averageDecay'>, parameters: Float32Array): State {
  const zeros = (): Float32Array => new Float32Array(parameters.length);
  return {
    parameters, velocity: zeros(), ...(recipe.optimizer === 'adamw' && { secondMoment: zeros() }),
    ...(recipe.averageDecay !== undefined && { averageParameters: Float32Array.from(parameters) }),
  };
}

/**
 * SGD, Nesterov and AdamW as the training step of one network has them, in place. Where no network of the step had a weight, it stays
 * as it is, momentum included.
 *
 * @param gradient  sum over the networks (F-W1); clipped here
 * @param touched   1 where a network of the step had the weight
 * @param decayed   1 where weight decay acts
 * @param step      from 0, for AdamW's bias corrections
 */
export function updateShared(state: State, gradient: Float64Array, touched: Uint8Array, decayed: Uint8Array, recipe: TrainingRecipe, learningRate: number, step: number): void {
  const { parameters: w, velocity: v, secondMoment: m2, averageParameters: average } = state as Required<State>;
  const { momentum, weightDecay, optimizer, clipNorm, averageDecay } = recipe;
  let squares = 0;
  for (const g of gradient) squares += g * g;
  const shrink = clipNorm === undefined ? 1 : Math.min(1, clipNorm / (Math.sqrt(squares) + 1e-6));
  const corrections = [1 - momentum ** (step + 1), 1 - 0.999 ** (step + 1)] as const;
  for (let i = 0; i < w.length; i++) {
    if (touched[i] === 0) continue;
    const g = shrink * gradient[i]!;
    const decay = decayed[i] === 1 ? weightDecay * w[i]! : 0;
    if (optimizer === 'adamw') {
      v[i] = momentum * v[i]! + (1 - momentum) * g;
      m2[i] = 0.999 * m2[i]! + 0.001 * g * g;
      w[i]! -= learningRate * (v[i]! / corrections[0] / (Math.sqrt(m2[i]! / corrections[1]) + 1e-8) + decay);
    } else {
      v[i] = momentum * v[i]! + g + decay;
      w[i]! -= learningRate * (optimizer === 'nesterov' ? g + decay + momentum * v[i]! : v[i]!);
    }
    if (averageDecay !== undefined) average[i] = averageDecay * average[i]! + (1 - averageDecay) * w[i]!;
  }
}
