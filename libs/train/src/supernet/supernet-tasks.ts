/** What a training process does about supernets. */
import type { Dataset } from '../data/image-set.js';
import type { Answer, InheritTask, SupernetTask } from '../training/protocol.js';
import { quantizeOf } from '../training/quantize.js';
import { encodeTrainedWeights, inputAbout } from '../training/trained-weights.js';
import { trainNetwork } from '../training/trainer.js';
import { readCompared, readSupernet, supernetPath, whileAlone, writeCompared, writeSupernet, type SupernetQuestion } from './supernet-file.js';
import { inheritable, inheritedAccuracy, supernetOf, type Inheritance, type Supernet } from './supernet.js';
import { trainSupernet } from './train-supernet.js';

/** Trains what is left to train, if anything: the supernet, then the networks that it is compared with. */
export async function trainedSupernet({ id, question }: SupernetTask, data: Dataset): Promise<Answer> {
  const { accuracy, seed } = question;
  const path = supernetPath(question);
  return whileAlone(path, async () => {
    const supernet = supernetOf(question.space, question.task, question.quantize);
    const outcome = await trainSupernet({ supernet, accuracy, data, seed, from: readSupernet(path) ?? undefined, onEpoch: (checkpoint) => writeSupernet(path, checkpoint) });
    if (outcome.kind === 'diverged') return { id, kind: 'diverged', epoch: outcome.epoch, step: outcome.step, curve: [] };
    const inheritance: Inheritance = { supernet, parameters: inheritable(outcome.checkpoint.state), accuracy, data, seed };
    await compare(question, inheritance);
    return { id, kind: 'supernet' };
  });
}

/** Networks of the space, drawn as those it was trained with but not among them, trained alone by the same recipe. */
async function compare(question: SupernetQuestion, inheritance: Inheritance): Promise<void> {
  const { accuracy, seed } = question;
  const { supernet: { space, quantize }, data } = inheritance;
  let compared = readCompared(question);
  const points = space.middles(seed, accuracy.epochs + 1, accuracy.standAlone);
  for (const point of points.slice(compared.length)) {
    const graph = space.graph(point);
    const { accuracy: inherited } = await inheritedAccuracy(inheritance, graph, point);
    const outcome = await trainNetwork({ graph, data, recipe: accuracy.recipe, batch: accuracy.batch, epochs: accuracy.epochs, seed, quantize: quantizeOf(graph, quantize) });
    compared = [...compared, { inherited, alone: outcome.kind === 'diverged' ? null : outcome.accuracy }];
    writeCompared(question, compared);
  }
}

/** Supernet of the last task, with its weights: a study's trials all have the same. */
let known: { readonly path: string; readonly supernet: Supernet; readonly parameters: Float32Array } | null = null;

export async function inherited({ id, question, graph, point, weights }: InheritTask, data: Dataset): Promise<Answer> {
  const path = supernetPath(question);
  if (known?.path !== path) {
    const checkpoint = readSupernet(path);
    if (checkpoint === null || checkpoint.epoch < question.accuracy.epochs) throw new Error(`${path}: expected a supernet of ${question.accuracy.epochs} epochs, got ${checkpoint?.epoch ?? 'none'}`);
    known = { path, supernet: supernetOf(question.space, question.task, question.quantize), parameters: inheritable(checkpoint.state) };
  }
  const { supernet, parameters } = known;
  const { accuracy, seed } = question;
  const { weights: own, ...found } = await inheritedAccuracy({ supernet, parameters, accuracy, data, seed }, graph, point);
  const judged = { ...found, judgedOn: data.validation.count };
  return {
    id, kind: 'inherited', ...judged, compared: readCompared(question),
    weights: weights ? encodeTrainedWeights({ about: { by: 'supernet', quantize: question.quantize, ...judged, input: inputAbout(data) }, weights: own }) : null,
  };
}
