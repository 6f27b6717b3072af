import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog } from '@app/catalog';
import { TERMINAL_STATES, type FrontView, type StudyDetail } from '@app/contracts';
import type { StudyDefinition } from '@app/study';
import { accuracyEvaluator } from '@app/train';
import { parse, stringify } from 'yaml';
import { Client } from '../client.js';
import { exactHypervolume } from '../exact-front.js';
import { print, printJson, Progress, quantity, say, seconds, table, wantsJson } from '../output.js';
import { readText } from '../read-file.js';
import { packageRoot, VERSION } from '../version.js';
import { wholeNumber } from './search.js';

interface Options {
  readonly exit?: true;
  readonly data: string;
  readonly out: string;
  readonly port: number;
}

/** The main job on the embedded default, start to finish, over the same REST calls a user makes. */
export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description('the main job from start to finish: search, front, export, page')
    .option('--exit', 'end when done instead of leaving the page up')
    .option('--data <dir>', 'data folder of the demo; emptied first', '.caddis/demo')
    .option('--out <dir>', 'folder for the exported network', 'caddis-out')
    .option('--port <n>', 'port of the page; 0: any free one', wholeNumber('--port'), 3000)
    .action(async (options: Options, command: Command) => {
      const json = wantsJson(command);
      const tell = json ? say : print;
      const began = performance.now();
      rmSync(resolve(options.data), { recursive: true, force: true });
      const { startService } = await import('../service.js');
      const service = await startService({ port: options.port, anyFreePort: true, dataDir: resolve(options.data), quiet: true });
      try {
        tell(`Caddis ${VERSION}, embedded database and queue. Page: ${service.url}\n`);
        const client = new Client(service.url);
        const table201 = await tableStudy(client, tell, json);
        const board = await boardStudy(client, tell, json, options.out);
        const took = (performance.now() - began) / 1000;
        if (json) printJson({ url: service.url, table: table201, board, seconds: took });
        else tell(`Done in ${seconds(took)}.`);
        if (options.exit) return;
        say(`The page is at ${service.url} (Ctrl-C ends it).`);
        await new Promise<void>((resolveEnd) => {
          process.once('SIGINT', resolveEnd);
          process.once('SIGTERM', resolveEnd);
        });
      } finally {
        await service.close();
      }
    });
}

const example = (name: string): string => readText(join(packageRoot(), 'search-spaces', 'examples', name));

/** MADS on measured networks, beside random search on the same budget and the exact front, which enumeration gives. */
async function tableStudy(client: Client, tell: (text: string) => void, json: boolean): Promise<unknown> {
  const yaml = example('nas201-three-objectives.yaml');
  tell('1. 15,625 measured networks, three objectives: what share of the exact front does a search of 300 reach?');
  const mads = await runStudy(client, yaml, json);
  const random = await runStudy(client, stringify({ ...(parse(yaml) as object), name: 'random search, same budget', algorithm: { name: 'random' } }), json);
  const exact = await exactHypervolume(definitionOf(yaml), accuracyEvaluator);
  const share = (front: FrontView): number => front.hypervolume! / exact.inUnits(front.objectives);
  tell(`\n${frontTable(mads.front)}\n`);
  tell(`Hypervolume reached: ${mads.study.algorithm} ${percent(share(mads.front))}, random search ${percent(share(random.front))} of the exact front (${exact.size} networks, by enumeration).\n`);
  return { study: mads.study.id, trials: mads.study.counts.total, front: mads.front.trials.map((t) => t.number), hypervolumeShare: share(mads.front), randomShare: share(random.front), exactFrontSize: exact.size };
}

/** FlyNet on a microcontroller with 128 KiB of RAM, and one winner as a file. */
async function boardStudy(client: Client, tell: (text: string) => void, json: boolean, out: string): Promise<unknown> {
  const yaml = example('flynet-stm32f446re.yaml');
  tell('2. FlyNet on an STM32F446RE: 128 KiB of RAM, 512 KiB of flash, int8.');
  const { study, front } = await runStudy(client, yaml, json);
  if (front.empty) {
    tell(`\nNo network meets every limit: ${front.empty.message}.`);
    for (const c of front.empty.constraints) tell(`  ${c.key}: limit ${c.limit} ${c.unit}, the nearest seen has ${c.nearest ?? '—'} ${c.unit} (${c.passed} of ${c.of} trials meet it)`);
    return { study: study.id, empty: front.empty };
  }
  tell(`\n${frontTable(front)}\n`);
  const winner = front.trials.reduce((best, t) => (t.metrics['accuracy']!.value > best.metrics['accuracy']!.value ? t : best));
  const file = await client.exportTrial(winner.id, 'onnx');
  mkdirSync(out, { recursive: true });
  const path = join(out, file.fileName);
  writeFileSync(path, file.content);
  writeFileSync(`${path}.manifest.json`, JSON.stringify(file.manifest, null, 2));
  const { verified } = (file.manifest as { onnx: { verified: { runtime: string; maxAbsoluteDifference: number } } }).onnx;
  tell(`Exported trial ${winner.number}: ${path} (${quantity(file.content.byteLength, 'B')}), run in ${verified.runtime}, largest difference from our reference ${verified.maxAbsoluteDifference.toExponential(1)}.`);
  tell('Accuracy here is estimated from the published FlyNet tables; the interval and its warnings stand in the manifest.\n');
  return { study: study.id, front: front.trials.map((t) => t.number), exported: path, difference: verified.maxAbsoluteDifference };
}

async function runStudy(client: Client, yaml: string, json: boolean): Promise<{ study: StudyDetail; front: FrontView }> {
  const created = await client.createStudy(yaml);
  const progress = new Progress(`   ${created.name}`, json && !process.stderr.isTTY);
  for (;;) {
    const now = await client.study(created.id);
    const done = now.counts.completed + now.counts.infeasible + now.counts.failed;
    const eta = now.progress.etaSeconds;
    progress.update(now.progress.fraction, `${done} trials, front ${now.frontSize}${eta ? `, about ${seconds(eta[1])} left` : ''}`);
    if (TERMINAL_STATES.includes(now.state)) {
      progress.done();
      if (now.state !== 'completed') throw new Error(`study "${now.name}" ${now.state}: ${now.message ?? now.reason}`);
      return { study: { ...created, ...now }, front: await client.front(created.id) };
    }
    await new Promise((resolveWait) => setTimeout(resolveWait, 150));
  }
}

function definitionOf(yaml: string): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec(yaml);
  if ('issues' in parsed) throw new Error(`the example is at fault: ${JSON.stringify(parsed.issues)}`);
  return parsed.definition;
}

function frontTable(front: FrontView): string {
  const rows = [...front.trials].sort((a, b) => a.metrics[front.objectives[0]!.key]!.value - b.metrics[front.objectives[0]!.key]!.value);
  const most = 12;
  const shown = rows.length <= most ? rows : Array.from({ length: most }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (most - 1))]!);
  const text = table(['trial', ...front.objectives.map((o) => `${o.key} (${o.unit}, ${shown[0]!.metrics[o.key]!.provenance})`)], shown.map((t) => [String(t.number), ...front.objectives.map((o) => String(Number(t.metrics[o.key]!.value.toPrecision(4))))]));
  return rows.length <= most ? text : `${text}\n… ${most} of ${rows.length} on the front`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
