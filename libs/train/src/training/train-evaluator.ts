import { atResolution, GraphError, type Graph } from '@app/graph';
import type { DatasetSpec, FidelitySpec, LevelsSpec, MetricValue, QuantizeSpec, TrainAccuracy, TrialProgress } from '@app/contracts';
import { EvaluatorError, StoppedEarly, type AccuracyEvaluator } from '@app/study';
import type { Checkpoint } from './checkpoint.js';
import type { Answer, DataTask, TrainTask } from './protocol.js';
import { quantizeSpecOf } from './quantize.js';
import { TrainingProcesses } from './training-processes.js';

/** Images a second, training and judging, of a middling FlyNet on one core of a server of 2024: for planning only. */
export const IMAGES_PER_SECOND = 500;
/** What a data set holds until it is read. */
const USUAL_IMAGES = 50_000;
/** Trials whose training is remembered, to go on at a higher fidelity. */
const REMEMBERED = 32;
/** 95 % quantile of the normal distribution: a 90 % interval has 5 % on either side. */
export const Z_90 = 1.6449;

/**
 * Accuracy by training each candidate from its first weights, in a process of its own. At a fidelity f it trains for the first f·epochs
 * epochs of the whole schedule; asked again for the same point at a higher one, it goes on from there. Fidelities by data or resolution are whole trainings on
 * that share of the images, or of their pixels, each from first weights.
 *
 * The interval is what the number of held-out images leaves open, not what another seed would change.
 */
export function trainEvaluator(accuracy: TrainAccuracy, seed: number, task: DataTask['task'], runsInt8 = false, by: FidelitySpec['by'] = 'epochs'): AccuracyEvaluator {
  const processes = new TrainingProcesses();
  const quantize = quantizeSpecOf(accuracy, runsInt8);
  const remembered = new Map<string, Checkpoint>();
  return {
    id: `train/${accuracy.dataset.format}`,
    secondsPerTrial: Math.max(2, (accuracy.epochs * imagesOf(accuracy.dataset)) / IMAGES_PER_SECOND),
    metrics: ['accuracy', 'error'],
    prepare: async (signal) => {
      await processes.run<DataTask>({ kind: 'data', accuracy, task }, signal);
    },
    evaluate: async ({ graph, point, signal, fidelity = 1, onProgress, onWeights, stopWhen }) => {
      if (graph === null) throw new EvaluatorError('unsupported', 'points of this space stand for no network, so there is nothing to train');
      const until = by === 'epochs' ? Math.max(1, Math.round(fidelity * accuracy.epochs)) : accuracy.epochs;
      const key = JSON.stringify(Object.entries(point).sort(([a], [b]) => (a < b ? -1 : 1)));
      const before = remembered.get(key);
      const from = before !== undefined && before.epoch <= until ? before : null;
      const curve = [...(from?.curve ?? [])];
      // ends the process as well: the next one reads the data anew, a small price beside the epochs that are saved
      const end = new AbortController();
      const answer = await processes.run<TrainTask>({ kind: 'train', accuracy, graph: by === 'resolution' ? smaller(graph, fidelity) : graph, seed, until, share: by === 'data' ? fidelity : 1, quantize, from, weights: onWeights !== undefined && until === accuracy.epochs }, AbortSignal.any([signal, end.signal]), (epoch) => {
        curve.push(epoch.accuracy);
        const progress = { epochs: until, curves: { accuracy: { unit: '%', values: [...curve] }, error: { unit: '%', values: curve.map((a) => 100 - a) } } };
        onProgress?.(progress);
        const why = stopWhen?.(progress) ?? null;
        if (why !== null) end.abort(new StoppedEarly(why, curve.length / accuracy.epochs, partly(accuracy, progress)));
      });
      if (answer.kind === 'diverged') {
        throw new EvaluatorError('diverged', `the loss was no number any more at step ${answer.step}, in epoch ${answer.epoch}${answer.curve.length === 0 ? '' : `; accuracy before: ${answer.curve.map((a) => a.toFixed(1)).join(', ')} %`}`);
      }
      if (answer.weights !== null) onWeights?.(answer.weights);
      remember(remembered, key, until < accuracy.epochs ? answer.checkpoint : null);
      return metricsOf(accuracy, answer, seed, quantize, by === 'epochs' || fidelity === 1 ? '' : `, ${Number((100 * fidelity).toPrecision(3))} % of ${by === 'data' ? 'all' : 'their pixels'}`);
    },
    close: () => processes.close(),
  };
}

