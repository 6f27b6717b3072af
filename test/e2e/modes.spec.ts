import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StudyDetail, TrialView } from '@app/contracts';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { allTrials, essence, json, ServiceProcess, untilEnded } from '../support/service-process.js';

const root = join(import.meta.dirname, '../..');
const CLI = join(root, 'dist/apps/cli/src/main.js');
const examples = join(root, 'search-spaces/examples');

let database: FreshDatabase;
let dir: string;
beforeAll(async () => {
  database = await freshDatabase();
  dir = mkdtempSync(join(tmpdir(), 'caddis-modes-'));
});
afterAll(async () => {
  await database.drop();
  rmSync(dir, { recursive: true, force: true });
});

const environment = (): Record<string, string> => ({ CADDIS_DATA_DIR: dir, ...database.env });
const submit = (base: string, yaml: string): Promise<StudyDetail> =>
  json(`${base}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: yaml });

async function start(env: Record<string, string>): Promise<ServiceProcess[]> {
  const serve = await ServiceProcess.serve(env);
  return env['REDIS_URL'] === undefined ? [serve] : [serve, ServiceProcess.worker(env), ServiceProcess.worker(env)];
}

describe('the same study in every mode', () => {
  it.each(['nas201-three-objectives.yaml', 'flynet-stm32f446re.yaml'])('%s has the same trials and front in one process and through the service', { timeout: 400_000 }, async (example) => {
    const alone = JSON.parse(execFileSync(process.execPath, [CLI, 'search', join(examples, example), '--json'], { encoding: 'utf8', maxBuffer: 256 << 20, stdio: ['ignore', 'pipe', 'ignore'] })) as { trials: TrialView[]; hypervolume: number };
    const processes = await start(environment());
    try {
      const base = processes[0]!.url;
      const study = await submit(base, readFileSync(join(examples, example), 'utf8'));
      const ended = await untilEnded(base, study.id, 300_000);
      expect(ended.state).toBe('completed');
      expect((await allTrials(base, study.id)).map(essence)).toEqual(alone.trials.map(essence));
      expect(ended.hypervolume).toBe(alone.hypervolume);
    } finally {
      await Promise.all(processes.map((p) => p.terminate()));
    }
  });

  it('ends in order on SIGTERM in the middle of a search and goes on from there', { timeout: 120_000 }, async () => {
    const env = environment();
    let processes = await start(env);
    const yaml = readFileSync(join(examples, 'nas201-three-objectives.yaml'), 'utf8').replace('maxTrials: 300', 'maxTrials: 3000').replace('name: mads', 'name: random');
    const study = await submit(processes[0]!.url, yaml);
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const p of processes) {
      await p.terminate();
      expect(p.log()).not.toMatch(/"level":(50|60)/);
    }
    processes = await start(env);
    try {
      expect(await untilEnded(processes[0]!.url, study.id)).toMatchObject({ state: 'completed', counts: { total: 3000 } });
    } finally {
      await Promise.all(processes.map((p) => p.terminate()));
    }
  });
});
