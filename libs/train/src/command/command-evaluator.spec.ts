import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graphBuilder } from '@app/graph';
import type { AccuracyEvaluator, AccuracyRequest } from '@app/study';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

async function temporary(): Promise<string[]> {
  const { readdir } = await import('node:fs/promises');
  return (await readdir(tmpdir())).filter((f) => f.startsWith('caddis-network-'));
}
