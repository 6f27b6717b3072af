/** Reads the measured memory figures: `tflm_memory.json.gz`, `stm32_model_zoo.json`, `mcunet_tinyengine.json`, `micronets.json` of one folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { MeasuredNetwork, MeasuredOp } from './memory-networks.js';

export interface ArenaRow {
  readonly kind: string;
  readonly network: MeasuredNetwork;
  /** B */
  readonly arenaUsed: number;
  readonly nonPersistent: number;
  readonly weightBytes: number;
  readonly fileBytes: number;
}

export interface RuntimeRow {
  readonly runtime: string;
  readonly network: MeasuredNetwork;
  /** the files of this table copy inputs into their padding, which the layer lists don't say */
  readonly copiesPadding: boolean;
  /** which figure of the source, in B */
  readonly activationRam?: number;
  readonly ram?: number;
  readonly flash?: number;
  readonly weightFlash?: number;
  readonly codeFlash?: number;
}

export interface MemoryData {
  readonly arenas: readonly ArenaRow[];
  readonly runtimes: readonly RuntimeRow[];
}

interface ArenaFile {
  readonly rows: readonly {
    readonly kind: string; readonly model: string; readonly arena_used: number; readonly nonpersistent: number; readonly weight_bytes: number; readonly tflite_bytes: number;
    readonly graph: { readonly tensors: readonly (readonly number[])[]; readonly tensor_bytes?: readonly number[]; readonly inputs: readonly number[]; readonly ops: readonly (readonly [string, ...number[]])[] };
  }[];
}

interface RuntimeFile {
  readonly models: Readonly<Record<string, {
    readonly tensors: readonly { readonly shape: readonly number[]; readonly bytes: number }[];
    readonly graph_inputs: readonly number[];
    readonly layers: readonly { readonly op: string; readonly k?: readonly number[]; readonly s?: readonly number[]; readonly pad?: string; readonly inputs: readonly number[]; readonly output: number }[];
  }>>;
  readonly rows: readonly (Readonly<Record<string, number | null>> & { readonly model: string; readonly runtime?: string })[];
}

/** @throws Error naming the folder if none of the files is there */
export function readMemoryData(folder: string): MemoryData {
  const arenas = join(folder, 'tflm_memory.json.gz');
  const files = ['stm32_model_zoo.json', 'mcunet_tinyengine.json', 'micronets.json'].map((f) => join(folder, f)).filter((f) => existsSync(f));
  if (!existsSync(arenas) && files.length === 0) throw new Error(`--measurements: expected tflm_memory.json.gz or other memory files in ${folder}, found none`);
  return {
    arenas: existsSync(arenas) ? (JSON.parse(gunzipSync(readFileSync(arenas)).toString('utf8')) as ArenaFile).rows.map(arenaRow) : [],
    runtimes: files.flatMap((f) => runtimeRows(JSON.parse(readFileSync(f, 'utf8')) as RuntimeFile, f.includes('mcunet'))),
  };
}

const WINDOWED = new Set(['conv', 'dwconv', 'avg_pool', 'max_pool']);

function arenaRow(row: ArenaFile['rows'][number]): ArenaRow {
  const { tensors, tensor_bytes, inputs, ops } = row.graph;
  const network: MeasuredNetwork = {
    name: row.model,
    shapes: tensors,
    bytes: tensor_bytes ?? tensors.map((shape) => shape.reduce((a, b) => a * b, 1)),
    inputs,
    ops: ops.map(([type, ...numbers]): MeasuredOp => {
      const ids = WINDOWED.has(type) ? numbers.slice(0, -5) : numbers;
      return { type, inputs: ids.slice(0, -1), output: ids.at(-1)!, window: WINDOWED.has(type) ? (numbers.slice(-5) as [number, number, number, number, number]) : null };
    }),
  };
  return { kind: row.kind.split(',')[0]!, network, arenaUsed: row.arena_used, nonPersistent: row.nonpersistent, weightBytes: row.weight_bytes, fileBytes: row.tflite_bytes };
}

function runtimeRows(file: RuntimeFile, copiesPadding: boolean): RuntimeRow[] {
  return file.rows.flatMap((row) => {
    const model = file.models[row.model];
    if (model === undefined) return [];
    const network: MeasuredNetwork = {
      name: row.model,
      shapes: model.tensors.map((t) => t.shape),
      bytes: model.tensors.map((t) => t.bytes),
      inputs: model.graph_inputs,
      ops: model.layers.map((l): MeasuredOp => ({
        type: l.op, inputs: l.inputs, output: l.output,
        window: WINDOWED.has(l.op) ? [l.k![0]!, l.k![1]!, l.s![0]!, l.s![1]!, l.pad === 'SAME' ? 1 : 0] : null,
      })),
    };
    // a kB of TinyEngine's table is 1024 B and of MicroNets' 1000: only so is what TFLM takes above the arena the same for all networks
    const kB = copiesPadding ? 1024 : 1000;
    const figure = (name: string, factor: number): number | undefined => (typeof row[name] === 'number' ? row[name] * factor : undefined);
    const figures = {
      activationRam: figure('activation_ram_KiB', 1024), ram: figure('sram_kB', kB), flash: figure('binary_kB', kB) ?? figure('flash_kB', kB),
      weightFlash: figure('weights_flash_KiB', 1024), codeFlash: figure('code_flash_KiB', 1024),
    };
    return [{ runtime: row.runtime ?? 'TensorFlow Lite Micro with CMSIS-NN (MicroNets)', network, copiesPadding, ...Object.fromEntries(Object.entries(figures).filter(([, v]) => v !== undefined)) }];
  });
}
