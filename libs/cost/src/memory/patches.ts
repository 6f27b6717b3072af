/**
 * Patch-based execution of the first stages (MCUNetV2, Lin et al., arXiv 2110.15352, § 3.1): the early part of the network runs on one
 * patch of the map after another, so that only pieces of the large early maps are in memory; what neighbouring patches share of the
 * receptive field is computed again in each.
 */
import { isKind, type Graph, type Padding, type Pair } from '@app/graph';
import { planExecution, type ExecutionPlan, type Unit } from '../plan.js';
import { overlayProgram } from './overlay.js';
import { lifetimes, peakOf, type MemoryProgram } from './program.js';

/** Rows and columns of a map, ends not included. */
export interface Region {
  readonly rows: readonly [from: number, to: number];
  readonly columns: readonly [from: number, to: number];
}

export interface PatchSchedule {
  /** unit whose output the patches make up; the network runs as usual from there */
  readonly stage: string;
  /** rows and columns of patches */
  readonly grid: Pair;
  /** B, largest working set of the whole network */
  readonly peak: number;
  /** B, the same without patches */
  readonly before: number;
  /** MACs computed more than once, over the network's MACs */
  readonly recomputed: number;
}

export interface PatchOptions {
  /** B of an activation */
  readonly bytesPerElement: number;
  /** patches along each side that are tried, from 2; default 6 */
  readonly maxSide?: number;
  /** the input lies in memory until the last patch has read it; false: it comes in pieces; default true */
  readonly inputResident?: boolean;
}

/**
 * Every schedule that lowers the peak: each stage that can be cut into patches, with n × n of them.
 *
 * A stage ends where one map is all that the rest of the network reads. It can be cut if what is before works on neighbourhoods:
 * convolutions, pools, element-wise operators of equal maps, concatenation of channels. The patch's own map is written to its place.
 *
 * @throws GraphError if the graph breaks a rule
 */
export function patchSchedules(graph: Graph, options: PatchOptions): PatchSchedule[] {
  const plan = planExecution(graph);
  const { bytesPerElement, maxSide = 6 } = options;
  const rules = { bytesPerElement, depthwiseInPlace: false };
  const before = peakOf(lifetimes(overlayProgram(plan, rules)).buffers);
  const macs = plan.units.reduce((sum, u) => sum + u.macs, 0);
  const schedules: PatchSchedule[] = [];
  for (const end of stageEnds(plan)) {
    const head = plan.units.slice(0, end + 1);
    const stage = head.at(-1)!;
    const [, , height = 1, width = 1] = stage.outputShape;
    const rest = peakOf(lifetimes(restProgram(plan, end, bytesPerElement)).buffers);
    if (rest >= before) continue;
    for (let side = 2; side <= maxSide && side <= Math.min(height, width); side++) {
      const patches = gridOf(height, width, side).map((region) => patchCost(head, region, bytesPerElement));
      const resident = (options.inputResident === false ? 0 : head[0]!.outputElements) + stage.outputElements;
      const inPatches = resident * bytesPerElement + patches.reduce((most, p) => Math.max(most, p.live), 0);
      const again = patches.reduce((sum, p) => sum + p.macs, 0) - head.reduce((sum, u) => sum + u.macs, 0);
      const peak = Math.max(inPatches, rest);
      if (peak < before) schedules.push({ stage: stage.id, grid: [side, side], peak, before, recomputed: macs === 0 ? 0 : again / macs });
    }
  }
  return schedules;
}

/** Least memory with at most that share of MACs computed again, of equal ones the least computed again; null: no patches help. */
export function bestPatchSchedule(graph: Graph, options: PatchOptions & { readonly maxRecomputed?: number }): PatchSchedule | null {
  const allowed = patchSchedules(graph, options).filter((s) => s.recomputed <= (options.maxRecomputed ?? Infinity));
  return allowed.reduce<PatchSchedule | null>((best, s) => (best === null || s.peak < best.peak || (s.peak === best.peak && s.recomputed < best.recomputed) ? s : best), null);
}

/** Indices of units at which a stage may end. */
function stageEnds(plan: ExecutionPlan): number[] {
  const { units } = plan;
  if (units[0]?.node.kind !== 'input' || units[0].outputShape.length !== 4) return [];
  const at = new Map(units.map((u, k) => [u.id, k]));
  const lastReader = units.map(() => -1);
  units.forEach((u, k) => u.inputs.forEach((id) => (lastReader[at.get(id)!] = k)));
  const ends: number[] = [];
  let reaches = -1;
  for (let k = 0; k < units.length - 1; k++) {
    const unit = units[k]!;
    if (plan.outputs.has(unit.id) || (k > 0 && !isLocal(unit, units, at))) return ends;
    if (k > 0 && reaches <= k && !unit.view) ends.push(k);
    reaches = Math.max(reaches, lastReader[k]!);
  }
  return ends;
}

