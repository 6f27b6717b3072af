import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DryRunReport } from '@app/contracts';
import { graphBuilder } from '@app/graph';
import { networkFile } from '@app/measure';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { allTrials, createStudy, essence, json, ServiceProcess, untilEnded } from '../support/service-process.js';

const root = join(import.meta.dirname, '../..');
const CLI = join(root, 'dist/apps/cli/src/main.js');

let dir: string;
let database: FreshDatabase;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'caddis-measure-'));
  database = await freshDatabase();
});
afterAll(async () => {
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

function caddis(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  return { status, stdout, stderr };
}

const SPEC = {
  name: 'measured here', searchSpace: 'nas-bench-201', accuracy: { method: 'table' }, algorithm: { name: 'random' }, seed: 11,
  objectives: [{ metric: 'error' }, { metric: 'latency', target: 'host-cpu', unit: 'ms' }], devices: [{ id: 'host-cpu', measure: { warmup: 2, repeats: 10 } }],
  budget: { maxTrials: 6, maxParallelTrials: 2 },
};

describe('caddis measure', () => {
  it('measures an ONNX file beside its prediction, and points of a space, whose rows fit the device', { timeout: 240_000 }, () => {
    const b = graphBuilder('plain');
    b.output(b.linear(b.flatten(b.globalAvgPool(b.activation(b.conv2d(b.input([1, 3, 32, 32]), { outChannels: 16, kernel: 3 }), 'relu'))), 10));
    const model = join(dir, 'net.onnx');
    const rows = join(dir, 'rows.jsonl');
    writeFileSync(model, networkFile(b.build()));
    const one = caddis('measure', model, '--device', 'host-cpu,pixel-3', '--repeats', '20', '--out', rows, '--json');
    expect(one.status, one.stderr).toBe(0);
    const { measurements: [measured], runtime } = JSON.parse(one.stdout) as { runtime: string; measurements: [{ network: string; latency: { median: number; low: number; high: number; unit: string }; predictions: { device: string; error: number; latency: { value: number } }[] }] };
    expect(runtime).toMatch(/^onnxruntime-node/);
    expect(measured).toMatchObject({ network: model, latency: { unit: 's' } });
    expect(measured.predictions.map((p) => [p.device, p.error])).toEqual(['host-cpu', 'pixel-3'].map((d, i) => [d, measured.predictions[i]!.latency.value / measured.latency.median - 1]));

    const more = caddis('measure', '--space', 'nas-bench-201', '--sample', '5', '--repeats', '10', '--warmup', '2', '--out', rows);
    expect(more.status, more.stderr).toBe(0);
    expect(more.stdout).toContain('latency (median)');
    expect(more.stderr).toContain(`5 rows added to ${rows}`);
    const lines = readFileSync(rows, 'utf8').trim().split('\n').map((l) => JSON.parse(l) as Record<string, unknown>);
    expect(lines.map((l) => [l['model'], l['space'], l['runtime'], l['precision']])).toEqual([['net.onnx', undefined, 'onnx-runtime', 'fp32'], ...Array.from({ length: 5 }, () => [undefined, 'nas-bench-201', 'onnx-runtime', 'fp32'])]);

    const profile = join(dir, 'host-cpu.yaml');
    const fit = caddis('calibrate', 'host-cpu', '--measurements', rows, '--out', profile, '--json');
    expect(fit.status, fit.stderr).toBe(0);
    expect(JSON.parse(fit.stdout)).toMatchObject({ networks: 6, known: true, runtime: { zeros: 'kept', merge: true, fusion: 'activation' } });
    // still a device that studies measure
    expect(readFileSync(profile, 'utf8')).toMatch(/^measure:\n {2}agent: host$/m);
    expect(caddis('devices', 'validate', profile)).toMatchObject({ status: 0 });
  });

  it('measures by an agent', () => {
    const { status, stdout, stderr } = caddis('measure', '--space', 'nas-bench-201', '--architecture', '031423,111111', '--agent', `python3 ${join(root, 'docs/examples/agent.py')}`, '--repeats', '7', '--json');
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ agent: expect.stringContaining('agent.py') as string, measurements: [{ network: 'nas-bench-201 031423', latency: { runs: 7, unit: 's' } }, { network: 'nas-bench-201 111111', latency: { runs: 7 } }] });
  });

  it.each([
    [['measure'], 2, 'expected either MODEL.onnx … or --space NAME'],
    [['measure', 'missing.onnx'], 2, "missing.onnx: can't be read (ENOENT)"],
    [['measure', 'README.md'], 2, "README.md: unsupported: onnxruntime can't load the model"],
    [['measure', '--space', 'nas-bench-201', '--sample', '2', '--out', 'rows.csv'], 2, '--out: expected a name that ends in .jsonl, got "rows.csv"'],
    [['measure', '--space', 'nas-bench-201', '--sample', '1', '--repeats', '1'], 2, '--repeats: Too small'],
    [['measure', '--space', 'nas-bench-201', '--sample', '1', '--metrics', 'energy'], 2, '--metrics: agent "host" measures latency only; got "energy"'],
    [['measure', '--space', 'nas-bench-201', '--sample', '1', '--agent', 'no-such-program'], 1, 'agent-exited: agent no-such-program: could not be started'],
    [['measure', '--space', 'nas-bench-201', '--sample', '1', '--agent', 'http://127.0.0.1:1/'], 1, 'agent-unreachable: agent http://127.0.0.1:1/'],
  ] as const)('%j ends with exit code %i and says why', (args, status, message) => {
    const result = caddis(...args);
    expect(result.status, result.stderr).toBe(status);
    expect(result.stderr).toContain(message);
    expect(result.stdout).toBe('');
  });
});

