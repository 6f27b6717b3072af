import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphBuilder } from '@app/graph';
import { StoppedEarly, type AccuracyEvaluator, type AccuracyRequest } from '@app/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeTrainedWeights } from '../training/trained-weights.js';
import { commandEvaluator } from './command-evaluator.js';

let folder = '';
let open: AccuracyEvaluator | null = null;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'caddis-command-'));
});
afterEach(async () => {
  await open?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Answers the sizes of the files that came, and how many files its checkpoint folder held before it added one. */
const PROGRAM = `
  const { readdirSync, statSync, writeFileSync } = require('node:fs');
  require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, network, checkpoint, fidelity } = JSON.parse(line);
    const before = checkpoint === undefined ? -1 : readdirSync(checkpoint).length;
    if (checkpoint !== undefined) writeFileSync(checkpoint + '/' + fidelity, line);
    const sizes = Object.fromEntries(Object.entries(network ?? {}).map(([form, path]) => [form, statSync(path).size]));
    process.stderr.write(line + '\\n');
    console.log(JSON.stringify({ id, metrics: { accuracy: 50, before, ...sizes }, curves: { accuracy: [40, 50] } }));
  });
`;

const request = (given: Partial<AccuracyRequest> = {}): AccuracyRequest => {
  const g = graphBuilder('tiny');
  g.output(g.linear(g.flatten(g.globalAvgPool(g.conv2d(g.input([1, 1, 4, 4]), { outChannels: 2, kernel: 3 }))), 3));
  return {
    space: { name: 's', title: '', description: '', family: 'flynet', parameters: [], settings: {}, sources: [] },
    point: { width: 1 }, graph: g.build(), task: { numClasses: 3, inputChannels: 1 }, signal: new AbortController().signal, ...given,
  };
};
const evaluator = (given: Partial<Parameters<typeof commandEvaluator>[0]> = {}): AccuracyEvaluator =>
  (open = commandEvaluator({ command: [process.execPath, '-e', PROGRAM], metrics: ['accuracy'], send: [], ...given }, 1));

describe('a command that trains', () => {
  it('finds the network in each form asked for, as files that are gone afterwards', async () => {
    const before = new Set(await temporary());
    const metrics = await evaluator({ send: ['onnx', 'pytorch'] }).evaluate(request());
    expect(metrics['onnx']!.value).toBeGreaterThan(100);
    expect(metrics['pytorch']!.value).toBeGreaterThan(100);
    expect(metrics['accuracy']).toMatchObject({ value: 50, curve: [40, 50], provenance: 'reported' });
    expect((await temporary()).filter((f) => !before.has(f))).toEqual([]);
  });

  it('finds its checkpoint folder again at a higher fidelity', async () => {
    const e = evaluator({ checkpoints: join(folder, 'checkpoints') });
    expect((await e.evaluate(request({ fidelity: 0.5 })))['before']!.value).toBe(0);
    expect((await e.evaluate(request()))['before']!.value).toBe(1);
    expect((await e.evaluate(request({ point: { width: 0.5 } })))['before']!.value).toBe(0);
    expect(statSync(join(folder, 'checkpoints')).isDirectory()).toBe(true);
  });

  it('without either is asked of the parameters alone', async () => {
    expect((await evaluator().evaluate(request({ graph: null })))['before']!.value).toBe(-1);
    expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
  });
});

/** Writes the file that a line of JavaScript makes of the question's path and network. */
const writer = (line: string): readonly string[] => [process.execPath, '-e', `
  const { readFileSync, writeFileSync } = require('node:fs');
  require('readline').createInterface({ input: process.stdin }).on('line', (question) => {
    const { id, network, weights } = JSON.parse(question);
    ${line};
    console.log(JSON.stringify({ id, metrics: { accuracy: 62.5, asked: weights === undefined ? 0 : 1 } }));
  });
`];
/** Every weight of the network's JSON that came, by our names, all values the same. */
const FILL = `
  const shapes = { conv2d_1: { weight: [2, 1, 3, 3] }, linear_4: { weight: [3, 2], bias: [3] } };
  const parts = [], head = {};
  let at = 0;
  for (const [node, own] of Object.entries(shapes)) for (const [name, shape] of Object.entries(own)) {
    const bytes = Buffer.from(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5).buffer);
    head[node + '.' + name] = { dtype: 'F32', shape, data_offsets: [at, at += bytes.length] };
    parts.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(head)), length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = Buffer.concat([length, text, ...parts]);`;

describe('a command that hands back weights', () => {
  it('is told where to write them if they are kept, and they are checked and handed on', async () => {
    let kept: Uint8Array | null = null;
    const metrics = await evaluator({ command: [...writer(`${FILL} writeFileSync(weights, file)`)] }).evaluate(request({ onWeights: (w) => { kept = w; } }));
    expect(metrics['asked']!.value).toBe(1);
    const { about, weights } = decodeTrainedWeights(kept!);
    expect(about).toMatchObject({ by: 'trainer', accuracy: 62.5 });
    expect([...weights.keys()]).toEqual(request().graph!.nodes.filter((n) => n.kind === 'conv2d' || n.kind === 'linear').map((n) => n.id));
    expect((await temporary())).toEqual([]);
  });

  it('need not', async () => {
    expect((await evaluator({ command: [...writer('')] }).evaluate(request({ onWeights: () => { throw new Error('none came'); } })))['asked']!.value).toBe(1);
  });

  it('is not asked for them where none are kept, or where points are no networks', async () => {
    const e = evaluator({ command: [...writer('')] });
    expect((await e.evaluate(request()))['asked']!.value).toBe(0);
    expect((await e.evaluate(request({ graph: null, onWeights: () => undefined })))['asked']!.value).toBe(0);
  });

  it('fails with the tensor\'s name if they are not the network\'s, metrics kept', async () => {
    const wrong = evaluator({ command: [...writer(`${FILL} writeFileSync(weights, file.subarray(0, file.length - 1))`)] }).evaluate(request({ onWeights: () => undefined }));
    await expect(wrong).rejects.toMatchObject({ reason: 'invalid-weights', message: expect.stringMatching(/that end within "linear_4.bias"/) as string, metrics: { accuracy: { value: 62.5 } } });
  });
});

describe('a command that tells of its epochs', () => {
  const TELLING = `
    require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id } = JSON.parse(line);
      const values = [];
      const timer = setInterval(() => {
        values.push(10 * (values.length + 1));
        if (values.length < 5) console.log(JSON.stringify({ id, epochs: 5, curves: { accuracy: values } }));
        else console.log(JSON.stringify({ id, metrics: { accuracy: 50 }, curves: { accuracy: values } })), clearInterval(timer);
      }, 100);
    });
  `;

  it('is ended where its curve says so, with what it had come to; the next question gets a whole answer', async () => {
    const e = evaluator({ command: [process.execPath, '-e', TELLING] });
    const stopped = e.evaluate(request({ stopWhen: ({ epochs, curves }) => (curves['accuracy']!.values.length >= 2 ? `hopeless of ${epochs}` : null) }));
    const error = await stopped.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoppedEarly);
    expect(error).toMatchObject({ message: 'hopeless of 5', reached: 0.4, metrics: { accuracy: { value: 20, unit: '%', provenance: 'reported', curve: [10, 20], source: expect.stringMatching(/after 2 of 5 epochs, then ended$/) as string } } });
    const told: (number | null)[] = [];
    expect((await e.evaluate(request({ stopWhen: () => null, onProgress: ({ epochs }) => told.push(epochs) })))['accuracy']).toMatchObject({ value: 50, curve: [10, 20, 30, 40, 50] });
    expect(told).toEqual([5, 5, 5, 5]);
  });
});

async function temporary(): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  return (await readdir(tmpdir())).filter((f) => f.startsWith('caddis-network-'));
}
