import type { ProxyAccuracy, TrainAccuracy } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import type { DataTask, ProxyTask } from '../training/protocol.js';
import { TrainingProcesses } from '../training/training-processes.js';

/** A batch forward, or forward and back, and the session for it: for planning only. */
const SECONDS_PER_TRIAL = 2;

const SOURCES: Readonly<Record<ProxyAccuracy['proxy'], string>> = {
  naswot: 'NASWOT (Mellor et al. 2021)', synflow: 'logarithm of SynFlow (Tanaka et al. 2020)', snip: 'SNIP (Lee et al. 2019)', grasp: 'GraSP (Wang et al. 2020)',
  'grad-norm': 'gradient norm (Abdelfattah et al. 2021)', 'jacob-cov': 'Jacobian covariance (Mellor et al. 2020)', zen: 'Zen-score (Lin et al. 2021)',
};

/** Metric `proxy`: a score of the untrained network. It ranks networks, and is no accuracy. */
export function proxyEvaluator(accuracy: ProxyAccuracy, seed: number, task: DataTask['task']): AccuracyEvaluator {
  const processes = new TrainingProcesses();
  return {
    id: `proxy/${accuracy.proxy}`,
    secondsPerTrial: SECONDS_PER_TRIAL,
    metrics: ['proxy'],
    prepare: async (signal) => {
      await processes.run<DataTask>({ kind: 'data', accuracy, task }, signal);
    },
    evaluate: async ({ graph, signal }) => {
      if (graph === null) throw new EvaluatorError('unsupported', 'points of this space stand for no network, so there is nothing to score');
      const { score } = await processes.run<ProxyTask>({ kind: 'proxy', accuracy, graph, seed }, signal);
      if (!Number.isFinite(score)) throw new EvaluatorError('invalid-metric', `metric "proxy" is ${score}; a finite number is due`);
      return { proxy: { value: score, unit: '1', provenance: 'computed', source: `${SOURCES[accuracy.proxy]} of the untrained network, batch ${accuracy.batch} of ${accuracy.dataset.format} data, seed ${seed}` } };
    },
    close: () => processes.close(),
  };
}

/** Faults of a score that say nothing of what training would come to. */
const NO_SCORE = new Set(['invalid-metric', 'unsupported']);

/** Scores what `train` is to train or to pass over, by its `prefilter`, on its data. A network that can't be scored has no score, and is trained. */
export function prefilterEvaluator({ dataset }: TrainAccuracy, { proxy, batch }: NonNullable<TrainAccuracy['prefilter']>, seed: number, task: DataTask['task']): AccuracyEvaluator {
  const scores = proxyEvaluator({ method: 'proxy', proxy, dataset, batch }, seed, task);
  return {
    ...scores,
    evaluate: async (request) => {
      try {
        return await scores.evaluate(request);
      } catch (error) {
        if (error instanceof EvaluatorError && NO_SCORE.has(error.reason)) return {};
        throw error;
      }
    },
  };
}
