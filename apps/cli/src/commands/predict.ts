import type { Command } from 'commander';
import { completePoint, loadCatalog, usualTask, type Catalog } from '@app/catalog';
import { bestPatchSchedule, fits, memorySchedule, priceNetwork, priceWithWeightBits, type DeviceProfile, type MemorySchedule, type NetworkCost, type PatchSchedule, type Precision } from '@app/cost';
import { decode, pointFromArchitecture } from '@app/decode';
import { pruneDeadChannels, totals, type Graph } from '@app/graph';
import { fromOnnx } from '@app/onnx';
import { createSearchSpace, SpaceError, type Point } from '@app/space';
import { deviceMetrics } from '@app/study';
import { InputError, inputError, print, printJson, quantity, say, table, wantsJson } from '../output.js';
import { readBytes } from '../read-file.js';
import { wholeNumber } from './search.js';

interface Options {
  readonly device: string;
  readonly precision?: string;
  readonly weightBits?: number;
  readonly space?: string;
  readonly point?: string;
  readonly architecture?: string;
  readonly classes?: number;
  readonly channels?: number;
  readonly unknown: string;
  readonly deadChannels: string;
  readonly layers?: true;
  readonly reorder?: true;
}

const PRECISIONS = ['fp32', 'fp16', 'int8'] as const;

export function predictCommand(program: Command): void {
  program
    .command('predict [model]')
    .description('price an ONNX model, or a point of a space, on devices')
    .requiredOption('--device <ids>', 'device ids, separated by commas')
    .option('--precision <p>', `one of ${PRECISIONS.join(', ')}; default: the device's`)
    .option('--weight-bits <n>', 'weights in 1 to 8 bits, the rest in int8: packed and unpacked where the device can, else as int8', wholeNumber('--weight-bits'))
    .option('--space <name>', 'a space of `caddis spaces`, with --point or --architecture')
    .option('--point <json>', 'a point of the space, as JSON; parameters left out are at their default')
    .option('--architecture <code>', 'architecture code of the space, such as 000000 of nas-bench-201')
    .option('--classes <n>', 'classes of the task, with --space; default: the usual ones of the space', wholeNumber('--classes'))
    .option('--channels <n>', 'channels of the input, with --space; default: the usual ones of the space', wholeNumber('--channels'))
    .option('--unknown <how>', 'operators we do not know: refuse, or fallback (priced as element-wise)', 'refuse')
    .option('--dead-channels <how>', 'channels of a model that are the same for every input: keep, as most runtimes do, or remove', 'keep')
    .option('--layers', 'the price of every layer')
    .option('--reorder', 'what activations would take in the best order of execution, and with the first stages run in patches')
    .action((model: string | undefined, options: Options, command: Command) => {
      const catalog = loadCatalog();
      const devices = options.device.split(',').map((id) => namedDevice(catalog, id.trim()));
      const precision = precisionOf(options.precision);
      const { graph, name, unknown, notes } = network(catalog, model, options);
      if (unknown.length > 0) say(`not known, priced as element-wise: ${unknown.join(', ')}`);
      for (const note of notes) say(`note: ${note}`);
      const costs = devices.map((d) => price(graph, d, precision, options.weightBits));
      const schedules = options.reorder ? devices.map((d) => scheduled(graph, d, precision)) : null;
      const { macs, params } = totals(graph);
      if (wantsJson(command)) {
        printJson({
          model: name, macs, params, unknownOperators: unknown, notes,
          devices: costs.map(({ cost, exceeds }, i) => ({ device: cost.device, precision: cost.precision, metrics: deviceMetrics(cost), exceeds, ...(options.layers ? { layers: cost.layers } : {}), ...(schedules === null ? {} : schedules[i]) })),
        });
        return;
      }
      print(`${name}: ${quantity(macs, '1')} MACs, ${quantity(params, '1')} parameters\n`);
      print(table(['device', 'precision', 'latency', '90 % interval', 'energy', 'peak RAM', 'flash', 'fits'], costs.map(({ cost, exceeds }) => [
        cost.device, cost.precision, quantity(cost.latency.value, 's'), `${quantity(cost.latency.low, 's')} – ${quantity(cost.latency.high, 's')}`, quantity(cost.energy.value, 'J'), quantity(cost.peakRam.value, 'B'), quantity(cost.flash.value, 'B'),
        exceeds.length === 0 ? 'yes' : `no: ${exceeds.join(', ')}`,
      ])));
      if (schedules !== null) print(`\n${scheduleTable(devices, schedules)}`);
      for (const warning of new Set(costs.flatMap(({ cost }) => cost.latency.warnings))) say(`note: ${warning}`);
      if (options.layers) for (const { cost } of costs) print(`\n${cost.device}\n${layerTable(cost)}`);
      print('\nAll values are estimates.');
    });
}

