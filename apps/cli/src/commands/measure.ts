import { createHash } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog } from '@app/catalog';
import { MEASURABLE, measureSchema, metricDefinition, type AgentSpec, type MeasureSpec } from '@app/contracts';
import { priceNetwork, type DeviceProfile, type Precision } from '@app/cost';
import type { Graph } from '@app/graph';
import { agentOf, alone, HOST, measureOnHost, requireMetrics, type Agent, type HostMeasurement, type Readings } from '@app/measure';
import { EvaluatorError } from '@app/study';
import { InputError, print, printJson, Progress, quantity, say, table, wantsJson } from '../output.js';
import { networksOf, type Network, type NetworkOptions } from './measure-networks.js';
import type { MeasurementRow } from './measurement-file.js';
import { namedDevice } from './predict.js';
import { wholeNumber } from './search.js';

interface Options extends NetworkOptions {
  readonly device?: string;
  readonly agent?: string;
  readonly metrics: string;
  readonly precision: string;
  readonly warmup: number;
  readonly repeats: number;
  readonly threads: number;
  readonly timeout: number;
  readonly out?: string;
}

export function measureCommand(program: Command): void {
  program
    .command('measure [models...]')
    .description('run networks here in onnxruntime, or on a device by an agent, and time them')
    .option('--space <name>', 'a space of `caddis spaces`, with --point, --architecture or --sample')
    .option('--point <json>', 'a point of the space, as JSON; parameters left out are at their default')
    .option('--architecture <codes>', 'architecture codes of the space, separated by commas')
    .option('--sample <n>', 'so many points of the space, drawn at random', wholeNumber('--sample'))
    .option('--seed <n>', 'of --sample', wholeNumber('--seed'), 0)
    .option('--classes <n>', 'classes of the task, with --space; default: the usual ones of the space', wholeNumber('--classes'))
    .option('--device <ids>', 'devices whose prediction stands beside the measurement')
    .option('--agent <what>', 'address (http://…) or command line that measures, instead of this machine')
    .option('--metrics <names>', `with --agent: ${MEASURABLE.join(', ')}`, 'latency')
    .option('--precision <p>', 'with --agent: what the device runs the network in', 'fp32')
    .option('--threads <n>', 'threads an operator may use', wholeNumber('--threads'), 1)
    .option('--warmup <n>', 'runs before those that count', wholeNumber('--warmup'), 10)
    .option('--repeats <n>', 'runs that count, at least', wholeNumber('--repeats'), 50)
    .option('--timeout <s>', 'seconds one network may take', wholeNumber('--timeout'), 120)
    .option('--out <rows>', 'add a line for each network to ROWS.jsonl, which `caddis calibrate --measurements` reads')
    .action(async (models: string[], options: Options, command: Command) => {
      const catalog = loadCatalog();
      const settings = settingsOf(options);
      const networks = networksOf(catalog, models, options);
      const devices = (options.device ?? '').split(',').filter((id) => id.trim() !== '').map((id) => namedDevice(catalog, id.trim()));
      if (options.out !== undefined && !options.out.endsWith('.jsonl')) throw new InputError(`--out: expected a name that ends in .jsonl, got "${options.out}"`);
      if (options.out !== undefined && !existsSync(dirname(options.out))) throw new InputError(`--out: no folder "${dirname(options.out)}"`);
      const agent = settings.agent === 'host' ? null : agentOf(settings.agent);
      const progress = new Progress('measuring', wantsJson(command) && !process.stderr.isTTY);
      const abort = new AbortController();
      const interrupt = (): void => abort.abort(new InputError('stopped'));
      process.once('SIGINT', interrupt);
      process.once('SIGTERM', interrupt);
      const measured: Measured[] = [];
      try {
        for (const [i, network] of networks.entries()) {
          progress.update(i / networks.length, network.name);
          const one = await measureOne(network, settings, agent, options.precision, devices, abort.signal);
          measured.push(one);
          if (options.out !== undefined) appendFileSync(options.out, `${JSON.stringify(rowOf(network, one, settings, options))}\n`);
        }
      } finally {
        progress.done();
        process.off('SIGINT', interrupt);
        process.off('SIGTERM', interrupt);
        await agent?.close();
      }
      report(measured, settings, agent, options, wantsJson(command));
    });
}

interface Prediction {
  readonly device: string;
  readonly precision: Precision;
  /** s */
  readonly latency: { readonly value: number; readonly interval: readonly [number, number] };
  /** predicted / measured − 1 */
  readonly error: number;
  readonly insideInterval: boolean;
}

interface Measured {
  readonly name: string;
  readonly readings: Readings;
  readonly host: HostMeasurement | null;
  readonly predictions: readonly Prediction[];
}

function settingsOf(options: Options): MeasureSpec {
  const checked = measureSchema.safeParse({
    agent: agentSpec(options.agent), metrics: options.metrics.split(',').map((m) => m.trim()), warmup: options.warmup, repeats: options.repeats, threads: options.threads, timeout: options.timeout,
  });
  if (!checked.success) throw new InputError(checked.error.issues.map((issue) => `--${String(issue.path[0])}: ${issue.message}`).join('\n'));
  if (!['fp32', 'fp16', 'int8'].includes(options.precision)) throw new InputError(`--precision: expected fp32, fp16 or int8, got "${options.precision}"`);
  if (checked.data.agent === 'host' && options.precision !== 'fp32') throw new InputError(`--precision: this machine runs a model as it is; expected fp32, got "${options.precision}"`);
  return checked.data;
}

