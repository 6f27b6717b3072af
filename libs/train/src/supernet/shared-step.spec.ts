import { trainingRecipeSchema } from '@app/contracts';
import { evaluateProgram, graphBuilder, trainingGraph } from '@app/graph';
import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import { stepRecipe } from '../training/trainer.js';
import { firstState, updateShared } from './shared-step.js';

const g = graphBuilder('two layers');
g.output(g.linear(g.activation(g.linear(g.input([1, 5]), 4), 'tanh'), 3));
const graph = g.build();

describe('the update of shared weights', () => {
  it.each([['sgd', {}], ['nesterov', {}], ['nesterov, clipped, averaged', { optimizer: 'nesterov', clipNorm: 0.1, averageDecay: 0.9 }], ['adamw', { averageDecay: 0.5 }]])('is that of the training step of one network: %s', (name, given) => {
    const recipe = trainingRecipeSchema.parse({ optimizer: name, ...given, weightDecay: 0.02 });
    const [whole, bare] = [stepRecipe(recipe, 2, 0), stepRecipe({ ...recipe, optimizer: 'sgd', momentum: 0, clipNorm: undefined, averageDecay: undefined }, 2, 0)];
    const [step, gradientStep] = [trainingGraph(graph, whole), trainingGraph(graph, bare)];
    const count = step.packing.parameterCount;
    const decayed = new Uint8Array(count);
    for (const slot of step.packing.parameters) if (slot.decayed) decayed.fill(1, slot.offset, slot.offset + slot.shape.reduce((a, b) => a * b, 1));
    const rng = Rng.of(1);
    const first = Float32Array.from({ length: count }, () => rng.normal());
    const images = Float64Array.from({ length: 10 }, () => rng.normal());
    const run = (program: typeof step.program, values: Record<string, ArrayLike<number>>) =>
      evaluateProgram(program, new Map(program.inputs.map(({ name: input, shape }) => [input, { shape, data: Float64Array.from(values[input]!) }])));
    const common = { images, targets: [1, 0, 0, 0, 0.5, 0.5] };
    const shared = firstState(recipe, Float32Array.from(first));
    let own: Record<string, ArrayLike<number>> = Object.fromEntries(step.state.map(({ name: part, length }) => [part, /arameters$/.test(part) ? first : new Float64Array(length)]));
    for (let t = 0; t < 4; t++) {
      const gradient = run(gradientStep.program, { ...common, parameters: shared.parameters!, velocity: new Float64Array(count), learningRate: [0], weightDecay: [0] }).get('velocity')!.data;
      updateShared(shared, Float64Array.from(gradient), new Uint8Array(count).fill(1), decayed, recipe, 0.1, t);
      const rates = { learningRate: [0.1], weightDecay: [recipe.weightDecay], correction1: [1 - recipe.momentum ** (t + 1)], correction2: [1 - 0.999 ** (t + 1)] };
      const results = run(step.program, { ...common, ...own, ...rates });
      own = Object.fromEntries(step.state.map(({ name: part }) => [part, results.get(part)!.data]));
    }
    for (const { name: part } of step.state) {
      const due = own[part]!;
      const worst = Math.max(...Array.from(due, (v, i) => Math.abs(v - shared[part]![i]!)));
      expect([part, worst < 2e-6]).toEqual([part, true]);
    }
    expect(shared.parameters).not.toEqual(first);
  });

  it('leaves a weight alone that no network of the step has, momentum and all', () => {
    const recipe = trainingRecipeSchema.parse({ averageDecay: 0.9 });
    const state = firstState(recipe, Float32Array.of(1, 1));
    updateShared(state, Float64Array.of(1, 1), Uint8Array.of(1, 1), Uint8Array.of(1, 1), recipe, 0.1, 0);
    const [w, v, a] = [state.parameters![1], state.velocity![1], state.averageParameters![1]];
    updateShared(state, Float64Array.of(1, 0), Uint8Array.of(1, 0), Uint8Array.of(1, 1), recipe, 0.1, 1);
    expect([state.parameters![1], state.velocity![1], state.averageParameters![1]]).toEqual([w, v, a]);
    expect(state.parameters![0]).toBeLessThan(w!);
  });
});
