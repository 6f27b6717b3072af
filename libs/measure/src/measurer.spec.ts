import { describe, expect, it } from 'vitest';
import { studySpec, type StudySpecInput } from '@app/contracts';
import type { DeviceProfile, MeasureSettings } from '@app/cost';
import { graphBuilder, type Graph } from '@app/graph';
import { EvaluatorError, type AccuracyRequest, type StudyDefinition } from '@app/study';
import type { Agent, AgentRequest } from './agent/agent.js';
import { measureOnHost, type HostRunner } from './host/measure-on-host.js';
import type { HostTask } from './host/protocol.js';
import { measurerOf } from './measurer.js';
import { studyEvaluator } from './study-evaluator.js';

function network(outChannels: number): Graph {
  const b = graphBuilder('small');
  b.output(b.linear(b.flatten(b.globalAvgPool(b.conv2d(b.input([1, 3, 8, 8]), { outChannels, kernel: 3 }))), 5));
  return b.build();
}

const figure = (value: number) => ({ value, unit: '1', source: 'test' });
const device = (measure: MeasureSettings | undefined, id = 'board'): DeviceProfile => ({
  id, title: id, class: 'mcu', defaultPrecision: 'fp32', precisions: { fp32: { peakMacs: figure(1e9), utilisation: figure(1), energyPerMac: figure(1e-12) } },
  memory: { ram: figure(1e6), flash: null, bandwidth: figure(1e9), energyPerByte: figure(1e-12), weightEnergyPerByte: figure(1e-12) },
  operatorOverhead: figure(0), staticPower: figure(0), activePower: null, operatorFactors: {}, runtime: { name: 'none', flash: figure(0), ram: figure(0) },
  uncertainty: { latency: figure(1), energy: figure(1), memory: figure(1) }, measure,
});
const HOST: MeasureSettings = { agent: 'host', metrics: ['latency'], warmup: 3, repeats: 20, threads: 2, timeout: 5 };
const AGENT: MeasureSettings = { ...HOST, agent: { command: ['none'] }, metrics: ['latency', 'energy'] };

const request = (graph: Graph | null, signal = new AbortController().signal): AccuracyRequest => ({ space: { name: '', title: '', description: '', family: 'none', parameters: [], settings: {}, sources: [] }, point: {}, graph, task: { numClasses: 5, inputChannels: 3 }, signal });

/** Every run takes 2 ms; keeps what it was asked and how many ran at once. */
function fakeRunner(change: { times?: number[]; interrupted?: boolean[]; processor?: number[] } = {}) {
  const seen = { tasks: [] as HostTask[], running: 0, most: 0 };
  const run: HostRunner = async (task) => {
    seen.tasks.push(task);
    seen.most = Math.max(seen.most, ++seen.running);
    await new Promise((resolve) => setTimeout(resolve, 10));
    seen.running--;
    const times = change.times ?? Array.from({ length: task.repeats }, (_, i) => 2e-3 + 1e-6 * (i % 3));
    return { kind: 'measured', times, interrupted: change.interrupted ?? times.map(() => false), processor: change.processor ?? times, runtime: 'fake 1', inputs: [] };
  };
  return { run, seen };
}

describe('a metric measured on this machine', () => {
  it('is the median of the runs with their spread as interval, and says how it was had', async () => {
    const { run, seen } = fakeRunner();
    const measurer = measurerOf(device(HOST), { runner: run });
    const metrics = await measurer.evaluate(request(network(4)));
    expect(metrics).toEqual({ 'latency@board': { value: expect.closeTo(2.001e-3, 9) as number, unit: 's', provenance: 'measured', interval: [expect.closeTo(2e-3, 9), expect.closeTo(2.002e-3, 9)], source: expect.stringMatching(/^median of 20 runs after 3, 2 threads of .+, fake 1, fp32$/) as string } });
    expect(seen.tasks[0]).toMatchObject({ threads: 2, warmup: 3, repeats: 20 });
    expect(seen.tasks[0]!.model.length).toBeGreaterThan(100);
    expect(measurer).toMatchObject({ id: 'measure/board', metrics: ['latency@board'] });
    expect(measurer.secondsPerTrial).toBeGreaterThan(1);
  });

  it('is measured once for one network, also when two trials ask at the same time, and never two at once', async () => {
    const { run, seen } = fakeRunner();
    const measurer = measurerOf(device(HOST), { runner: run });
    const [a, b, c] = await Promise.all([network(4), network(4), network(5)].map((g) => measurer.evaluate(request(g))));
    expect(await measurer.evaluate(request(network(4)))).toEqual(a);
    expect(b).toBe(a);
    expect(c).not.toBe(a);
    expect([seen.tasks.length, seen.most]).toEqual([2, 1]);
  });

  it('leaves interrupted runs out and says so; with too few others it takes what they spent, or all of them', async () => {
    const signal = new AbortController().signal;
    const times = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 1e-3 : 9e-3));
    const half = await measureOnHost(new Uint8Array(1), HOST, signal, fakeRunner({ times, interrupted: times.map((t) => t > 5e-3) }).run);
    expect(half.latency).toMatchObject({ median: 1e-3, count: 20, max: 1e-3 });
    expect(half.warnings).toEqual(['the machine is busy: other work interrupted 20 of 40 runs, which are left out']);
    const mostly = { times, interrupted: times.map((_, i) => i > 3), processor: times.map(() => 1.1e-3) };
    const two = await measureOnHost(new Uint8Array(1), HOST, signal, fakeRunner(mostly).run);
    expect(two.latency).toMatchObject({ count: 40, median: 5e-3 });
    expect(two.warnings[0]).toBe('the machine is busy: other work interrupted 36 of 40 runs, too many to leave them out');
    // the processor time of one thread is what it would have taken in peace
    const one = await measureOnHost(new Uint8Array(1), { ...HOST, threads: 1 }, signal, fakeRunner(mostly).run);
    expect(one.latency).toMatchObject({ count: 40, max: 9e-3 });
    expect(one.latency.median).toBeLessThanOrEqual(1.1e-3);
    expect(one.warnings[0]).toBe('the machine is busy: other work interrupted 36 of 40 runs, whose processor time counts instead');
  });

  it.each([
    ['is unsupported where onnxruntime refuses the model', (() => Promise.resolve({ kind: 'refused', message: 'no such operator' })) as HostRunner, 'unsupported'],
    ['fails where the process dies', (() => Promise.reject(new EvaluatorError('measurement-exited', 'was ended by SIGKILL'))) as HostRunner, 'measurement-exited'],
    ['fails where it takes too long', ((_, signal) => new Promise((_r, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))) as HostRunner, 'measurement-timeout'],
  ])('%s, and is asked again for the next trial', async (_, bad, reason) => {
    const { run, seen } = fakeRunner();
    let faulty = true;
    const measurer = measurerOf(device({ ...HOST, timeout: 0.05 }), { runner: (task, signal) => (faulty ? bad(task, signal) : run(task, signal)) });
    await expect(measurer.evaluate(request(network(4)))).rejects.toMatchObject({ name: 'EvaluatorError', reason });
    faulty = false;
    await measurer.evaluate(request(network(4)));
    expect(seen.tasks).toHaveLength(1);
  });

  it('needs a network', async () => {
    await expect(measurerOf(device(HOST), { runner: fakeRunner().run }).evaluate(request(null))).rejects.toMatchObject({ reason: 'unsupported' });
    expect(() => measurerOf(device(undefined))).toThrow(/device "board" is not measured/);
  });
});

