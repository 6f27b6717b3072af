import type { Graph } from '@app/graph';
import type { Point } from '@app/space';
import { DecodeError } from './decode-error.js';
import type { Family, Task } from './family.js';
import { autoencoder } from './autoencoder.js';
import { dsCnn } from './ds-cnn.js';
import { fbnet } from './fbnet.js';
import { flynet } from './flynet/flynet.js';
import { mcuNet } from './mcunet.js';
import { mnasNet } from './mnasnet.js';
import { mobileNetV1 } from './mobilenet-v1.js';
import { mobileNetV2 } from './mobilenet-v2.js';
import { mobileNetV3 } from './mobilenet-v3.js';
import { nasBench201 } from './nas-bench-201.js';
import { GraphNetworkBuilder } from './network-builder.js';
import { PointReader, SettingsReader } from './readers.js';
import { resnet8 } from './resnet-8.js';
import { resnet18Scaling } from './resnet18-scaling.js';

/** What decoding needs to know of a search space. */
export interface SpaceLike {
  readonly family: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Every kind of network there is. A new one is one file and one line here. */
export const FAMILIES = {
  flynet,
  'mobilenet-v1': mobileNetV1,
  'mobilenet-v2': mobileNetV2,
  'mobilenet-v3': mobileNetV3,
  mnasnet: mnasNet,
  mcunet: mcuNet,
  fbnet,
  'nas-bench-201': nasBench201,
  'resnet-8': resnet8,
  'resnet18-scaling': resnet18Scaling,
  'ds-cnn': dsCnn,
  autoencoder,
} as const satisfies Readonly<Record<string, Family>>;

export type FamilyName = keyof typeof FAMILIES;
export const FAMILY_NAMES = Object.keys(FAMILIES) as readonly FamilyName[];

export const isFamily = (name: string): name is FamilyName => Object.hasOwn(FAMILIES, name);

/**
 * The network a point stands for: batch 1, nodes in the order they run, output [1, numClasses] (an autoencoder's
 * is [1, features]).
 *
 * @param point  every parameter of the family, no others; with inactive ones absent
 * @throws DecodeError naming the parameter, what came and what was due; family `none` has no networks
 */
export function decode(space: SpaceLike, point: Point, task: Task): Graph {
  const family = familyOf(space);
  checkTask(task);
  return family.decode(new PointReader(point, family.parameters), { task, settings: new SettingsReader(space.settings, family.settings), network: (name, options) => new GraphNetworkBuilder(name, options) });
}

/** @throws DecodeError if no family has that name */
export function familyOf(space: SpaceLike): Family {
  if (!isFamily(space.family)) {
    const due = `one of ${FAMILY_NAMES.join(', ')}${space.family === 'none' ? ' (points of a space of family "none" stand for no network)' : ''}`;
    throw new DecodeError('family', space.family, due);
  }
  return FAMILIES[space.family];
}

/** The point of an architecture code. @throws DecodeError if the family has no codes, or on a code that is none */
export function pointFromArchitecture(family: string, code: string): Point {
  const known: Family | null = isFamily(family) ? FAMILIES[family] : null;
  if (known?.fromCode === undefined) {
    const coded = FAMILY_NAMES.filter((name) => (FAMILIES[name] as Family).fromCode !== undefined);
    throw new DecodeError('family', family, `one whose points have a code: ${coded.join(', ')}`);
  }
  return known.fromCode(code);
}

/** What the family of a space knows of a point's structure, for `createSearchSpace`; undefined where it knows nothing. */
export function familyFeatures(family: string): Family['features'] {
  return isFamily(family) ? (FAMILIES[family] as Family).features : undefined;
}

/** @throws DecodeError naming the entry */
export function checkTask(task: Task): void {
  for (const name of ['numClasses', 'inputChannels'] as const) {
    const value = task[name];
    if (!Number.isSafeInteger(value) || value < 1) throw new DecodeError(`task.${name}`, value, 'an integer of at least 1');
  }
}
