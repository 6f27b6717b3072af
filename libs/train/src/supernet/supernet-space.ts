/** Which networks a supernet is made of: the ends of a space, what lies between, and its switches. */
import { decode, type Task } from '@app/decode';
import type { Graph } from '@app/graph';
import { Rng } from '@app/numeric';
import { createSearchSpace, type Parameter, type Point, type Scalar } from '@app/space';
import { EvaluatorError, type SpaceDefinition } from '@app/study';
import { layOut, NoSuchSlice, type SharedWeights } from './shared-weights.js';

export type SupernetSpaceDefinition = Pick<SpaceDefinition, 'family' | 'settings' | 'parameters'>;

export interface SupernetSpace {
  readonly largest: Point;
  readonly smallest: Point;
  /** ascending */
  readonly widths: readonly number[];
  graph(point: Point): Graph;
  /** The networks of an epoch besides the ends, drawn uniformly but for their widths, which take turns. */
  middles(seed: number, epoch: number, count: number): readonly Point[];
  /**
   * Place in `widths` of the batch norms that a network of this width takes: its own if the training of so many epochs had a network of it,
   * else those of the next larger one that did. @throws NoSuchSlice if it is larger than all
   */
  trainedWidth(width: number, seed: number, epochs: number, count: number): number;
  /** @param precisions  switches a width */
  layOut(precisions: number): SharedWeights;
}

/** Genes that make weights longer. Of the others the supernet's ends have the default. */
const GROWING = /^(width|resolution|depth\d+|heads\d+|kernel\d+)$/;

/** @throws EvaluatorError `unsupported` on another family than flynet, or a width without steps */
export function supernetSpace({ family, settings, parameters }: SupernetSpaceDefinition, task: Task): SupernetSpace {
  if (family !== 'flynet') throw new EvaluatorError('unsupported', `accuracy.method "supernet" knows the family flynet; this space is of family "${family}"`);
  const values = new Map(parameters.map((p) => [p.name, valuesOf(p)]));
  const widths = (values.get('width') as number[]).toSorted((a, b) => a - b);
  const end = (pick: (...numbers: number[]) => number): Point => Object.fromEntries(parameters.map((p) => {
    const all = values.get(p.name)!;
    if (GROWING.test(p.name)) return [p.name, pick(...(all as number[]))];
    if (p.name === 'attentionStatistics' && all.includes('mean-variance')) return [p.name, 'mean-variance'];
    return [p.name, p.default !== undefined && all.includes(p.default) ? p.default : all[0]!];
  }));
  const [largest, smallest] = [end(Math.max), end(Math.min)];
  const graph = (point: Point): Graph => decode({ family, settings }, point, task);
  const widthAt = (seed: number, turn: number): number => Rng.of(seed, 'supernet widths', Math.floor(turn / widths.length)).shuffle(widths)[turn % widths.length]!;
  return {
    largest, smallest, widths, graph,
    middles: (seed, epoch, count) => Array.from({ length: count }, (_, i) => {
      const rng = Rng.of(seed, 'supernet switch', epoch, i);
      const drawn = parameters.map(({ name }) => [name, values.get(name)![rng.int(values.get(name)!.length)]!] as const);
      return { ...Object.fromEntries(drawn), width: widthAt(seed, (epoch - 1) * count + i) };
    }),
    trainedWidth: (width, seed, epochs, count) => {
      const trained = new Set([widths[0]!, widths.at(-1)!, ...Array.from({ length: Math.min(epochs * count, widths.length) }, (_, turn) => widthAt(seed, turn))]);
      const at = widths.findIndex((w) => w >= width && trained.has(w));
      if (at < 0) throw new NoSuchSlice(`expected a width up to ${widths.at(-1)}, which is the supernet's, got ${width}`);
      return at;
    },
    layOut: (precisions) => layOut(extremes(largest, values).map((point) => ({ point, graph: graph(point) })), precisions * widths.length),
  };
}

/**
 * Points that together have every layer at its largest. The ends of a range are not enough: whether a layer is there at all, and how
 * many channels a shortcut has to fill in, turns on how widths are rounded and on the depth of the stage before.
 */
function extremes(largest: Point, values: ReadonlyMap<string, readonly Scalar[]>): Point[] {
  const shortcuts: Record<string, Scalar>[] = (['lowResidual', 'highResidual'] as const).flatMap((name) => values.get(name)!.map((value) => ({ [name]: value })));
  const depths = [...values.keys()].filter((name) => name.startsWith('depth'));
  const deepest = Math.max(...depths.map((name) => values.get(name)!.length));
  const levels = Array.from({ length: deepest }, (_, level) => Object.fromEntries(depths.map((name) => {
    const all = values.get(name)!;
    return [name, all[Math.min(level, all.length - 1)]!];
  })));
  return values.get('width')!.flatMap((width) => shortcuts.flatMap((shortcut) => levels.map((depth) => ({ ...largest, width, ...shortcut, ...depth }))));
}

/** In their order. @throws EvaluatorError `unsupported` on a continuous parameter */
function valuesOf({ when: _, ...parameter }: Parameter): readonly Scalar[] {
  const axis = createSearchSpace([parameter]);
  if (!Number.isFinite(axis.cardinality)) throw new EvaluatorError('unsupported', `parameter "${parameter.name}" is continuous; a supernet has one switch a width, so give it a step`);
  return [...axis.enumerate()].map((genes) => axis.decode(genes)[parameter.name]!);
}
