import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ForesightView } from '@app/contracts';
import { freshDatabase, type FreshDatabase } from '../support/database.js';
import { allTrials, createStudy, essence, json, ServiceProcess, untilEnded } from '../support/service-process.js';

const COMMAND = [process.execPath, join(import.meta.dirname, '../support/slow-blackbox.mjs')];
const STUDY = {
  name: 'learning', searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1, step: 0.001 }, { name: 'n', type: 'int', min: 1, max: 50 }, { name: 'c', type: 'categorical', values: ['a', 'b'] }] },
  accuracy: { method: 'command', command: COMMAND, metrics: ['f', 'g'], skip: { after: 8, confidence: 0.9 } }, objectives: [{ metric: 'f' }, { metric: 'g' }],
  algorithm: { name: 'random' }, budget: { maxTrials: 60, maxParallelTrials: 4 }, seed: 5,
};
const learningFrom = (studies: unknown, change: object = {}): object => ({ ...STUDY, accuracy: { ...STUDY.accuracy, prior: { studies } }, ...change });

let database: FreshDatabase;
let directory: string;
beforeAll(async () => {
  database = await freshDatabase();
  directory = mkdtempSync(join(tmpdir(), 'caddis-prior-'));
});
afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

const foresight = (url: string, id: string): Promise<ForesightView> => json(`${url}/v1/studies/${id}/foresight`);
const refusal = async (url: string, spec: object): Promise<{ status: number; errors: { pointer: string; code: string; message: string }[] }> => {
  const answer = await fetch(`${url}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(spec) });
  return { status: answer.status, errors: ((await answer.json()) as { errors: { pointer: string; code: string; message: string }[] }).errors };
};

describe('a study that learns from another of its task', { timeout: 300_000 }, () => {
  it('passes over what the other foretells, says so, and has the same trials whatever is killed and whatever becomes of the other', async () => {
    const env: Record<string, string> = { CADDIS_ALLOW_COMMANDS: '1', CADDIS_DATA_DIR: directory, ...database.env };
    const startAll = async (): Promise<ServiceProcess[]> => {
      const serve = await ServiceProcess.serve(env);
      return env['REDIS_URL'] === undefined ? [serve] : [serve, ServiceProcess.worker(env), ServiceProcess.worker(env)];
    };
    let processes = await startAll();
    const url = (): string => processes[0]!.url;
    try {
      const earlier = await createStudy(url(), learningFrom('none', { name: 'earlier', seed: 8, budget: { maxTrials: 40, maxParallelTrials: 4 }, accuracy: { ...STUDY.accuracy, skip: undefined } }));
      await untilEnded(url(), earlier.id);
      const alone = await createStudy(url(), learningFrom('none'));
      await untilEnded(url(), alone.id);
      const whole = await createStudy(url(), learningFrom([earlier.id]));
      await untilEnded(url(), whole.id);
      const expected = (await allTrials(url(), whole.id)).map(essence);
      const passed = (trials: Awaited<ReturnType<typeof allTrials>>): number => trials.filter((t) => t.reason === 'predicted-dominated').length;
      expect(passed(await allTrials(url(), whole.id))).toBeGreaterThan(0);
      expect(expected).not.toEqual((await allTrials(url(), alone.id)).map(essence));

      const view = await foresight(url(), whole.id);
      for (const o of view.objectives) {
        expect(o.prior).toMatchObject({ studies: [{ id: earlier.id, name: 'earlier', trials: 40 }], left: 0, hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
        expect(o.error).toBeLessThanOrEqual(o.spread);
      }
      expect((await foresight(url(), alone.id)).objectives.map((o) => o.prior)).toEqual([null, null]);

      // made with the same knowledge; the study it is of is gone before it ends, and so is every process, three times
      const killed = await createStudy(url(), learningFrom([earlier.id]));
      await fetch(`${url()}/v1/studies/${earlier.id}`, { method: 'DELETE' });
      for (const pause of [150, 350, 250]) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        await Promise.all(processes.map((p) => p.kill()));
        processes = await startAll();
      }
      await untilEnded(url(), killed.id);
      expect((await allTrials(url(), killed.id)).map(essence)).toEqual(expected);
      expect((await fetch(`${url()}/v1/studies/${earlier.id}`)).status).toBe(404);

      const copy = await json<{ id: string }>(`${url()}/v1/studies/${whole.id}:clone`, { method: 'POST' });
      await json(`${url()}/v1/studies/${copy.id}:start`, { method: 'POST' });
      await untilEnded(url(), copy.id);
      expect((await allTrials(url(), copy.id)).map(essence)).toEqual(expected);

      expect(await refusal(url(), learningFrom([whole.id, earlier.id]))).toMatchObject({ status: 422, errors: [{ pointer: '/accuracy/prior/studies/1', code: 'not-found', message: `no study "${earlier.id}"` }] });
      expect(await refusal(url(), learningFrom([whole.id], { task: { numClasses: 7 } }))).toMatchObject({ status: 422, errors: [{ pointer: '/accuracy/prior/studies/0', code: 'prior-differs', message: `study ${whole.id} differs in task.numClasses: it has 1000, this study 7` }] });
      expect((await refusal(url(), learningFrom('some'))).errors[0]!.pointer).toBe('/accuracy/prior/studies');
    } finally {
      await Promise.all(processes.map((p) => p.terminate()));
    }
  });
});
