import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog } from '@app/catalog';
import { exportFormat, studySpec, type ExportFormat } from '@app/contracts';
import { buildBundle, type BundleRequest, type Manifest } from '@app/export';
import { MemoryStore } from '@app/store';
import { Client } from '../client.js';
import { InputError, print, printJson, quantity, wantsJson } from '../output.js';
import { VERSION } from '../version.js';
import { askedTask, namedDevice, namedPoint } from './predict.js';
import { wholeNumber } from './search.js';

interface Options {
  readonly format: string;
  readonly out: string;
  readonly space?: string;
  readonly device?: string;
  readonly classes?: number;
  readonly channels?: number;
  readonly from?: string;
  readonly server: string;
  readonly seed?: number;
}

interface Written { readonly file: string; readonly manifest: string; readonly bytes: number; readonly sha256: string; readonly weights: Manifest['weights'] }

export function exportCommand(program: Command): void {
  program
    .command('export <what>')
    .description('write a network as files that run: a trial of a server (its id), a trial of a search folder (its number, with --from), or a point (JSON or code, with --space)')
    .option('--format <list>', 'onnx, onnx-int8, pytorch, state-dict, json; separated by commas', 'onnx')
    .option('--out <dir>', 'folder to write to', 'caddis-out')
    .option('--space <name>', 'the space of a point')
    .option('--device <ids>', 'price a point on these devices in the manifest')
    .option('--classes <n>', 'classes of the task, for a point; default: the usual ones of the space', wholeNumber('--classes'))
    .option('--channels <n>', 'channels of the input, for a point; default: the usual ones of the space', wholeNumber('--channels'))
    .option('--from <dir>', 'folder of `caddis search --out`')
    .option('--server <url>', 'server that has the trial', 'http://127.0.0.1:3000')
    .option('--seed <n>', 'seed of the initial weights, where no trained ones are kept', wholeNumber('--seed'))
    .action(async (what: string, options: Options, command: Command) => {
      const formats = options.format.split(',').map((f): ExportFormat => {
        const parsed = exportFormat.safeParse(f.trim());
        if (!parsed.success) throw new InputError(`--format: expected ${exportFormat.options.join(', ')}, got "${f.trim()}"`);
        return parsed.data;
      });
      mkdirSync(options.out, { recursive: true });
      const isId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(what);
      const written = isId && options.from === undefined && options.space === undefined
        ? await fromServer(what, formats, options)
        : await fromHere(await requestOf(what, options), formats, options);
      if (wantsJson(command)) printJson(written);
      else for (const w of written) print(`${w.file} (${quantity(w.bytes, 'B')}, sha256 ${w.sha256.slice(0, 12)}…), manifest ${w.manifest}${said(w.weights)}`);
    });
}

async function fromHere(request: Omit<BundleRequest, 'format'>, formats: readonly ExportFormat[], { out }: Options): Promise<Written[]> {
  const written: Written[] = [];
  for (const format of formats) {
    const bundle = await buildBundle({ ...request, format });
    written.push(write(out, bundle.fileName, bundle.content, bundle.sha256, bundle.manifest));
  }
  return written;
}

function write(out: string, fileName: string, content: Uint8Array, sha256: string, manifest: Manifest): Written {
  const file = join(out, fileName);
  writeFileSync(file, content);
  writeFileSync(`${file}.manifest.json`, JSON.stringify(manifest, null, 2));
  return { file, manifest: `${file}.manifest.json`, bytes: content.byteLength, sha256, weights: manifest.weights };
}

/** What the weights are, in a line's end. */
function said(weights: Manifest['weights']): string {
  if (weights.kind === 'none') return '';
  const note = weights.note === null ? '' : `; ${weights.note}`;
  if (weights.kind === 'initial') return `\n  initial weights, seed ${weights.seed}${note}`;
  const accuracy = weights.accuracy === null ? '' : weights.judgedOn === null ? `, ${weights.accuracy.toFixed(2)} % as the trainer reported` : `, ${weights.accuracy.toFixed(2)} % of ${weights.judgedOn} held-out images right`;
  return `\n  trained weights${weights.quantization === null ? '' : `, ${weights.quantization}`}${accuracy}${note}`;
}

async function fromServer(trialId: string, formats: readonly ExportFormat[], options: Options): Promise<Written[]> {
  const client = new Client(options.server);
  const written: Written[] = [];
  for (const format of formats) {
    const done = await client.exportTrial(trialId, format, options.seed);
    written.push(write(options.out, done.fileName, done.content, done.sha256, done.manifest as Manifest));
  }
  return written;
}

async function requestOf(what: string, options: Options): Promise<Omit<BundleRequest, 'format'>> {
  if (options.from !== undefined) return fromFolder(what, options);
  if (options.space === undefined) throw new InputError(`export: expected a trial's id, a trial's number with --from DIR, or a point with --space NAME; got "${what}"`);
  const catalog = loadCatalog();
  const { space, point } = namedPoint(catalog, { space: options.space, ...(what.trimStart().startsWith('{') ? { point: what } : { architecture: what }) });
  const devices = options.device?.split(',').map((id) => namedDevice(catalog, id.trim())) ?? [];
  const spec = studySpec.parse({ name: 'export', searchSpace: space.name, task: askedTask(space, options), accuracy: { method: 'none' }, objectives: [{ metric: 'macs' }], budget: { maxTrials: 1 } });
  return { definition: { space, devices, spec }, point, seed: options.seed ?? 0, version: VERSION };
}

async function fromFolder(what: string, options: Options): Promise<Omit<BundleRequest, 'format'>> {
  const store = await MemoryStore.open(options.from!);
  try {
    const study = (await store.studies({ limit: 1 })).items[0];
    if (!study) throw new InputError(`--from ${options.from}: no search there`);
    const trial = (await store.allTrials(study.id)).find((t) => String(t.number) === what || t.id === what);
    if (!trial) throw new InputError(`--from ${options.from}: no trial ${what}`);
    const { spec, space, devices } = study;
    return { definition: { spec, space, devices }, point: trial.parameters, seed: options.seed ?? spec.seed, version: VERSION, weights: await store.trialWeights(trial.id), trial: { studyId: study.id, id: trial.id, number: trial.number, metrics: trial.metrics } };
  } finally {
    await store.close();
  }
}
