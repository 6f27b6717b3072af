import type { MetricValue, SupernetAccuracy } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import type { Answer, DataTask, InheritTask, SupernetTask } from '../training/protocol.js';
import { quantizeSpecOf } from '../training/quantize.js';
import { describeDataset, describeQuantization, imagesOf, IMAGES_PER_SECOND, wilson } from '../training/train-evaluator.js';
import { TrainingProcesses } from '../training/training-processes.js';
import { inheritanceError } from './inheritance-error.js';
import type { SupernetQuestion } from './supernet-file.js';
import { supernetSpace, type SupernetSpaceDefinition } from './supernet-space.js';

/** Images a second, forward alone: a step goes back too, which is twice as much. For planning only. */
const FORWARD_PER_SECOND = 3 * IMAGES_PER_SECOND;

/**
 * Accuracy by inheritance: a supernet is trained once, before the first evaluation, and every candidate takes its weights from it, with
 * batch-norm statistics of its own. The supernet is kept in a file, epoch by epoch, so that whoever is killed goes on and several
 * workers have one.
 *
 * The interval is what the number of held-out images leaves open, widened by how far networks trained alone were off, if that was found.
 *
 * @throws EvaluatorError `unsupported` on a space it can't be made of
 */
export function supernetEvaluator(accuracy: SupernetAccuracy, space: SupernetSpaceDefinition, seed: number, task: DataTask['task'], runsInt8 = false): AccuracyEvaluator {
  supernetSpace(space, task);
  const processes = new TrainingProcesses();
  const { family, settings, parameters } = space;
  const question: SupernetQuestion = { accuracy, space: { family, settings, parameters }, task, seed, quantize: quantizeSpecOf(accuracy, runsInt8) };
  let trained = false;
  const ready = async (signal: AbortSignal): Promise<void> => {
    if (trained) return;
    const answer = await processes.run<SupernetTask>({ kind: 'supernet', accuracy, question }, signal);
    if (answer.kind === 'diverged') throw new EvaluatorError('diverged', `the supernet's loss was no number any more at step ${answer.step}, in epoch ${answer.epoch}; a smaller recipe.learningRate may do`);
    trained = true;
  };
  return {
    id: `supernet/${accuracy.dataset.format}`,
    secondsPerTrial: Math.max(2, (imagesOf(accuracy.dataset) * accuracy.dataset.validation + accuracy.calibration * accuracy.batch) / FORWARD_PER_SECOND),
    metrics: ['accuracy', 'error'],
    prepare: async (signal) => {
      await processes.run<DataTask>({ kind: 'data', accuracy, task }, signal);
      await ready(signal);
    },
    evaluate: async ({ graph, point, signal, onWeights }) => {
      if (graph === null) throw new EvaluatorError('unsupported', 'points of this space stand for no network, so there is nothing to inherit');
      await ready(signal);
      const answer = await processes.run<InheritTask>({ kind: 'inherit', accuracy, question, graph, point, weights: onWeights !== undefined }, signal);
      if (answer.weights !== null) onWeights?.(answer.weights);
      return metricsOf(question, answer);
    },
    close: () => processes.close(),
  };
}

type Inherited = Extract<Answer, { kind: 'inherited' }>;

function metricsOf({ accuracy: { dataset, epochs, recipe, batch, switches }, seed, quantize }: SupernetQuestion, { accuracy, floatAccuracy, judgedOn, compared }: Inherited): Record<string, MetricValue> {
  const error = inheritanceError(compared);
  const known = error === null ? 'what training it alone would change is not known' : `networks trained alone were ${error[0].toFixed(1)} to ${error[1].toFixed(1)} points above (90 %, ${compared.filter((c) => c.alone !== null).length} compared)`;
  const source = `inherited from a supernet trained for ${epochs} epochs on ${describeDataset(dataset)} (${recipe.optimizer}, batch ${batch}, switches an epoch: ${switches}, seed ${seed}), accuracy on ${judgedOn} held-out images${quantize === null ? '' : `, ${describeQuantization(quantize)}`}${floatAccuracy === null ? '' : ` (${floatAccuracy.toFixed(2)} % before)`}; ${known}`;
  const held = wilson(accuracy / 100, judgedOn).map((p) => 100 * p) as [number, number];
  const low = Math.max(0, Math.min(held[0], accuracy + (error?.[0] ?? 0)));
  const high = Math.min(100, Math.max(held[1], accuracy + (error?.[1] ?? 0)));
  const metric = (value: number, interval: [number, number]): MetricValue => ({ value, unit: '%', provenance: 'estimated', interval, source });
  return { accuracy: metric(accuracy, [low, high]), error: metric(100 - accuracy, [100 - high, 100 - low]) };
}
