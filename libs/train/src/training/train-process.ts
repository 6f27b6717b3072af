/** Entry of a training process: a step is synchronous native code, and the process that renews leases must not stand still for it. */
import type { DatasetSpec } from '@app/contracts';
import { DatasetError, thinned, type Dataset } from '../data/image-set.js';
import { loadDataset } from '../data/load.js';
import { proxyScore } from '../proxies/proxy-score.js';
import { NoSuchSlice } from '../supernet/shared-weights.js';
import { inherited, trainedSupernet } from '../supernet/supernet-tasks.js';
import { quantizeOf } from './quantize.js';
import type { Answer, DataTask, Task } from './protocol.js';
import { encodeTrainedWeights, inputAbout } from './trained-weights.js';
import { quantizedAfter, trainNetwork, UnfitData } from './trainer.js';

/** The data of the last task: a study's trials all have the same. */
let loaded: { readonly key: string; readonly data: Dataset } | null = null;

async function dataOf(spec: DatasetSpec): Promise<Dataset> {
  const key = JSON.stringify(spec);
  if (loaded?.key !== key) loaded = { key, data: await loadDataset(spec) };
  return loaded.data;
}

async function answer(task: Task, tell: (answer: Answer) => void): Promise<Answer> {
  const { id } = task;
  const data = await dataOf(task.accuracy.dataset);
  if (task.kind === 'data') return expectTask(data, task);
  if (task.kind === 'supernet') return trainedSupernet(task, data);
  if (task.kind === 'inherit') return inherited(task, data);
  const { graph, seed } = task;
  if (task.kind === 'calibrate') return { id, kind: 'calibrated', judgedOn: data.validation.count, ...(await quantizedAfter({ graph, data, batch: task.accuracy.batch, seed }, quantizeOf(graph, task.quantize)!, task.weights)) };
  if (task.kind === 'proxy') return { id, kind: 'scored', score: await proxyScore(task.accuracy.proxy, { graph, data, batch: task.accuracy.batch, seed }) };
  const { accuracy, until, from } = task;
  const partly = thinned(data, task.share);
  const outcome = await trainNetwork({
    graph, data: partly, recipe: accuracy.recipe, batch: accuracy.batch, epochs: accuracy.epochs, until, seed, from: from ?? undefined, quantize: quantizeOf(graph, task.quantize),
    onEpoch: ({ epoch, curve, losses }) => tell({ id, kind: 'epoch', epoch, accuracy: curve.at(-1)!, loss: losses.at(-1)! }),
  });
  if (outcome.kind === 'diverged') return { id, kind: 'diverged', epoch: outcome.epoch, step: outcome.step, curve: outcome.curve };
  const judged = { accuracy: outcome.accuracy, floatAccuracy: outcome.floatAccuracy, judgedOn: data.validation.count };
  const weights = task.weights ? encodeTrainedWeights({ about: { by: 'training', quantize: task.quantize, ...judged, input: inputAbout(data) }, weights: outcome.weights }) : null;
  return { id, kind: 'trained', ...judged, balance: partly.balance, fingerprint: data.fingerprint, checkpoint: outcome.checkpoint, weights };
}

/** A study's networks have its task's classes and channels, whatever the candidate. */
function expectTask(data: Dataset, { id, task: { numClasses, inputChannels } }: DataTask): Answer {
  if (data.classes !== numClasses) throw new UnfitData(`data "${data.name}" have ${data.classes} classes; task.numClasses is ${numClasses}`);
  if (data.train.channels !== inputChannels) throw new UnfitData(`data "${data.name}" have ${data.train.channels} channels; task.inputChannels is ${inputChannels}`);
  return { id, kind: 'sound' };
}

function failure(id: number, error: Error): Answer {
  const reason = error instanceof DatasetError ? 'invalid-dataset' : error instanceof UnfitData || error instanceof NoSuchSlice || error.name === 'GraphError' ? 'unsupported' : null;
  return { id, kind: 'failed', reason, message: error.message, stack: error.stack };
}

process.on('message', (task: Task) => {
  const tell = (message: Answer): void => {
    process.send!(message);
  };
  answer(task, tell).then(tell, (error: Error) => tell(failure(task.id, error)));
});
// whoever asked is gone
process.on('disconnect', () => process.exit());