/** An address, or a command line cut at blanks; a JSON list of words for arguments that have blanks of their own. */
function agentSpec(text: string | undefined): AgentSpec {
  if (text === undefined) return 'host';
  if (/^https?:/.test(text)) return { url: text };
  if (!text.startsWith('[')) return { command: text.split(/\s+/).filter((word) => word !== '') };
  try {
    return { command: JSON.parse(text) as string[] };
  } catch (error) {
    throw new InputError(`--agent: not JSON (${(error as Error).message})`);
  }
}

async function measureOne(network: Network, settings: MeasureSpec, agent: Agent | null, precision: string, devices: readonly DeviceProfile[], signal: AbortSignal): Promise<Measured> {
  let readings: Readings;
  let host: HostMeasurement | null = null;
  try {
    if (agent === null) {
      host = await alone(HOST, signal, () => measureOnHost(network.model, settings, signal));
      readings = { latency: { value: host.latency.median, interval: [host.latency.low, host.latency.high], runs: host.latency.count } };
    } else {
      const { metrics, warmup, repeats, timeout } = settings;
      readings = await alone(`agent ${agent.name}`, signal, () => agent.ask({ device: 'caddis-measure', model: network.model, precision, metrics, warmup, repeats, timeout }, signal));
      requireMetrics(readings, metrics, `agent ${agent.name}`);
    }
  } catch (error) {
    if (!(error instanceof EvaluatorError)) throw error;
    const message = `${network.name}: ${error.reason}: ${error.message}`;
    throw error.reason === 'unsupported' ? new InputError(message) : new Error(message);
  }
  const graph = devices.length === 0 ? null : network.graph();
  const predictions = graph === null || readings.latency === undefined ? [] : devices.map((d) => predict(graph, d, readings.latency!.value));
  return { name: network.name, readings, host, predictions };
}

function predict(graph: Graph, device: DeviceProfile, measured: number): Prediction {
  const { latency, precision } = priceNetwork(graph, device);
  return { device: device.id, precision, latency: { value: latency.value, interval: [latency.low, latency.high] }, error: latency.value / measured - 1, insideInterval: latency.low <= measured && measured <= latency.high };
}

/** A line of the file that `caddis calibrate` reads; `measured` says how it was had. */
function rowOf(network: Network, { readings, host }: Measured, settings: MeasureSpec, options: Options): MeasurementRow {
  const { latency, energy } = readings;
  if (latency === undefined) throw new InputError('--out: a row needs a latency; name it among --metrics');
  return {
    ...network.row(options.out!),
    precision: options.precision as Precision, ...(host === null ? {} : { runtime: 'onnx-runtime' }), date: new Date().toISOString().slice(0, 10),
    latency: { value: latency.value, unit: 's' }, ...(energy === undefined ? {} : { energy: { value: energy.value, unit: 'J' } }),
    measured: {
      warmup: settings.warmup, repeats: latency.runs ?? settings.repeats, ...(latency.interval === undefined ? {} : { interval: latency.interval }),
      sha256: createHash('sha256').update(network.model).digest('hex'),
      ...(host === null ? { agent: options.agent } : { threads: settings.threads, mad: host.latency.mad, runtime: host.runtime, machine: host.machine, warnings: host.warnings }),
    },
  };
}

function report(measured: readonly Measured[], settings: MeasureSpec, agent: Agent | null, options: Options, json: boolean): void {
  const first = measured[0]!.host;
  if (json) {
    printJson({
      agent: agent === null ? 'host' : agent.name, precision: options.precision, settings: { warmup: settings.warmup, repeats: settings.repeats, ...(agent === null ? { threads: settings.threads } : {}) },
      machine: first?.machine ?? null, runtime: first?.runtime ?? null,
      measurements: measured.map(({ name, readings, host, predictions }) => ({
        network: name, ...Object.fromEntries(Object.entries(readings).map(([metric, reading]) => [metric, { ...reading, unit: metricDefinition(metric)!.unit, ...(host === null ? {} : host.latency) }])),
        ...(host === null ? {} : { inputs: host.inputs, warnings: host.warnings }), predictions,
      })),
      out: options.out ?? null,
    });
    return;
  }
  const short = (name: string): string => (name.length > 48 ? `${name.slice(0, 47)}…` : name);
  print(first === null ? `measured by agent ${agent!.name}\n` : `${first.machine.cpu}, ${settings.threads} of ${first.machine.cores} cores, ${first.runtime}\n`);
  print(table(['network', 'latency (median)', '90 % of runs', 'runs', ...(measured.some((m) => m.readings.energy) ? ['energy'] : [])], measured.map(({ name, readings: { latency, energy } }) => [
    short(name), latency === undefined ? '—' : quantity(latency.value, 's'), latency?.interval === undefined ? '' : `${quantity(latency.interval[0], 's')} – ${quantity(latency.interval[1], 's')}`,
    latency?.runs === undefined ? '' : String(latency.runs), ...(measured.some((m) => m.readings.energy) ? [energy === undefined ? '' : quantity(energy.value, 'J')] : []),
  ])));
  const predicted = measured.flatMap(({ name, readings, predictions }) => predictions.map((p) => [
    short(name), p.device, p.precision, quantity(p.latency.value, 's'), `${quantity(p.latency.interval[0], 's')} – ${quantity(p.latency.interval[1], 's')}`, quantity(readings.latency!.value, 's'), `${p.error >= 0 ? '+' : ''}${(100 * p.error).toFixed(1)} %`, p.insideInterval ? 'yes' : 'no',
  ]));
  if (predicted.length > 0) print(`\n${table(['network', 'profile', 'precision', 'predicted', '90 % interval', 'measured', 'off by', 'inside'], predicted)}`);
  for (const { name, host } of measured) for (const warning of host?.warnings ?? []) say(`${short(name)}: ${warning}`);
  if (options.out !== undefined) say(`${measured.length} row${measured.length === 1 ? '' : 's'} added to ${options.out}`);
}