describe('a metric measured by an agent', () => {
  function fakeAgent(readings: Awaited<ReturnType<Agent['ask']>>) {
    const asked: AgentRequest[] = [];
    const agent: Agent = { name: 'fake', ask: (r) => (asked.push(r), Promise.resolve(readings)), close: () => Promise.resolve() };
    return { agent, asked };
  }

  it('are those it was asked for, in SI, without an interval where it gives none', async () => {
    const { agent, asked } = fakeAgent({ latency: { value: 2e-3, interval: [1e-3, 3e-3], runs: 30 }, energy: { value: 5e-4 }, peakRam: { value: 1000 } });
    expect(await measurerOf(device(AGENT), { agent }).evaluate(request(network(4)))).toEqual({
      'latency@board': { value: 2e-3, unit: 's', provenance: 'measured', interval: [1e-3, 3e-3], source: 'measured by agent fake, median of 30 runs, fp32' },
      'energy@board': { value: 5e-4, unit: 'J', provenance: 'measured', source: 'measured by agent fake, fp32' },
    });
    expect(asked[0]).toMatchObject({ device: 'board', precision: 'fp32', metrics: ['latency', 'energy'], warmup: 3, repeats: 20, timeout: 5 });
  });

  it('fails where one is missing', async () => {
    const { agent } = fakeAgent({ latency: { value: 2e-3 } });
    await expect(measurerOf(device(AGENT), { agent }).evaluate(request(network(4)))).rejects.toMatchObject({ reason: 'agent-invalid-answer', message: 'agent fake: expected energy, got latency' });
  });
});

describe('what a study asks', () => {
  const definition = (change: Partial<StudySpecInput>, devices: DeviceProfile[]): StudyDefinition => ({
    spec: studySpec.parse({ name: 's', searchSpace: 'nas-bench-201', accuracy: { method: 'none' }, objectives: [{ metric: 'latency', target: 'board' }], budget: { maxTrials: 1 }, ...change }),
    space: { name: 'nas-bench-201', title: '', description: '', family: 'nas-bench-201', parameters: [], settings: {}, sources: [] }, devices,
  });

  it('is the accuracy alone where nothing is measured, and both in turn where a measured metric is a goal or its device is listed', () => {
    expect(studyEvaluator(definition({}, [device(undefined)])).id).toBe('none');
    expect(studyEvaluator(definition({}, [device(HOST)])).parts!.map((p) => p.id)).toEqual(['none', 'measure/board']);
    expect(studyEvaluator(definition({ objectives: [{ metric: 'flash', target: 'board' }] }, [device(HOST)])).id).toBe('none');
    expect(studyEvaluator(definition({ objectives: [{ metric: 'flash', target: 'board' }], devices: [{ id: 'board' }] }, [device(HOST)])).metrics).toEqual(['latency@board']);
  });

  it('starts and calls no agent that the study names unless that is allowed; one of a profile is the service\'s own', () => {
    const own = definition({ devices: [{ id: 'board', measure: { agent: { url: 'http://10.0.0.1/' } } }] }, [device({ ...AGENT, agent: { url: 'http://10.0.0.1/' } })]);
    expect(() => studyEvaluator(own)).toThrow(/^\/devices\/0\/measure\/agent: an agent is started, or called/);
    expect(studyEvaluator(own, { allowCommands: true }).id).toContain('measure/board');
    expect(studyEvaluator(definition({ devices: [{ id: 'board' }] }, [device(AGENT)])).id).toContain('measure/board');
  });
});
