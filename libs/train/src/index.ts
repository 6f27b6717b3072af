import { EvaluatorError, inTurn, type AccuracyEvaluator, type StudyDefinition } from '@app/study';
import { commandEvaluator, refuseCommand } from './command/command-evaluator.js';
import { flynetSurrogate } from './surrogate/flynet-surrogate.js';
import { httpEvaluator } from './http/http-evaluator.js';
import { tableEvaluator } from './table/table-evaluator.js';
import { prefilterEvaluator, proxyEvaluator } from './proxies/proxy-evaluator.js';
import { supernetEvaluator } from './supernet/supernet-evaluator.js';
import { trainEvaluator } from './training/train-evaluator.js';

export type { AccuracyEvaluator, AccuracyRequest } from '@app/study';
export { EvaluatorError } from '@app/study';
export { commandEvaluator } from './command/command-evaluator.js';
export { startCommand, type CommandOptions, type CommandRunner } from './command/command-process.js';
export { parseLenient, type CommandId } from './command/answer.js';
export { killGroup } from './command/kill-group.js';
export { LineSplitter } from './command/line-splitter.js';
export { httpEvaluator } from './http/http-evaluator.js';
export { post, type Reply } from './http/post.js';
export { runOnnx, verifyExport, type ExportCheck } from './session.js';
export type { Dataset as ImageDataset, ImageSet } from './data/image-set.js';
export { DatasetError } from './data/image-set.js';
export { loadDataset } from './data/load.js';
export { calibrate, calibrateOn, verifyQuantized, type Calibrated, type CalibrationRequest, type QuantizedCheck } from './calibrate.js';
export { INT8_AFTER, quantizeOf } from './training/quantize.js';
export { describeQuantization } from './training/train-evaluator.js';
export { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from './training/checkpoint.js';
export { openProgram, type ProgramSession, type SessionOptions } from './training/program-session.js';
export { proxyEvaluator } from './proxies/proxy-evaluator.js';
export { correlations, proxyScore, spreadOf } from './proxies/proxy-score.js';
export { trainEvaluator } from './training/train-evaluator.js';
export { decodeTrainedWeights, encodeTrainedWeights, type AboutWeights, type InputAbout, type TrainedWeights } from './training/trained-weights.js';
export { openJudge, stepRecipe, trainNetwork, UnfitData, type Judge, type TrainOutcome, type TrainRequest } from './training/trainer.js';
export { supernetEvaluator } from './supernet/supernet-evaluator.js';
export { supernetPath, type SupernetQuestion } from './supernet/supernet-file.js';
export { inheritable, inheritedAccuracy, inheritedWeights, supernetOf, type Inheritance, type Supernet } from './supernet/supernet.js';
export { trainSupernet, type SupernetOutcome, type SupernetRequest } from './supernet/train-supernet.js';
export { FLYNET_SURROGATE, flynetSurrogate } from './surrogate/flynet-surrogate.js';
export { readCells, rowOf, type CellColumn, type Cells } from './table/cells.js';
export { tableEvaluator, type Dataset } from './table/table-evaluator.js';

/**
 * The evaluator a study asks for by `accuracy.method`.
 *
 * @throws EvaluatorError `commands-not-allowed` for a command or an address unless `allowCommands`; `unsupported` for a surrogate of a space that has none
 */
export function accuracyEvaluator(definition: StudyDefinition, options: { readonly allowCommands?: boolean | undefined } = {}): AccuracyEvaluator {
  const { accuracy } = definition.spec;
  switch (accuracy.method) {
    case 'table':
      return tableEvaluator(accuracy.dataset);
    case 'surrogate':
      return surrogateOf(definition.space.family);
    case 'none':
      return NO_ACCURACY;
    case 'train': {
      const { seed, task } = definition.spec;
      const trained = trainEvaluator(accuracy, seed, task, runsInt8(definition), definition.spec.fidelity?.by);
      return accuracy.prefilter === undefined ? trained : inTurn([prefilterEvaluator(accuracy, accuracy.prefilter, seed, task), trained]);
    }
    case 'supernet':
      return supernetEvaluator(accuracy, definition.space, definition.spec.seed, definition.spec.task, runsInt8(definition));
    case 'proxy':
      return proxyEvaluator(accuracy, definition.spec.seed, definition.spec.task);
    case 'command':
      if (options.allowCommands !== true) refuseCommand('command');
      return commandEvaluator(accuracy, definition.spec.seed);
    case 'http':
      if (options.allowCommands !== true) refuseCommand('http');
      return httpEvaluator(accuracy, definition.spec.seed);
  }
}

const runsInt8 = ({ devices }: StudyDefinition): boolean => devices.some((d) => d.defaultPrecision === 'int8');

/** Asked for nothing, answers nothing. */
const NO_ACCURACY: AccuracyEvaluator = { id: 'none', secondsPerTrial: 0, metrics: [], evaluate: async () => ({}), close: async () => undefined };

function surrogateOf(family: string): AccuracyEvaluator {
  if (family === 'flynet') return flynetSurrogate();
  if (family === 'nas-bench-201') throw new EvaluatorError('unsupported', 'no accuracy surrogate for family "nas-bench-201": every accuracy of it is tabulated; use method "table" or "command"');
  const why = family === 'resnet18-scaling'
    ? 'published accuracies of ResNets vary depth with the block type and hardly ever width and resolution together, too little for an honest fit; use method "command"'
    : 'the published accuracies are of few of its points, too few for an honest fit; use method "train", "proxy" or "command"';
  throw new EvaluatorError('unsupported', `no accuracy surrogate for family "${family}": ${why}`);
}
