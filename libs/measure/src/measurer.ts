import { createHash } from 'node:crypto';
import { metricDefinition, metricKey, type MetricValue, type Metrics } from '@app/contracts';
import type { DeviceProfile, MeasureSettings } from '@app/cost';
import { initialWeights, type Graph } from '@app/graph';
import { toOnnx } from '@app/onnx';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import { requireMetrics, type Agent } from './agent/agent.js';
import { agentOf } from './agent/open-agent.js';
import { measureOnHost, threadsOf, type HostMeasurement, type HostRunner } from './host/measure-on-host.js';
import { alone, HOST } from './machine-lock.js';

/** What one run of a middling network takes with all around it, s: for planning only. */
const SECONDS_PER_RUN = 0.02;
/** Longer than what a step evaluates itself and than what a broken limit leaves unsought. */
const LEAST_SECONDS = 1.5;
/** Measured networks remembered a study: a network that comes again has the value it had. */
const REMEMBERED = 10_000;

export interface MeasurerOptions {
  /** runs a network on this machine; default: a process of its own */
  readonly runner?: HostRunner | undefined;
  /** default: as the settings say */
  readonly agent?: Agent | undefined;
}

/**
 * Metrics of a device from running the network there. One measurement at a time of one device, over all processes of this machine; a
 * network that was measured before keeps its value, as long as this evaluator lives.
 *
 * @throws RangeError if the device's profile does not say how it is measured
 */
export function measurerOf(device: DeviceProfile, options: MeasurerOptions = {}): AccuracyEvaluator {
  const settings = device.measure;
  if (settings === undefined) throw new RangeError(`device "${device.id}" is not measured: its profile has no "measure"`);
  const known = new Map<string, Metrics>();
  const agent = settings.agent === 'host' ? null : (options.agent ?? agentOf(settings.agent));
  const lock = agent === null ? HOST : `agent ${agent.name}`;
  return {
    id: `measure/${device.id}`,
    secondsPerTrial: Math.max(LEAST_SECONDS, SECONDS_PER_RUN * (settings.warmup + settings.repeats)),
    metrics: settings.metrics.map((name) => metricKey(name, device.id)),
    evaluate: async ({ graph, signal }) => {
      if (graph === null) throw new EvaluatorError('unsupported', 'points of this space stand for no network, so there is nothing to measure');
      const model = networkFile(graph);
      const hash = createHash('sha256').update(model).digest('hex');
      return known.get(hash) ?? (await alone(lock, signal, async () => {
        // whoever held the lock may have measured it
        const before = known.get(hash);
        if (before !== undefined) return before;
        const metrics = agent === null ? hostMetrics(device.id, await measureOnHost(model, settings, signal, options.runner)) : await agentMetrics(device, settings, agent, model, signal);
        if (known.size >= REMEMBERED) known.delete(known.keys().next().value!);
        known.set(hash, metrics);
        return metrics;
      }));
    },
    close: async () => agent?.close(),
  };
}

/** The network with its first weights, as it is measured: what they are worth does not change how long it takes. */
export function networkFile(graph: Graph): Uint8Array {
  return toOnnx(graph, initialWeights(graph, 0));
}

async function agentMetrics(device: DeviceProfile, settings: MeasureSettings, agent: Agent, model: Uint8Array, signal: AbortSignal): Promise<Metrics> {
  const { metrics, warmup, repeats, timeout } = settings;
  const readings = await agent.ask({ device: device.id, model, precision: device.defaultPrecision, metrics, warmup, repeats, timeout }, signal);
  requireMetrics(readings, metrics, `agent ${agent.name}`);
  return Object.fromEntries(metrics.map((name): [string, MetricValue] => {
    const { value, interval, runs } = readings[name]!;
    const source = `measured by agent ${agent.name}${runs === undefined ? '' : `, median of ${runs} runs`}, ${device.defaultPrecision}`;
    return [metricKey(name, device.id), { value, unit: metricDefinition(name)!.unit, provenance: 'measured', source, ...(interval === undefined ? {} : { interval: [...interval] }) }];
  }));
}

/** A measurement on this machine as the metric of a study. */
export function hostMetrics(device: string, measured: HostMeasurement): Record<string, MetricValue> {
  const { latency, settings, machine, runtime, warnings } = measured;
  return {
    [metricKey('latency', device)]: {
      value: latency.median, unit: 's', provenance: 'measured', interval: [latency.low, latency.high],
      source: `median of ${latency.count} runs after ${settings.warmup}, ${threadsOf(settings.threads)} of ${machine.cpu}, ${runtime}, fp32`,
      ...(warnings.length > 0 ? { warnings: [...warnings] } : {}),
    },
  };
}
