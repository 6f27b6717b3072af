import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { afterEach, describe, expect, it } from 'vitest';
import { frontView, studyDetail, trialPage } from '@app/contracts';
import { DirectoryLocked, openDatabase } from '@app/store';
import { readConfig, startServer, type RunningServer, type ServerOptions } from '../../apps/api/src/server.js';
import { startWorker } from '../../apps/worker/src/worker.js';
import { EventReader } from './api/event-reader.js';
import { SPEC } from './api/harness.js';

const directories: string[] = [];
const servers: RunningServer[] = [];
const directory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'caddis-start-'));
  directories.push(path);
  return path;
};

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  directories.splice(0).forEach((path) => rmSync(path, { recursive: true, force: true }));
});

async function start(dataDir: string, port = '0', worker: ServerOptions['worker'] = embeddedWorker): Promise<RunningServer> {
  const server = await startServer({ config: readConfig({ PORT: port, CADDIS_DATA_DIR: dataDir, LOG_LEVEL: 'silent' }), version: '0.0.0-test', worker, signals: false });
  servers.push(server);
  return server;
}

const embeddedWorker: ServerOptions['worker'] = ({ store, queue, logger, onChange }) => startWorker({ store, queue, log: logger, onChange, version: '0.0.0-test', sweepMs: 0 });

describe('a service started from its configuration alone', () => {
  it('searches in its own process, tells of it live, exports a winner, and has it all after a restart', { timeout: 120_000 }, async () => {
    const dataDir = directory();
    const first = await start(dataDir);
    const created = studyDetail.parse((await request(first.url).post('/v1/studies').send({ ...SPEC, constraints: [], budget: { maxTrials: 60 } }).expect(201)).body);
    const place = `/v1/studies/${created.id}`;
    const reader = await EventReader.open(`${first.url}${place}/events`);
    const states = (): unknown[] => reader.events.flatMap((e) => (e.type === 'snapshot' || e.type === 'study.state' ? [(e.data as { state: string }).state] : []));
    await reader.until(() => states().includes('completed'), 90_000);
    reader.close();
    const trials = trialPage.parse((await request(first.url).get(`${place}/trials?limit=500`).expect(200)).body).items;
    expect(trials.map((t) => t.number)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    const front = frontView.parse((await request(first.url).get(`${place}/front`).expect(200)).body);
    expect(front.trials.length).toBeGreaterThan(0);
    expect(front.hypervolume).toBeGreaterThan(0);

    const asked = await request(first.url).post(`/v1/trials/${front.trials[0]!.id}/exports`).send({ format: 'onnx' }).expect(202);
    const until = Date.now() + 60_000;
    let view = asked.body;
    while (['queued', 'running'].includes(view.state) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      view = (await request(first.url).get(asked.headers['location']!)).body;
    }
    expect(view).toMatchObject({ state: 'completed', message: null });
    const file = await request(first.url).get(`${asked.headers['location']}/content`).buffer(true).expect(200);
    expect(Buffer.from(file.body)).toHaveLength(view.bytes);
    await first.close();

    const second = await start(dataDir);
    expect((await request(second.url).get(`${place}/trials?limit=500`).expect(200)).body.items).toEqual(JSON.parse(JSON.stringify(trials)));
    expect((await request(second.url).get(asked.headers['location']!).expect(200)).body).toEqual(view);
    const raised = await request(second.url).patch(place).send({ budget: { maxTrials: 70 } }).expect(200);
    expect(raised.body.state).toBe('completed');
    await request(second.url).post(`${place}:resume`).expect(202);
    const again = Date.now() + 60_000;
    let study = raised.body;
    while ((study.state !== 'completed' || study.counts.total < 70) && Date.now() < again) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      study = (await request(second.url).get(place)).body;
    }
    expect(study).toMatchObject({ state: 'completed', counts: { total: 70 } });
  });

  it('lets go of everything if the port is taken', { timeout: 60_000 }, async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const dataDir = directory();
    let ended = false;
    await expect(start(dataDir, String((blocker.address() as AddressInfo).port), async () => ({ close: async () => { ended = true; } }))).rejects.toMatchObject({ code: 'EADDRINUSE' });
    blocker.close();
    expect(ended).toBe(true);
    const database = await openDatabase({ dataDir });
    await database.close();
  });

  it('refuses the data folder of a living service', { timeout: 60_000 }, async () => {
    const dataDir = directory();
    const first = await start(dataDir);
    await expect(start(dataDir)).rejects.toBeInstanceOf(DirectoryLocked);
    await request(first.url).get('/health/ready').expect(200);
  });
});
