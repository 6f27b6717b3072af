import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const CLI = join(root, 'dist/apps/cli/src/main.js');

let dir: string;
beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'caddis-cli-')); });
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function caddis(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 });
  return { status, stdout, stderr };
}

const file = (name: string, text: string): string => {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
};

const blackbox = join(root, 'test/support/slow-blackbox.mjs');
const problem = (change = ''): string => `
parameters:
  - {name: x, type: float, min: 0, max: 1, step: 0.001}
  - {name: n, type: int, min: 1, max: 50}
  - {name: c, type: categorical, values: [a, b]}
objectives: [{metric: f}, {metric: g, direction: minimize}]
constraints: [{metric: g, op: "<=", value: 4}]
referencePoint: {f: 1, g: 4}
evaluator: {command: [${process.execPath}, ${blackbox}], protocol: json-lines}
${change}`;

interface Optimized {
  trials: { number: number; parameters: Record<string, unknown>; metrics: Record<string, number>; state: string; proposedBy: string; fidelity?: number }[];
  front: number[];
  hypervolume: number;
  seconds: number;
}

describe('caddis', () => {
  it('has help for every command', { timeout: 180_000 }, () => {
    const { stdout, status } = caddis('--help');
    expect(status).toBe(0);
    for (const command of ['demo', 'serve', 'worker', 'search', 'optimize', 'predict', 'measure', 'calibrate', 'export', 'spaces', 'devices']) {
      expect(stdout).toContain(command);
      expect(caddis(command, '--help')).toMatchObject({ status: 0 });
    }
  });

  it.each([
    [['no-such-command'], 'no-such-command'],
    [['search', 'missing.yaml'], "missing.yaml: can't be read (ENOENT)"],
    [['devices', 'show', 'abacus'], 'no device "abacus"; there are'],
    [['predict', '--device', 'abacus', '--space', 'nas-bench-201', '--architecture', '000000'], 'no device "abacus"'],
    [['predict', '--device', 'pixel-3', '--space', 'nas-bench-201', '--architecture', '00000x'], '--architecture'],
    [['predict', '--device', 'pixel-3', '--space', 'nas-bench-201', '--point', '{"edge": 1}'], 'edge not in nas-bench-201'],
    [['predict', '--device', 'stm32f446re', '--precision', 'fp99', '--space', 'nas-bench-201', '--architecture', '000000'], 'fp32, fp16, int8'],
    [['predict', join(root, 'package.json'), '--device', 'pixel-3'], 'package.json'],
    [['optimize', 'missing.yaml'], 'missing.yaml'],
    [['export', '{"width": 9}', '--space', 'flynet'], 'width'],
  ])('answers %j with exit code 2 and says what is at fault', (args, message) => {
    const { status, stdout, stderr } = caddis(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('names the field, what came and what was due for a study at fault', () => {
    const path = file('bad.yaml', 'name: x\nsearchSpace: nas-bench-201\naccuracy: {method: table}\nobjectives: [{metric: error}]\nbudget: {maxTrials: 0, maxTrails: 3}\n');
    const { status, stderr } = caddis('search', path);
    expect(status).toBe(2);
    expect(stderr).toContain(`${path} /budget/maxTrials`);
    expect(stderr).toContain('maxTrails');
    const tabs = file('tabs.yaml', 'name: x\nbudget:\n\tmaxTrials: 3\n');
    expect(caddis('search', tabs).stderr).toMatch(/tabs\.yaml: line 3, column 1/);
  });

  it('prices an architecture and an exported file alike', () => {
    const code = JSON.parse(caddis('predict', '--space', 'nas-bench-201', '--architecture', '333333', '--classes', '10', '--device', 'pixel-3,stm32f746zg', '--json').stdout);
    expect(code.devices.map((d: { device: string }) => d.device)).toEqual(['pixel-3', 'stm32f746zg']);
    const written = JSON.parse(caddis('export', '333333', '--space', 'nas-bench-201', '--classes', '10', '--out', dir, '--json').stdout);
    const again = JSON.parse(caddis('predict', written[0].file, '--device', 'pixel-3,stm32f746zg', '--json').stdout);
    expect(again).toMatchObject({ macs: code.macs, params: code.params, unknownOperators: [] });
    const manifest = JSON.parse(readFileSync(written[0].manifest, 'utf8'));
    expect(manifest.onnx.verified.maxAbsoluteDifference).toBeLessThanOrEqual(1e-4);
  });

  it('prices a MobileNet file on three devices, and refuses it cut short with the place, and a space\'s point with the usual task', () => {
    const devices = 'pixel-3,stm32h743zi,rtx-2080-ti';
    const [{ file: model }] = JSON.parse(caddis('export', '{"width": 0.35, "resolution": 96}', '--space', 'mobilenet-v2', '--classes', '100', '--out', dir, '--json').stdout);
    const priced = JSON.parse(caddis('predict', model, '--device', devices, '--json').stdout);
    const point = JSON.parse(caddis('predict', '--space', 'mobilenet-v2', '--point', '{"width": 0.35, "resolution": 96}', '--classes', '100', '--device', devices, '--json').stdout);
    expect(priced).toMatchObject({ macs: point.macs, params: point.params, unknownOperators: [], notes: [] });
    expect(priced.devices.map((d: { metrics: unknown }) => d.metrics)).toEqual(point.devices.map((d: { metrics: unknown }) => d.metrics));
    const whole = readFileSync(model);
    const cut = join(dir, 'cut.onnx');
    writeFileSync(cut, whole.subarray(0, whole.length - 5000));
    const refused = caddis('predict', cut, '--device', 'pixel-3');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/cut\.onnx: expected an ONNX model, .*the file ends at byte \d+ of at least \d+, inside stored tensor \d+ \("head\.classifier\./);
    const words = JSON.parse(caddis('predict', '--space', 'ds-cnn', '--point', '{}', '--device', 'stm32f746zg', '--json').stdout);
    // MLPerf Tiny's keyword spotter on 49×10×1 and 12 words
    expect(words.macs).toBe(2_656_768);
  });

  it('shows what another order of execution and patches would save', () => {
    const { devices } = JSON.parse(caddis('predict', '--space', 'nas-bench-201', '--architecture', '303213', '--classes', '10', '--device', 'stm32f446re,pixel-3', '--reorder', '--json').stdout);
    const [{ schedule }] = devices;
    expect(schedule).toMatchObject({ rule: 'tflm-cmsis-nn', optimal: true });
    expect(schedule.reordered).toBeLessThan(schedule.activations);
    expect(caddis('predict', '--space', 'nas-bench-201', '--architecture', '303213', '--device', 'stm32f446re', '--reorder').stdout).toMatch(/best order.*saved/);
  });

  it('begins a search with what an earlier one found, and refuses one of another space', { timeout: 120_000 }, () => {
    const study = join(root, 'search-spaces/examples/nas201-three-objectives.yaml');
    const [first, other] = [join(dir, 'first'), join(dir, 'other')];
    expect(caddis('search', study, '--trials', '40', '--out', first, '--json').status).toBe(0);
    const codes = (path: string): string[] => JSON.parse(readFileSync(join(path, 'trials.json'), 'utf8')).map((t: { parameters: object }) => JSON.stringify(t.parameters));
    const second = join(dir, 'second');
    expect(caddis('search', study, '--trials', '12', '--seed', '9', '--warm-start', first, '--out', second, '--json').status).toBe(0);
    expect(codes(second)).toHaveLength(12);
    expect(codes(second).filter((c) => codes(first).includes(c))).toEqual([]);
    const small = file('resnet.yaml', readFileSync(join(root, 'search-spaces/examples/resnet18-fewest-macs.yaml'), 'utf8'));
    const refused = caddis('search', small, '--warm-start', first, '--out', other);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/--warm-start .*first: study .* differs in searchSpace/);
  });

  it('searches, keeps the search, and answers with one JSON document', () => {
    const out = join(dir, 'kept');
    const args = ['search', join(root, 'search-spaces/examples/nas201-three-objectives.yaml'), '--trials', '30', '--out', out, '--json'];
    const { status, stdout } = caddis(...args);
    expect(status).toBe(0);
    const document = JSON.parse(stdout);
    expect(document.trials).toHaveLength(30);
    expect(existsSync(join(out, 'front.json'))).toBe(true);
    expect(JSON.parse(caddis(...args).stdout).trials).toEqual(document.trials);
    expect(caddis(...args, '--seed', '99')).toMatchObject({ status: 2 });
    const trial = String(document.front[0]);
    expect(caddis('export', trial, '--from', out, '--out', dir)).toMatchObject({ status: 0 });
  });
});

describe('caddis optimize', () => {
  it('solves a blackbox of the user\'s and gives the same trials for the same seed', () => {
    const path = file('problem.yaml', problem());
    const run = (): Optimized => JSON.parse(caddis('optimize', path, '--algorithm', 'mads', '--budget', '40', '--seed', '4', '--json').stdout);
    const first = run();
    expect(first.trials).toHaveLength(40);
    expect(first.hypervolume).toBeGreaterThan(0);
    for (const t of first.trials) expect(t.metrics['f']).toBeCloseTo(((t.parameters['x'] as number) - 0.3) ** 2 + (t.parameters['c'] === 'a' ? 0.1 : 0), 12);
    expect(run().trials).toEqual(first.trials);
  });

  it('goes on after kill -9 to the result of an undisturbed run', async () => {
    const path = file('killed.yaml', problem('maxParallelTrials: 3'));
    const args = (out: string): string[] => ['optimize', path, '--algorithm', 'mads', '--budget', '90', '--seed', '8', '--out', join(dir, out), '--json'];
    const whole: Optimized = JSON.parse(caddis(...args('whole')).stdout);
    for (const after of [700, 900, 800]) {
      const child = spawn(process.execPath, [CLI, ...args('cut')], { stdio: 'ignore', detached: true });
      await Promise.race([once(child, 'exit'), new Promise((resolve) => setTimeout(resolve, after))]);
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    const resumed: Optimized = JSON.parse(caddis(...args('cut')).stdout);
    expect(resumed.trials).toEqual(whole.trials);
    expect({ front: resumed.front, hypervolume: resumed.hypervolume }).toEqual({ front: whole.front, hypervolume: whole.hypervolume });
  });

  it('begins cheap and goes on with the best where the problem has fidelities, and with what an earlier search found where one is named', () => {
    const script = file('rungs.mjs', `
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  const { id, parameters: { x, n }, fidelity } = JSON.parse(line);
  console.log(JSON.stringify({ id, metrics: { f: (x - 0.3) ** 2 + 1 - fidelity, g: n / 25 } }));
}`);
    const path = file('rungs.yaml', problem('fidelity: {lowest: 0.2, eta: 2}').replace(blackbox, script));
    const out = join(dir, 'rungs');
    const { trials, front } = JSON.parse(caddis('optimize', path, '--budget', '40', '--seed', '2', '--out', out, '--json').stdout) as Optimized;
    // taken up again it has nothing left to evaluate
    const other = file('rungs-broken.mjs', 'process.exit(1)');
    const working = readFileSync(script);
    copyFileSync(other, script);
    expect((JSON.parse(caddis('optimize', path, '--budget', '40', '--seed', '2', '--out', out, '--json').stdout) as Optimized).trials).toEqual(trials);
    writeFileSync(script, working);
    expect(new Set(trials.map((t) => t.fidelity))).toEqual(new Set([0.25, 0.5, 1]));
    for (const t of trials) expect(t.metrics['f']).toBeCloseTo(((t.parameters['x'] as number) - 0.3) ** 2 + 1 - t.fidelity!, 12);
    expect(front.length).toBeGreaterThan(0);
    expect(front.every((n) => trials[n - 1]!.fidelity === 1)).toBe(true);

    const plain = file('plain.yaml', problem().replace(blackbox, script));
    const known = new Set(trials.filter((t) => t.fidelity === 1).map((t) => JSON.stringify(t.parameters)));
    expect(known.size).toBeGreaterThan(3);
    const warm = JSON.parse(caddis('optimize', plain, '--budget', '20', '--seed', '3', '--warm-start', out, '--json').stdout) as Optimized;
    expect(warm.trials).toHaveLength(20);
    expect(warm.trials.filter((t) => known.has(JSON.stringify(t.parameters)))).toEqual([]);
    expect(caddis('optimize', path, '--warm-start', join(dir, 'nowhere'))).toMatchObject({ status: 2 });
  });

  it('fails trials that answer NaN, nothing or an error, says why, and ends with exit code 1 if all do', () => {
    const script = file('broken.mjs', `
import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  const { id } = JSON.parse(line);
  console.log(id % 3 === 0 ? '{"id": ' + id + ', "metrics": {"f": NaN, "g": 1}}' : JSON.stringify(id % 3 === 1 ? { id, metrics: { f: 1 } } : { id, error: 'out of memory' }));
}`);
    const path = file('broken.yaml', problem().replace(blackbox, script));
    const { status, stdout, stderr } = caddis('optimize', path, '--budget', '9', '--algorithm', 'random', '--json');
    expect(status).toBe(1);
    const { trials } = JSON.parse(stdout) as { trials: { state: string; message: string }[] };
    expect(trials.map((t) => t.state)).toEqual(Array(9).fill('failed'));
    expect(trials.some((t) => t.message.includes('out of memory'))).toBe(true);
    expect(trials.some((t) => t.message.includes('"g"'))).toBe(true);
    expect(stderr).toContain('all 9 evaluations failed');
  });
});