/** Each pixel of the output depends on a neighbourhood of pixels of the inputs only. */
function isLocal({ node, inputs, outputShape }: Unit, units: readonly Unit[], at: ReadonlyMap<string, number>): boolean {
  const sameMap = inputs.every((id) => {
    const shape = units[at.get(id)!]!.outputShape;
    return shape.length === 4 && shape[2] === outputShape[2] && shape[3] === outputShape[3];
  });
  if (outputShape.length !== 4) return false;
  switch (node.kind) {
    case 'conv2d': case 'maxPool': case 'avgPool': return true;
    case 'activation': case 'batchNorm': case 'add': case 'sub': case 'mul': case 'maximum': case 'padChannels': case 'headReduce': case 'identity': case 'quantizationNoise':
      return inputs.length > 0 && sameMap;
    case 'concat': case 'slice':
      return sameMap && (isKind(node, 'concat') || isKind(node, 'slice')) && node.attrs.axis === 1;
    default: return false;
  }
}

function gridOf(height: number, width: number, side: number): Region[] {
  const cuts = (size: number): (readonly [number, number])[] => Array.from({ length: side }, (_, i) => [Math.floor((i * size) / side), Math.floor(((i + 1) * size) / side)] as const);
  return cuts(height).flatMap((rows) => cuts(width).map((columns) => ({ rows, columns })));
}

/** The units behind the stage, with its map as their input. */
function restProgram(plan: ExecutionPlan, end: number, bytesPerElement: number): MemoryProgram {
  const stage = plan.units[end]!;
  const source: Unit = { ...stage, node: { id: stage.id, kind: 'input', inputs: [], attrs: { shape: stage.outputShape } }, inputs: [] };
  return overlayProgram({ ...plan, units: [source, ...plan.units.slice(end + 1)] }, { bytesPerElement, depthwiseInPlace: false });
}

/** What each unit of a stage, the input among them, has to hold for a region of the last one's output. */
export function regionsFor(head: readonly Unit[], region: Region): ReadonlyMap<string, Region> {
  const byId = new Map(head.map((u) => [u.id, u]));
  const needed = new Map<string, Region>([[head.at(-1)!.id, region]]);
  for (let k = head.length - 1; k >= 0; k--) {
    const unit = head[k]!;
    const own = needed.get(unit.id);
    if (own === undefined) continue;
    for (const id of unit.inputs) needed.set(id, join(needed.get(id), inputRegion(unit, own, byId.get(id)!.outputShape)));
  }
  return needed;
}

function inputRegion({ node }: Unit, { rows, columns }: Region, shape: readonly number[]): Region {
  if (!isKind(node, 'conv2d') && !isKind(node, 'maxPool') && !isKind(node, 'avgPool')) return { rows, columns };
  const { kernel, stride, padding } = node.attrs;
  const dilation: Pair = isKind(node, 'conv2d') ? node.attrs.dilation : [1, 1];
  const along = (axis: 0 | 1, [from, to]: readonly [number, number]): readonly [number, number] => [
    Math.max(0, from * stride[axis] - (padding as Padding)[axis]),
    Math.min(shape[axis + 2]!, (to - 1) * stride[axis] - (padding as Padding)[axis] + dilation[axis] * (kernel[axis] - 1) + 1),
  ];
  return { rows: along(0, rows), columns: along(1, columns) };
}

function join(a: Region | undefined, b: Region): Region {
  if (a === undefined) return b;
  const span = (x: readonly [number, number], y: readonly [number, number]): readonly [number, number] => [Math.min(x[0], y[0]), Math.max(x[1], y[1])];
  return { rows: span(a.rows, b.rows), columns: span(a.columns, b.columns) };
}

/** MACs of one patch, and B of what lies in memory besides the input and the stage's map. */
function patchCost(head: readonly Unit[], region: Region, bytesPerElement: number): { macs: number; live: number } {
  const regions = regionsFor(head, region);
  const areaOf = ({ rows, columns }: Region): number => Math.max(0, rows[1] - rows[0]) * Math.max(0, columns[1] - columns[0]);
  const last = head.length - 1;
  let macs = 0;
  const pieces = head.map((unit, k): Unit => {
    const own = regions.get(unit.id);
    const [, , height = 1, width = 1] = unit.outputShape;
    const area = own === undefined ? 0 : areaOf(own);
    macs += (unit.macs * area) / (height * width);
    // the input and the stage's map are counted whole
    const elements = k === 0 || k === last ? 0 : (unit.outputElements * area) / (height * width);
    return { ...unit, outputElements: elements };
  });
  const program = overlayProgram({ units: pieces, outputs: new Set([head[last]!.id]), dependsOnInput: true }, { bytesPerElement, depthwiseInPlace: false });
  return { macs, live: peakOf(lifetimes(program).buffers) };
}