function layerTable(cost: NetworkCost): string {
  return table(['layer', 'op', 'MACs', 'parameters', 'latency', 'energy', 'live RAM', 'bound by'], cost.layers.map((l) => [l.node, l.kind, quantity(l.macs, '1'), quantity(l.params, '1'), quantity(l.latency, 's'), quantity(l.energy, 'J'), quantity(l.liveBytes, 'B'), l.bound]));
}

interface Scheduled {
  readonly schedule: MemorySchedule;
  readonly patches: PatchSchedule | null;
}

/** At most a tenth of the MACs may be computed twice. */
const RECOMPUTED = 0.1;

function scheduled(graph: Graph, device: DeviceProfile, precision: Precision | undefined): Scheduled {
  const bytesPerElement = { fp32: 4, fp16: 2, int8: 1 }[precision ?? device.defaultPrecision];
  return { schedule: memorySchedule(graph, device, precision), patches: bestPatchSchedule(graph, { bytesPerElement, maxRecomputed: RECOMPUTED }) };
}

function scheduleTable(devices: readonly DeviceProfile[], all: readonly Scheduled[]): string {
  return table(['device', 'activations', 'best order', 'saved', 'proof', 'better planner', 'first stages in patches'], all.map(({ schedule: s, patches: p }, i) => [
    devices[i]!.id, quantity(s.activations, 'B'), quantity(s.reordered, 'B'), s.activations === 0 ? '0 %' : `${(100 * (1 - s.reordered / s.activations)).toFixed(1)} %`,
    s.optimal ? 'smallest working set' : `no order needs less than ${quantity(s.lowerBound, 'B')}`, quantity(s.planned, 'B'),
    p === null ? 'no gain' : `${quantity(p.peak, 'B')}, ${p.grid.join('×')} to ${p.stage}, ${(100 * p.recomputed).toFixed(1)} % of MACs again`,
  ]));
}

function price(graph: Graph, device: DeviceProfile, precision: Precision | undefined, weightBits: number | undefined): { cost: NetworkCost; exceeds: readonly string[] } {
  if (weightBits !== undefined && weightBits > 8) throw new InputError(`--weight-bits: expected 1 to 8, got ${weightBits}`);
  if (weightBits !== undefined && precision !== undefined && precision !== 'int8') throw new InputError(`--weight-bits: goes with int8, got --precision ${precision}`);
  const asked = precision ?? (weightBits === undefined ? device.defaultPrecision : 'int8');
  if (!device.precisions[asked]) throw new InputError(`--precision: ${device.id} has ${Object.keys(device.precisions).join(', ')}; got "${asked}"`);
  const cost = weightBits === undefined ? priceNetwork(graph, device, asked) : priceWithWeightBits(graph, device, weightBits);
  return { cost, exceeds: fits(cost, device).map((e) => e.memory) };
}

export function namedDevice(catalog: Catalog, id: string): DeviceProfile {
  const device = catalog.devices().find((d) => d.id === id);
  if (!device) throw new InputError(`--device: no device "${id}"; there are ${catalog.devices().map((d) => d.id).join(', ')}`);
  return device;
}

function precisionOf(text: string | undefined): Precision | undefined {
  if (text === undefined) return undefined;
  const found = PRECISIONS.find((p) => p === text);
  if (!found) throw new InputError(`--precision: expected one of ${PRECISIONS.join(', ')}, got "${text}"`);
  return found;
}

interface Network {
  readonly graph: Graph;
  readonly name: string;
  readonly unknown: readonly string[];
  /** what of a model does no work */
  readonly notes: readonly string[];
}