describe('a study on host-cpu through the service', () => {
  it('stores what was measured, as measured, and refuses agents of its own unless commands are allowed', { timeout: 240_000 }, async () => {
    const env = { CADDIS_DATA_DIR: join(dir, 'data'), ...database.env };
    const serve = await ServiceProcess.serve(env);
    const processes = env['REDIS_URL' as keyof typeof env] === undefined ? [serve] : [serve, ServiceProcess.worker(env)];
    try {
      const dry = await json<DryRunReport>(`${serve.url}/v1/studies:validate`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(SPEC) });
      expect(dry.warnings).toContain('latency@host-cpu is measured by the study; a dry run measures nothing, so limits on it are judged by the profile\'s estimate');
      const { id } = await createStudy(serve.url, SPEC);
      expect(await untilEnded(serve.url, id, 200_000)).toMatchObject({ state: 'completed', counts: { completed: 6 } });
      const trials = await allTrials(serve.url, id);
      for (const t of trials) {
        const latency = t.metrics['latency@host-cpu']!;
        expect(latency).toMatchObject({ unit: 'ms', provenance: 'measured', source: expect.stringMatching(/^median of \d+ runs after 2, 1 thread/) as string });
        expect(latency.interval![0]).toBeLessThanOrEqual(latency.value);
        expect(t.metrics['error']!.provenance).not.toBe('estimated');
      }
      // random search does not look at values: the same points under the same seed, and times of their own
      const again = await createStudy(serve.url, SPEC);
      await untilEnded(serve.url, again.id, 200_000);
      const points = (ts: typeof trials): unknown => ts.map((t) => t.parameters);
      expect(points(await allTrials(serve.url, again.id))).toEqual(points(trials));
      expect((await allTrials(serve.url, again.id)).map(essence)).not.toEqual(trials.map(essence));

      const own = { ...SPEC, devices: [{ id: 'my-phone', profile: 'pixel-3', measure: { agent: { command: ['python3', 'agent.py'] } } }] };
      const refused = await fetch(`${serve.url}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(own) });
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ errors: [{ pointer: '/devices/0/measure/agent', code: 'not-allowed' }] });
    } finally {
      await Promise.all(processes.map((p) => p.terminate()));
    }
  });
});
