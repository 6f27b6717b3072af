import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rng } from '@app/numeric';
import ort from 'onnxruntime-node';
import { stringify } from 'yaml';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const PYTHON = process.env['CADDIS_TEST_PYTHON'] ?? '/usr/bin/python3';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddis-trainer-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function idx(sizes: readonly number[], values: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head.set([0, 0, 8, sizes.length]);
  sizes.forEach((s, i) => head.writeUInt32BE(s, 4 + 4 * i));
  return Buffer.concat([head, values]);
}

/** Images whose bright half, left or right, is their class. */
function writeData(): void {
  const rng = Rng.of(1, 'halves');
  for (const [part, count] of [['train', 1280], ['t10k', 64]] as const) {
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 2);
    const pixels = Uint8Array.from({ length: count * 256 }, (_, i) => (Math.floor((i % 16) / 8) === labels[Math.floor(i / 256)]! ? 200 : 50) + rng.int(50));
    writeFileSync(join(folder, `${part}-images-idx3-ubyte`), idx([count, 16, 16], pixels));
    writeFileSync(join(folder, `${part}-labels-idx1-ubyte`), idx([count], labels));
  }
}

const fixed = (name: string, value: number): object => Object.fromEntries([1, 2, 3, 4, 5].map((stage) => [`${name}${stage}`, { fixed: value }]));

it('the PyTorch trainer of the documentation trains a study\'s candidates, and what is exported answers as its network in PyTorch', async () => {
  writeData();
  const study = {
    name: 'trained in PyTorch', task: { numClasses: 2, inputChannels: 1 },
    searchSpace: { base: 'flynet', parameters: { width: { fixed: 0.3 }, resolution: { fixed: 32 }, ...fixed('depth', 1), ...fixed('noise', 2 ** 32), noiseHead: { fixed: 2 ** 32 } } },
    accuracy: { method: 'command', command: [PYTHON, join(root, 'docs/examples/pytorch_trainer.py'), folder], metrics: ['accuracy'], send: ['pytorch'], checkpoints: join(folder, 'checkpoints') },
    objectives: [{ metric: 'accuracy', direction: 'maximize' }, { metric: 'macs' }], algorithm: { name: 'random' }, budget: { maxTrials: 2 }, seed: 3,
  };
  writeFileSync(join(folder, 'study.yaml'), stringify(study));
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/apps/cli/src/main.js'), 'search', join(folder, 'study.yaml'), '--out', join(folder, 'out'), '--json'], { encoding: 'utf8', timeout: 280_000 });
  expect(status, `${stdout}\n${stderr}`).toBe(0);
  const trials = JSON.parse(readFileSync(join(folder, 'out/trials.json'), 'utf8')) as { state: string; metrics: Record<string, { value: number; curve?: number[] }> }[];
  expect(trials.map((t) => t.state)).toEqual(['completed', 'completed']);
  for (const { metrics } of trials) {
    expect(metrics['accuracy']!.curve).toHaveLength(3);
    expect(metrics['accuracy']!.value).toBeGreaterThan(80);
  }

  const [number] = (JSON.parse(stdout) as { front: [number] }).front;
  const exported = spawnSync(process.execPath, [join(root, 'dist/apps/cli/src/main.js'), 'export', String(number), '--from', join(folder, 'out'), '--format', 'onnx,onnx-int8,pytorch', '--out', join(folder, 'exports'), '--json'], { encoding: 'utf8' });
  expect(exported.status, exported.stderr).toBe(0);
  const file = (ending: string): string => join(folder, 'exports', readdirSync(join(folder, 'exports')).find((name) => name.endsWith(ending))!);
  const manifest = (ending: string): object => (JSON.parse(readFileSync(`${file(ending)}.manifest.json`, 'utf8')) as { weights: object }).weights;
  expect(manifest('.onnx')).toMatchObject({ kind: 'trained', by: 'trainer' });
  expect(manifest('.int8.onnx')).toMatchObject({ kind: 'trained', quantization: expect.stringMatching(/ranges from 64 inputs of the trainer$/) as string });

  // the checkpoint that gives the exported weights is of one of the two candidates
  const script = [
    'import glob, importlib.util, json, sys, torch',
    'spec = importlib.util.spec_from_file_location("candidate", sys.argv[1]); module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)',
    'x = torch.arange(1024, dtype=torch.float32).cos().reshape(1, 1, 32, 32)',
    'answers = []',
    'for path in glob.glob(sys.argv[2] + "/*/state.pt"):',
    '    model = module.Network()',
    '    try: model.load_state_dict(torch.load(path)["model"])',
    '    except RuntimeError: continue',
    '    model.eval(); answers.append(model(x).flatten().tolist())',
    'print(json.dumps(answers))',
  ].join('\n');
  const torch = spawnSync(PYTHON, ['-c', script, file('.py'), join(folder, 'checkpoints')], { encoding: 'utf8' });
  expect(torch.status, torch.stderr).toBe(0);
  const session = await ort.InferenceSession.create(file(`${number}.onnx`));
  const image = Float32Array.from({ length: 1024 }, (_, i) => Math.cos(i));
  const got = Object.values(await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', image, [1, 1, 32, 32]) }))[0]!.data as Float32Array;
  const differences = (JSON.parse(torch.stdout) as number[][]).map((due) => Math.max(...due.map((v, i) => Math.abs(v - got[i]!))));
  expect(Math.min(...differences)).toBeLessThan(1e-3);
});
