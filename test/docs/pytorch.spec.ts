import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, inferShapes, isKind, type Graph, type Tensor } from '@app/graph';
import { Rng } from '@app/numeric';
import { stateDict, torchFile, toPyTorch } from '@app/pytorch';
import { afterAll, describe, expect, it } from 'vitest';
import { EXAMPLES, flynet04, flynetBlock, randomTensor, randomWeights } from '../support/example-graphs.js';

/** A Python that has PyTorch; Debian's package python3-torch gives it to the system's own. */
const PYTHON = process.env['CADDIS_TEST_PYTHON'] ?? '/usr/bin/python3';
const folder = mkdtempSync(join(tmpdir(), 'caddis-pytorch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plain = ({ shape, data }: Tensor): object => ({ shape, data: Array.from(data) });

interface Case {
  readonly graph: Graph;
  readonly inputs: readonly Tensor[];
  readonly expected: readonly Tensor[];
}

/** What the generated modules answer, all in one Python. */
function run(graphs: readonly Graph[]): { readonly cases: readonly Case[]; readonly answers: readonly (readonly { shape: number[]; data: number[] }[])[] } {
  const rng = Rng.of(2026, 'pytorch');
  const cases: Case[] = [];
  const stored = graphs.map((graph, i) => {
    const weights = randomWeights(graph, rng);
    const inputs = new Map(graph.nodes.flatMap((n) => (isKind(n, 'input') ? [[n.id, randomTensor(n.attrs.shape, rng)] as const] : [])));
    const outputs = evaluate(graph, weights, inputs);
    cases.push({ graph, inputs: [...inputs.values()], expected: graph.outputs.map((id) => outputs.get(id)!) });
    const file = join(folder, `network_${i}.py`);
    writeFileSync(file, toPyTorch(graph));
    const state = join(folder, `network_${i}.pt`);
    writeFileSync(state, torchFile(stateDict(graph, weights)));
    return { name: `network_${i}`, file, inputs: [...inputs.values()].map(plain), state };
  });
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(stored));
  const { status, stdout, stderr } = spawnSync(PYTHON, [join(import.meta.dirname, 'run_modules.py'), join(folder, 'cases.json')], { encoding: 'utf8', maxBuffer: 1 << 28 });
  expect(status, stderr.slice(-4000)).toBe(0);
  return { cases, answers: JSON.parse(stdout) as { shape: number[]; data: number[] }[][] };
}

describe('PyTorch code of a network', () => {
  const graphs = [...EXAMPLES, flynetBlock(), flynet04()];
  const { cases, answers } = run(graphs);
  it.each(cases.map((c, i) => [c.graph.name, c, answers[i]!] as const))('computes in PyTorch what the reference evaluation does: %s', (_name, { expected, graph }, outputs) => {
    const shapes = inferShapes(graph);
    outputs.forEach((output, i) => {
      expect(output.shape).toEqual([...shapes.get(graph.outputs[i]!)!]);
      const largest = expected[i]!.data.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
      const worst = expected[i]!.data.reduce((most, v, k) => Math.max(most, Math.abs(v - output.data[k]!)), 0);
      expect(worst / largest).toBeLessThan(1e-4);
    });
  });
});
