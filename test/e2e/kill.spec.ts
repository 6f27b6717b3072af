import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '@app/numeric';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { allTrials, createStudy, essence, ServiceProcess, untilEnded } from '../support/service-process.js';

/** Search inside the step: hundreds of quick trials a second. */
const TABLE_STUDY = {
  name: 'killed table search', searchSpace: 'nas-bench-201', accuracy: { method: 'table' },
  objectives: [{ metric: 'error' }, { metric: 'latency', target: 'pixel-3', unit: 'ms' }, { metric: 'params' }],
  referencePoint: { error: 45, 'latency@pixel-3': 90, params: 1.6e6 },
  algorithm: { name: 'mads' }, budget: { maxTrials: 900 }, seed: 11,
};

/** Evaluation jobs: four at a time, each long enough to be caught in the middle. */
const COMMAND_STUDY = {
  name: 'killed command search',
  searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.001 }, { name: 'n', type: 'int', min: 1, max: 50 }, { name: 'c', type: 'categorical', values: ['a', 'b'] }] },
  accuracy: { method: 'command', command: [process.execPath, join(import.meta.dirname, '../support/slow-blackbox.mjs')], metrics: ['f', 'g'] },
  objectives: [{ metric: 'f' }, { metric: 'g' }],
  algorithm: { name: 'mads' }, budget: { maxTrials: 120, maxParallelTrials: 4 }, seed: 5,
};

let database: FreshDatabase;
const dirs: string[] = [];
const scratch = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'caddis-kill-'));
  dirs.push(dir);
  return dir;
};

beforeAll(async () => { database = await freshDatabase(); });
afterAll(async () => {
  await database.drop();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
});

const environment = (): Record<string, string> => ({ CADDIS_ALLOW_COMMANDS: '1', CADDIS_DATA_DIR: scratch(), ...database.env });

/** The service with, where Redis is configured, two workers beside it. */
async function startAll(env: Record<string, string>): Promise<ServiceProcess[]> {
  const serve = await ServiceProcess.serve(env);
  return env['REDIS_URL'] === undefined ? [serve] : [serve, ServiceProcess.worker(env), ServiceProcess.worker(env)];
}

async function undisturbed(spec: unknown): Promise<unknown[]> {
  const processes = await startAll(environment());
  try {
    const study = await createStudy(processes[0]!.url, spec);
    expect(await untilEnded(processes[0]!.url, study.id)).toMatchObject({ state: 'completed' });
    return (await allTrials(processes[0]!.url, study.id)).map(essence);
  } finally {
    await Promise.all(processes.map((p) => p.terminate()));
  }
}

/** Kills everything with -9 at random moments until the study has ended. */
async function killed(spec: unknown, kills: number, rng: Rng): Promise<{ trials: unknown[]; deaths: number }> {
  const env = environment();
  let processes = await startAll(env);
  let deaths = 0;
  try {
    const { id } = await createStudy(processes[0]!.url, spec);
    for (; deaths < kills; deaths++) {
      await new Promise((resolve) => setTimeout(resolve, 30 + rng.int(600)));
      await Promise.all(processes.map((p) => p.kill()));
      processes = await startAll(env);
    }
    expect(await untilEnded(processes[0]!.url, id)).toMatchObject({ state: 'completed' });
    return { trials: (await allTrials(processes[0]!.url, id)).map(essence), deaths };
  } finally {
    await Promise.all(processes.map((p) => p.kill()));
  }
}

describe('a service killed with -9 at random moments', () => {
  it.each([['search inside the step', TABLE_STUDY], ['evaluation jobs', COMMAND_STUDY]])('ends with exactly the trials of an undisturbed run: %s', { timeout: 300_000 }, async (_, spec) => {
    const expected = await undisturbed(spec);
    const { trials, deaths } = await killed(spec, 6, Rng.of(Date.now() % 1_000_003, 'kill'));
    expect(deaths).toBe(6);
    expect(trials).toEqual(expected);
  });
});
