import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { NetworkForm } from '@app/contracts';
import { initialWeights, type Graph } from '@app/graph';
import { toOnnx } from '@app/onnx';
import { toPyTorch } from '@app/pytorch';
import type { Point } from '@app/space';
import { EvaluatorError } from '@app/study';

/** Opset of networks handed to trainers: as of exports. */
const OPSET = 17;

/** A candidate's network in each form asked for. @throws EvaluatorError `unsupported` if the point stands for no network */
export function networkForms(graph: Graph | null, forms: readonly NetworkForm[], seed: number): Partial<Record<NetworkForm, Uint8Array>> {
  if (forms.length === 0) return {};
  if (graph === null) throw new EvaluatorError('unsupported', `points of this space stand for no network, so there is nothing to send as ${forms.join(', ')}`);
  const write: Record<NetworkForm, () => Uint8Array> = {
    onnx: () => toOnnx(graph, initialWeights(graph, seed), { producer: 'caddis', opset: OPSET }),
    pytorch: () => Buffer.from(toPyTorch(graph)),
    graph: () => Buffer.from(JSON.stringify(graph)),
  };
  return Object.fromEntries(forms.map((form) => [form, write[form]()]));
}

const FILE_NAMES: Readonly<Record<NetworkForm, string>> = { onnx: 'network.onnx', pytorch: 'network.py', graph: 'network.json' };

/** The same as files in a folder of their own, for as long as `use` takes. */
export async function withNetworkFiles<T>(forms: Partial<Record<NetworkForm, Uint8Array>>, use: (paths: Partial<Record<NetworkForm, string>>, folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'caddis-network-'));
  try {
    const entries = Object.entries(forms) as [NetworkForm, Uint8Array][];
    return await use(Object.fromEntries(entries.map(([form, content]) => {
      const path = join(folder, FILE_NAMES[form]);
      writeFileSync(path, content);
      return [form, path];
    })), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One name a candidate, whatever the fidelity: a trainer finds there what it left at a lower one. */
export const checkpointName = (point: Point, seed: number): string =>
  createHash('sha256').update(JSON.stringify([seed, Object.entries(point).sort(([a], [b]) => (a < b ? -1 : 1))])).digest('hex').slice(0, 32);

/** A candidate's own folder under that of the study, made if it is not there. */
export function checkpointFolder(folder: string, point: Point, seed: number): string {
  const path = join(resolve(folder), checkpointName(point, seed));
  mkdirSync(path, { recursive: true });
  return path;
}
