import type { DatasetSpec, ProxyAccuracy, QuantizeSpec, SupernetAccuracy, TrainAccuracy } from '@app/contracts';
import type { Graph, Weights } from '@app/graph';
import type { Point } from '@app/space';
import type { Compared } from '../supernet/inheritance-error.js';
import type { SupernetQuestion } from '../supernet/supernet-file.js';
import type { Checkpoint } from './checkpoint.js';

/** What a training process is asked for. */
export type Task = TrainTask | ProxyTask | DataTask | SupernetTask | InheritTask | CalibrateTask;

/** Are the data there, and sound? */
export interface DataTask {
  readonly id: number;
  readonly kind: 'data';
  readonly accuracy: { readonly dataset: DatasetSpec };
  readonly task: { readonly numClasses: number; readonly inputChannels: number };
}

export interface ProxyTask {
  readonly id: number;
  readonly kind: 'proxy';
  readonly accuracy: ProxyAccuracy;
  readonly graph: Graph;
  readonly seed: number;
}

/** The supernet of a study, trained as far as it is not. */
export interface SupernetTask {
  readonly id: number;
  readonly kind: 'supernet';
  readonly accuracy: SupernetAccuracy;
  readonly question: SupernetQuestion;
}

/** A candidate's accuracy with the weights of a supernet that is trained. */
export interface InheritTask {
  readonly id: number;
  readonly kind: 'inherit';
  readonly accuracy: SupernetAccuracy;
  readonly question: SupernetQuestion;
  readonly graph: Graph;
  readonly point: Point;
  /** the answer is to have them */
  readonly weights: boolean;
}

/** Ranges and accuracy of a trained network that is quantised after training. */
export interface CalibrateTask {
  readonly id: number;
  readonly kind: 'calibrate';
  readonly accuracy: { readonly dataset: DatasetSpec; readonly batch: number };
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, Weights>;
  readonly quantize: QuantizeSpec;
  readonly seed: number;
}

export interface TrainTask {
  readonly id: number;
  readonly kind: 'train';
  readonly accuracy: TrainAccuracy;
  readonly graph: Graph;
  readonly seed: number;
  /** epochs to train up to, of `accuracy.epochs` */
  readonly until: number;
  readonly from: Checkpoint | null;
  /** of the training images that is trained on */
  readonly share: number;
  /** the answer is to have those at the end */
  readonly weights: boolean;
  /** null: not quantised */
  readonly quantize: QuantizeSpec | null;
}

export type Answer =
  | { readonly id: number; readonly kind: 'epoch'; readonly epoch: number; readonly accuracy: number; readonly loss: number }
  | { readonly id: number; readonly kind: 'trained'; readonly accuracy: number; readonly floatAccuracy: number | null; readonly judgedOn: number; /** training images of each class */ readonly balance: readonly number[]; readonly fingerprint: string; readonly checkpoint: Checkpoint; readonly weights: Uint8Array | null }
  | { readonly id: number; readonly kind: 'supernet' }
  | { readonly id: number; readonly kind: 'inherited'; readonly accuracy: number; readonly floatAccuracy: number | null; readonly judgedOn: number; readonly compared: readonly Compared[]; readonly weights: Uint8Array | null }
  | { readonly id: number; readonly kind: 'calibrated'; readonly accuracy: number; readonly judgedOn: number; readonly weights: ReadonlyMap<string, Weights> }
  | { readonly id: number; readonly kind: 'sound' }
  | { readonly id: number; readonly kind: 'scored'; readonly score: number }
  | { readonly id: number; readonly kind: 'diverged'; readonly epoch: number; readonly step: number; readonly curve: readonly number[] }
  /** reason of the trial's failure; null: a fault of ours */
  | { readonly id: number; readonly kind: 'failed'; readonly reason: string | null; readonly message: string; readonly stack: string | undefined };
