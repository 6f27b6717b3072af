import type { DatasetSpec, StudySpec } from '@app/contracts';
import { FAMILY_NAMES, isFamily, type FamilyName } from '@app/decode';

type Accuracy = StudySpec['accuracy'];
export type AccuracyMethod = Accuracy['method'];

/** Methods that find the accuracy of a family's networks by themselves. `command`, `http` and `none` go with any space. */
const METHODS: Readonly<Record<FamilyName, readonly AccuracyMethod[]>> = {
  flynet: ['surrogate', 'train', 'supernet', 'proxy'],
  'mobilenet-v1': ['train', 'proxy'],
  'mobilenet-v2': ['train', 'proxy'],
  'mobilenet-v3': ['train', 'proxy'],
  mnasnet: ['train', 'proxy'],
  mcunet: ['train', 'proxy'],
  fbnet: ['train', 'proxy'],
  'nas-bench-201': ['table', 'train', 'proxy'],
  'resnet-8': ['train', 'proxy'],
  'resnet18-scaling': ['train', 'proxy'],
  'ds-cnn': ['train', 'proxy'],
  // no classifier: labels say nothing of its reconstruction
  autoencoder: [],
};

export const accuracyMethods = (family: string): readonly AccuracyMethod[] => [...(isFamily(family) ? METHODS[family] : []), 'command', 'http', 'none'];

export const familiesWith = (method: AccuracyMethod): string[] => FAMILY_NAMES.filter((f) => METHODS[f].includes(method));

/** What a data set of NAS-Bench-201 asks of the network: classes and side of the image (Dong & Yang 2020, § 2.2). */
export const DATASETS: Readonly<Record<Extract<Accuracy, { method: 'table' }>['dataset'], { readonly numClasses: number; readonly resolution: number }>> = {
  cifar10: { numClasses: 10, resolution: 32 },
  cifar100: { numClasses: 100, resolution: 32 },
  'imagenet16-120': { numClasses: 120, resolution: 16 },
};

/** What training data ask of the network, as far as their format tells. */
export function trainedTask(dataset: DatasetSpec): { readonly numClasses?: number; readonly inputChannels?: number } {
  switch (dataset.format) {
    case 'cifar10':
      return { numClasses: 10, inputChannels: 3 };
    case 'cifar100':
      return { numClasses: 100, inputChannels: 3 };
    case 'synthetic':
      return { numClasses: dataset.classes, inputChannels: dataset.channels };
    case 'image-folder':
    case 'csv':
      return { inputChannels: dataset.channels };
    case 'idx':
    case 'class-json':
    case 'wav':
      return { inputChannels: 1 };
    case 'npz':
      return {};
  }
}
