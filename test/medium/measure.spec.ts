import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadCatalog } from '@app/catalog';
import { decode } from '@app/decode';
import { graphBuilder, initialWeights, type Graph } from '@app/graph';
import { agentOf, measureOnHost, networkFile, type Agent } from '@app/measure';
import { toOnnx } from '@app/onnx';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import type { StudyRecord, TrialRecord } from '@app/study';
import { startWorker } from '../../apps/worker/src/worker.js';

const root = join(import.meta.dirname, '../..');
const never = new AbortController().signal;
const SETTINGS = { threads: 1, warmup: 3, repeats: 15, timeout: 60 };

let dir: string;
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'caddis-measuring-')); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function network(side: number, channels: number): Graph {
  const b = graphBuilder('plain');
  let x = b.input([1, 3, side, side]);
  for (let i = 0; i < 4; i++) x = b.activation(b.conv2d(x, { outChannels: channels, kernel: 3, padding: 'same' }), 'relu');
  b.output(b.linear(b.flatten(b.globalAvgPool(x)), 10));
  return b.build();
}

describe('this machine, measured by onnxruntime', () => {
  it('takes longer for a network of a thousand times the work, and says how it was measured', async () => {
    const small = await measureOnHost(networkFile(network(8, 8)), SETTINGS, never);
    const large = await measureOnHost(networkFile(network(64, 32)), SETTINGS, never);
    expect(large.latency.median).toBeGreaterThan(5 * small.latency.median);
    for (const { latency, runtime, machine, inputs, times } of [small, large]) {
      expect(latency.min).toBeGreaterThan(0);
      expect(latency.low).toBeLessThanOrEqual(latency.median);
      expect(latency.median).toBeLessThanOrEqual(latency.high);
      expect(times).toHaveLength(latency.count);
      expect(runtime).toMatch(/^onnxruntime-node \d+\.\d+/);
      expect(machine.cores).toBeGreaterThan(0);
      expect(inputs[0]).toMatchObject({ name: 'input', type: 'float32' });
    }
    // tiny networks run until there is something to see
    expect(small.latency.count).toBeGreaterThan(15);
  });

  it('refuses what is no model and what has open sizes besides the batch, and gives up when told', async () => {
    await expect(measureOnHost(new Uint8Array([1, 2, 3]), SETTINGS, never)).rejects.toMatchObject({ name: 'EvaluatorError', reason: 'unsupported', message: expect.stringMatching(/^onnxruntime can't load the model: /) as string });
    const whole = toOnnx(network(8, 8), initialWeights(network(8, 8), 0));
    await expect(measureOnHost(whole.slice(0, whole.length / 2), SETTINGS, never)).rejects.toMatchObject({ reason: 'unsupported' });
    const slow = networkFile(network(64, 32));
    await expect(measureOnHost(slow, { ...SETTINGS, repeats: 10_000, timeout: 1.5 }, never)).rejects.toMatchObject({ reason: 'measurement-timeout', message: 'the measurement took longer than 1.5 s: 3 + 10000 runs with 1 thread' });
    await expect(measureOnHost(slow, { ...SETTINGS, repeats: 10_000 }, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('the example agent in Python', () => {
  const script = join(root, 'docs/examples/agent.py');
  const ask = (agent: Agent) => agent.ask({ device: 'my-phone', model: networkFile(network(8, 8)), precision: 'fp32', metrics: ['latency'], warmup: 2, repeats: 20, timeout: 30 }, never);

  it('measures over a pipe, request after request', async () => {
    const agent = agentOf({ command: ['python3', script] });
    const [first, second] = [await ask(agent), await ask(agent)];
    await agent.close();
    for (const { latency } of [first, second]) expect(latency).toMatchObject({ runs: 20, value: expect.any(Number) as number, interval: [expect.any(Number), expect.any(Number)] });
    expect(first!.latency!.value).toBeGreaterThan(0);
  });

  it('measures over HTTP', async () => {
    const child = spawn('python3', [script, '--http', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
      expect((await ask(agentOf({ url: /http:\S+/.exec(line)![0] }))).latency).toMatchObject({ runs: 20 });
    } finally {
      child.kill();
    }
  });

  it('says what went wrong, and goes on', async () => {
    const agent = agentOf({ command: ['python3', script] });
    await expect(agent.ask({ device: 'd', model: new Uint8Array(1), precision: 'fp32', metrics: [], warmup: 0, repeats: -1, timeout: 30 }, never)).rejects.toMatchObject({ reason: 'invalid-measurement' });
    await expect(agent.ask({ device: 'd', model: new Uint8Array(1), precision: 'fp32', metrics: [], warmup: 'x' as unknown as number, repeats: 1, timeout: 30 }, never)).rejects.toMatchObject({ reason: 'agent-error', message: expect.stringContaining('TypeError') as string });
    expect((await ask(agent)).latency).toMatchObject({ runs: 20 });
    await agent.close();
  });
});

/** Runs a study to its end in this process. */
async function run(spec: object, at = new MemoryStore()): Promise<{ study: StudyRecord; trials: readonly TrialRecord[] }> {
  const parsed = loadCatalog().parseStudySpec({ name: 'measured', searchSpace: 'nas-bench-201', accuracy: { method: 'table' }, algorithm: { name: 'random' }, seed: 5, ...spec });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  const queue = new MemoryQueue();
  const worker = await startWorker({ store: at, queue, version: 'test', allowCommands: true, sweepMs: 200, log: { info: () => undefined, warn: () => undefined, error: () => undefined } });
  try {
    const { id } = (await at.create({ definition: parsed.definition, state: 'queued' })).study;
    for (;;) {
      const study = await at.study(id);
      if (['completed', 'failed', 'cancelled'].includes(study.state)) return { study, trials: await at.allTrials(id) };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    await worker.close(500);
  }
}

const moody = (...moods: string[]): { command: string[] } => ({ command: [process.execPath, join(root, 'test/support/moody-agent.mjs'), dir, ...moods] });

describe('a study with a measured metric', () => {
  it('has this machine\'s latency measured in jobs, and the front is of what was measured', async () => {
    const { study, trials } = await run({
      objectives: [{ metric: 'error' }, { metric: 'latency', target: 'host-cpu', unit: 'ms' }],
      devices: [{ id: 'host-cpu', measure: { warmup: 2, repeats: 10 } }], budget: { maxTrials: 6, maxParallelTrials: 3 },
    });
    expect(study).toMatchObject({ state: 'completed', reason: 'budget-trials' });
    for (const t of trials) {
      expect(t).toMatchObject({ state: 'completed', metrics: { 'latency@host-cpu': { unit: 's', provenance: 'measured' }, 'peakRam@host-cpu': { provenance: 'estimated' } } });
      const { value, interval, source } = t.metrics['latency@host-cpu']!;
      expect(interval![0]).toBeLessThanOrEqual(value);
      expect(interval![1]).toBeGreaterThanOrEqual(value);
      expect(t.objectives[1]).toBe(value);
      expect(source).toMatch(/^median of \d+ runs after 2, 1 thread of .*onnxruntime-node/);
    }
    const seconds = trials.map((t) => t.objectives[1]!);
    expect(trials.find((t) => t.objectives[1] === Math.min(...seconds))!.onFront).toBe(true);
  });

  it('does not measure a candidate that breaks a limit which can be computed', async () => {
    const { trials } = await run({
      objectives: [{ metric: 'error' }, { metric: 'latency', target: 'host-cpu' }], constraints: [{ metric: 'params', op: '<=', value: 1 }], budget: { maxTrials: 2 },
    });
    for (const t of trials) expect(t).toMatchObject({ state: 'infeasible', reason: 'constraint', message: expect.stringMatching(/latency@host-cpu was not sought$/) as string, objectives: [expect.any(Number), null] });
  });

  it('asks a device of the user\'s through its agent: accidents are tried again, wrong answers fail the trial with a name, nothing is lost', { timeout: 180_000 }, async () => {
    const moods = ['calm', 'dies-once', 'dies', 'negative', 'unitless', 'nan', 'wrong-id', 'unable'];
    const { study, trials } = await run({
      objectives: [{ metric: 'error' }, { metric: 'latency', target: 'my-phone' }],
      devices: [{ id: 'my-phone', profile: 'pixel-3', measure: { agent: moody(...moods), timeout: 50 } }],
      budget: { maxTrials: 36, maxParallelTrials: 6, maxAttempts: 2 },
    });
    expect(study.state).toBe('completed');
    expect(trials).toHaveLength(36);
    const due: Readonly<Record<string, object>> = {
      calm: { state: 'completed', attempts: 1 }, 'dies-once': { state: 'completed' }, dies: { state: 'failed', reason: 'agent-exited', attempts: 2 },
      negative: { state: 'failed', reason: 'invalid-measurement', attempts: 1 }, unitless: { state: 'failed', reason: 'invalid-measurement', attempts: 1 }, nan: { state: 'failed', reason: 'invalid-measurement', attempts: 1 },
      'wrong-id': { state: 'failed', reason: 'agent-wrong-id', attempts: 1 }, unable: { state: 'failed', reason: 'agent-error', attempts: 1, message: expect.stringMatching(/does not fit$/) as string },
    };
    const seen = new Set<string>();
    const { space, spec } = study;
      for (const t of trials) {
      const bytes = networkFile(decode(space, t.parameters, spec.task));
      const hash = createHash('sha256').update(bytes).digest();
      const mood = moods[hash[0]! % moods.length]!;
      seen.add(mood);
      expect(t, mood).toMatchObject(due[mood]!);
      // what the table knew stays, whatever became of the measurement
      expect(t.objectives[0]).not.toBeNull();
      if (t.state === 'completed') expect(t.metrics['latency@my-phone']).toMatchObject({ value: expect.closeTo(bytes.length * 1e-6, 9) as number, provenance: 'measured' });
      else expect(t.metrics['latency@my-phone']).toBeUndefined();
      // a network that comes again is not measured again
      if (mood === 'calm') expect(readFileSync(join(dir, hash.toString('hex')), 'utf8')).toBe('x');
    }
    expect([...seen].sort()).toEqual([...moods].sort());
  });

  it('fails a trial whose device stays silent, after another attempt, and goes on', async () => {
    const { study, trials } = await run({
      objectives: [{ metric: 'latency', target: 'my-phone' }], devices: [{ id: 'my-phone', profile: 'pixel-3', measure: { agent: moody('silent'), timeout: 1 } }], budget: { maxTrials: 2, maxAttempts: 2 },
    });
    expect(study.state).toBe('completed');
    for (const t of trials) expect(t).toMatchObject({ state: 'failed', reason: 'agent-silent', attempts: 2, message: expect.stringMatching(/no answer for 1 s$/) as string });
  });
});