function smaller(graph: Graph, share: number): Graph {
  try {
    return atResolution(graph, share);
  } catch (error) {
    if (error instanceof GraphError) throw new EvaluatorError('unsupported', `fidelity.by "resolution": ${error.message}`);
    throw error;
  }
}

/** Metrics of a training that was ended: as they were after its last epoch. */
function partly({ epochs, dataset }: TrainAccuracy, { curves }: TrialProgress): Record<string, MetricValue> {
  return Object.fromEntries(Object.entries(curves).map(([key, { unit, values }]) => [key, {
    value: values.at(-1)!, unit, provenance: 'trained', source: `trained for ${values.length} of ${epochs} epochs on ${dataset.format}, then ended`, curve: values,
  }]));
}

type Trained = Extract<Answer, { kind: 'trained' }>;

/** Words for a metric's source. */
export function describeQuantization({ when, weights, activations, ends }: QuantizeSpec): string {
  const levels = (l: LevelsSpec | undefined): string => (l === undefined ? 'not' : 'bits' in l ? `${l.bits} bits` : `${l.levels} levels`);
  return `quantised ${when === 'aware' ? 'in' : 'after'} training: weights ${levels(weights)}, activations ${levels(activations)}${ends === 'same' ? '' : `, ends ${ends}`}`;
}

function remember(remembered: Map<string, Checkpoint>, key: string, checkpoint: Checkpoint | null): void {
  remembered.delete(key);
  if (checkpoint === null) return;
  remembered.set(key, checkpoint);
  if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value!);
}

export const imagesOf = (dataset: DatasetSpec): number => (dataset.format === 'synthetic' ? dataset.images : USUAL_IMAGES) * dataset.share;

function metricsOf({ dataset, recipe, batch }: TrainAccuracy, { accuracy, floatAccuracy, judgedOn, balance, fingerprint, checkpoint: { curve } }: Trained, seed: number, quantize: QuantizeSpec | null, part: string): Record<string, MetricValue> {
  const source = `trained for ${curve.length} epochs on ${describeDataset(dataset)}, ${describeBalance(balance)}${part} (${recipe.optimizer}, batch ${batch}, seed ${seed}), accuracy on ${judgedOn} held-out images${quantize === null ? '' : `, ${describeQuantization(quantize)}`}${floatAccuracy === null ? '' : ` (${floatAccuracy.toFixed(2)} % before)`}`;
  const [low, high] = wilson(accuracy / 100, judgedOn);
  const metric = (value: number, interval: [number, number], values: number[]): MetricValue => ({ value, unit: '%', provenance: 'trained', interval, source, curve: values, data: fingerprint });
  return {
    accuracy: metric(accuracy, [100 * low, 100 * high], [...curve]),
    error: metric(100 - accuracy, [100 * (1 - high), 100 * (1 - low)], curve.map((a) => 100 - a)),
  };
}

export const describeDataset = (dataset: DatasetSpec): string => (dataset.format === 'synthetic' ? dataset.format : `${dataset.format} ${'directory' in dataset ? dataset.directory : dataset.file}`);

/** How many training images there are, and of each class. */
export function describeBalance(balance: readonly number[]): string {
  const [least, most] = [Math.min(...balance), Math.max(...balance)];
  return `${balance.reduce((a, b) => a + b, 0)} images, ${least === most ? least : `${least} to ${most}`} a class`;
}

/** 90 % interval of a share p of n (Wilson 1927). */
export function wilson(p: number, n: number): [number, number] {
  const z2 = Z_90 ** 2 / n;
  const centre = (p + z2 / 2) / (1 + z2);
  const half = (Z_90 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n))) / (1 + z2);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