function network(catalog: Catalog, model: string | undefined, options: Options): Network {
  if ((model === undefined) === (options.space === undefined)) throw new InputError('expected either a MODEL.onnx or --space NAME with --point or --architecture');
  if (model !== undefined) return modelNetwork(model, options);
  const { space, point } = namedPoint(catalog, options);
  try {
    return { graph: decode(space, point, askedTask(space, options)), name: `${space.name} ${JSON.stringify(point)}`, unknown: [], notes: [] };
  } catch (error) {
    if (error instanceof Error && error.name === 'DecodeError') throw new InputError(error.message);
    throw error;
  }
}

function modelNetwork(model: string, options: Options): Network {
  if (options.unknown !== 'refuse' && options.unknown !== 'fallback') throw new InputError(`--unknown: expected refuse or fallback, got "${options.unknown}"`);
  if (options.deadChannels !== 'keep' && options.deadChannels !== 'remove') throw new InputError(`--dead-channels: expected keep or remove, got "${options.deadChannels}"`);
  try {
    const { graph, weights, unknown, unreachable } = fromOnnx(readBytes(model), { unknown: options.unknown });
    const alive = pruneDeadChannels(graph, weights);
    const notes: string[] = [];
    if (unreachable.length > 0) notes.push(`left out, since no output depends on it: ${named(unreachable)}`);
    if (alive.removed.length > 0) {
      const how = options.deadChannels === 'keep' ? 'kept in the price; --dead-channels remove prices what is left' : 'removed';
      notes.push(`${alive.removed.reduce((sum, r) => sum + r.dead, 0)} output channels of layers are the same for every input (${how}: ${quantity(totals(alive.graph).macs, '1')} of ${quantity(totals(graph).macs, '1')} MACs): ${named(alive.removed.map((r) => `${r.dead}/${r.of} of ${r.node}`))}`);
    }
    return { graph: options.deadChannels === 'keep' ? graph : alive.graph, name: model, unknown: unknown.map((u) => `${u.opType} (${u.name})`), notes };
  } catch (error) {
    if (error instanceof Error && (error.name === 'OnnxError' || error.name === 'GraphError')) throw new InputError(`${model}: ${error.message}`);
    throw error;
  }
}

const NAMED = 8;
const named = (names: readonly string[]): string => `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? `, and ${names.length - NAMED} more` : ''}`;

/** The task of --classes and --channels; what is not given is usual for the space. */
export function askedTask(space: ReturnType<Catalog['space']>, { classes, channels }: { readonly classes?: number; readonly channels?: number }): { numClasses: number; inputChannels: number } {
  const usual = usualTask(space);
  return { numClasses: classes ?? usual.numClasses, inputChannels: channels ?? usual.inputChannels };
}

/** The point that --space with --point or --architecture names. @throws InputError */
export function namedPoint(catalog: Catalog, options: { readonly space?: string; readonly point?: string; readonly architecture?: string }): { space: ReturnType<Catalog['space']>; point: Point } {
  const known = catalog.spaces().map((s) => s.name);
  if (!known.includes(options.space!)) throw new InputError(`--space: no space "${options.space}"; there are ${known.join(', ')}`);
  const space = catalog.space(options.space!);
  if ((options.point === undefined) === (options.architecture === undefined)) throw new InputError('--space needs either --point JSON or --architecture CODE');
  if (options.architecture !== undefined) {
    try {
      return { space, point: pointFromArchitecture(space.family, options.architecture) };
    } catch (error) {
      throw new InputError(`--architecture: ${(error as Error).message}`);
    }
  }
  let json: unknown;
  try {
    json = JSON.parse(options.point!);
  } catch (error) {
    throw new InputError(`--point: not JSON (${(error as Error).message})`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new InputError(`--point: expected an object of parameters, got ${options.point}`);
  const searchSpace = createSearchSpace(space.parameters);
  const given = json as Point;
  const unknown = Object.keys(given).filter((k) => !space.parameters.some((p) => p.name === k));
  if (unknown.length > 0) throw new InputError(`--point: ${unknown.join(', ')} not in ${space.name}; its parameters are ${space.parameters.map((p) => p.name).join(', ')}`);
  try {
    return { space, point: searchSpace.decode(searchSpace.encode(completePoint(space.parameters, given))) };
  } catch (error) {
    if (error instanceof SpaceError) throw inputError('--point', error.issues.map((i) => ({ pointer: i.path, message: i.message })));
    throw error;
  }
}
