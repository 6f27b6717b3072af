import { dirname, relative } from 'node:path';
import type { Catalog } from '@app/catalog';
import { architectureCode, decode } from '@app/decode';
import type { Graph } from '@app/graph';
import { networkFile } from '@app/measure';
import { Rng } from '@app/numeric';
import { fromOnnx } from '@app/onnx';
import { createSearchSpace, type Point } from '@app/space';
import { InputError, say } from '../output.js';
import { readBytes } from '../read-file.js';
import type { MeasurementRow } from './measurement-file.js';
import { askedTask, namedPoint } from './predict.js';

/** Which networks are measured: files, or points of a space. */
export interface NetworkOptions {
  readonly space?: string;
  readonly point?: string;
  readonly architecture?: string;
  readonly sample?: number;
  readonly seed: number;
  readonly classes?: number;
}

export interface Network {
  readonly name: string;
  readonly model: Uint8Array;
  /** null: we do not know its operators, so it can't be predicted */
  readonly graph: () => Graph | null;
  /** how a row of measurements names it */
  readonly row: (out: string) => Pick<MeasurementRow, 'model' | 'space' | 'architecture' | 'point' | 'classes'>;
}

/** @throws InputError naming the option or file at fault */
export function networksOf(catalog: Catalog, models: readonly string[], options: NetworkOptions): Network[] {
  if ((models.length === 0) === (options.space === undefined)) throw new InputError('expected either MODEL.onnx … or --space NAME with --point, --architecture or --sample');
  if (options.space === undefined) return models.map(fileNetwork);
  if (options.sample === undefined) {
    if (options.architecture === undefined) return [spaceNetwork(catalog, { ...options, space: options.space }, null)];
    return options.architecture.split(',').map((code) => spaceNetwork(catalog, { ...options, space: options.space!, architecture: code.trim() }, code.trim()));
  }
  if (options.point !== undefined || options.architecture !== undefined) throw new InputError('--sample: draws points itself; remove --point and --architecture');
  if (options.sample < 1 || options.sample > 1000) throw new InputError(`--sample: expected 1 to 1000, got ${options.sample}`);
  const { space } = namedPoint(catalog, { space: options.space, point: '{}' });
  const searchSpace = createSearchSpace(space.parameters);
  const rng = Rng.of(options.seed, 'measure', space.name);
  return Array.from({ length: options.sample }, () => {
    const point = searchSpace.decode(searchSpace.fromUnit(Array.from({ length: searchSpace.dimension }, () => rng.next())));
    const code = space.family === 'nas-bench-201' ? architectureCode(point) : null;
    return spaceNetwork(catalog, code === null ? { space: space.name, point: JSON.stringify(point), classes: options.classes } : { space: space.name, architecture: code, classes: options.classes }, code);
  });
}

function fileNetwork(path: string): Network {
  const model = readBytes(path);
  return {
    name: path, model,
    graph: () => {
      try {
        return fromOnnx(model, { unknown: 'refuse' }).graph;
      } catch (error) {
        if (!(error instanceof Error) || (error.name !== 'OnnxError' && error.name !== 'GraphError')) throw error;
        say(`${path}: no prediction: ${error.message}`);
        return null;
      }
    },
    row: (out) => ({ model: relative(dirname(out), path) }),
  };
}

function spaceNetwork(catalog: Catalog, options: { readonly space: string; readonly point?: string; readonly architecture?: string; readonly classes?: number | undefined }, code: string | null): Network {
  const { space, point } = namedPoint(catalog, options);
  const task = askedTask(space, options.classes === undefined ? {} : { classes: options.classes });
  let graph: Graph;
  try {
    graph = decode(space, point, task);
  } catch (error) {
    if (error instanceof Error && error.name === 'DecodeError') throw new InputError(error.message);
    throw error;
  }
  const named: { architecture: string } | { point: Point } = code === null ? { point } : { architecture: code };
  return {
    name: `${space.name} ${code ?? JSON.stringify(point)}`, model: networkFile(graph), graph: () => graph,
    row: () => ({ space: space.name, ...named, classes: task.numClasses }),
  };
}
