import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Job, JobHandlers, JobQueue } from '@app/study';
import { jobId, type QueueEvents } from '../job.js';

/** Handlers that write down what they were given. */
export function recorder(behave: (job: Job, signal: AbortSignal) => Promise<void> = async () => undefined): { handlers: JobHandlers; seen: Job[] } {
  const seen: Job[] = [];
  const handler = async (job: Job, signal: AbortSignal): Promise<void> => {
    seen.push(job);
    await behave(job, signal);
  };
  return { seen, handlers: { 'study.step': handler, 'trials.evaluate': handler, 'export.build': handler } };
}

export const stepOf = (studyId: string = randomUUID()): Job => ({ name: 'study.step', studyId });
const NONE = { 'study.step': 0, 'trials.evaluate': 0, 'export.build': 0 };

/** The exam every JobQueue has to pass. `open` gives queues that see each other's jobs as far as the kind allows. */
export function examineQueue(name: string, open: (events: QueueEvents) => Promise<JobQueue>): void {
  describe(name, () => {
    let queue: JobQueue;
    const errors: { error: Error; job: Job | null }[] = [];
    const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 5 });
    beforeEach(async () => {
      errors.length = 0;
      queue = await open({ onError: (error, job) => errors.push({ error, job }) });
    });
    afterEach(() => queue.close(0));

    it('hands each job to the handler of its name, as it was added', async () => {
      const jobs: Job[] = [stepOf(), { name: 'trials.evaluate', studyId: randomUUID(), trialIds: [randomUUID(), randomUUID()] }, { name: 'export.build', exportId: randomUUID() }];
      const { seen, handlers } = recorder();
      await queue.add(jobs);
      expect(await queue.depth()).toEqual({ 'study.step': 1, 'trials.evaluate': 1, 'export.build': 1 });
      await queue.work(handlers, 2);
      await until(() => expect(seen).toHaveLength(3));
      expect(seen).toEqual(expect.arrayContaining(jobs));
      await until(async () => expect(await queue.depth()).toEqual(NONE));
    });

    it('refuses to work without a handler for every job', async () => {
      const { handlers } = recorder();
      const { 'export.build': _, ...some } = handlers;
      await expect(queue.work(some as JobHandlers, 1)).rejects.toThrow('no handler for export.build');
      for (const concurrency of [0, 1.5, NaN]) await expect(queue.work(handlers, concurrency)).rejects.toThrow(/concurrency: expected/);
    });

    it('keeps one of several equal jobs that wait', async () => {
      const job = stepOf();
      const evaluate: Job = { name: 'trials.evaluate', studyId: randomUUID(), trialIds: ['a', 'b'] };
      await queue.add([job, job, evaluate]);
      await queue.add([job, { ...evaluate }, { ...evaluate, trialIds: ['a', 'c'] }]);
      expect(await queue.depth()).toEqual({ 'study.step': 1, 'trials.evaluate': 2, 'export.build': 0 });
    });

    it('runs a job again that is added while it runs, and again after it is done', async () => {
      const job = stepOf();
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => { release = resolve; });
      const { seen, handlers } = recorder(() => (seen.length === 1 ? held : Promise.resolve()));
      await queue.work(handlers, 1);
      await queue.add([job]);
      await until(() => expect(seen).toHaveLength(1));
      await queue.add([job]);
      await queue.add([job]);
      release();
      await until(() => expect(seen).toHaveLength(2));
      await until(async () => expect(await queue.depth()).toEqual(NONE));
      expect(seen).toHaveLength(2);
      await queue.add([job]);
      await until(() => expect(seen).toHaveLength(3));
    });

    it('goes on after a job that failed, and takes that job again', async () => {
      const bad = stepOf();
      const { seen, handlers } = recorder(async (job) => {
        if (jobId(job) === jobId(bad) && seen.filter((j) => jobId(j) === jobId(bad)).length === 1) throw new Error('broken');
      });
      await queue.work(handlers, 1);
      await queue.add([bad, stepOf()]);
      await until(() => expect(seen).toHaveLength(2));
      await until(() => expect(errors).toHaveLength(1));
      expect(errors[0]).toMatchObject({ error: { message: 'broken' }, job: bad });
      await until(async () => expect(await queue.depth()).toEqual(NONE));
      await queue.add([bad]);
      await until(() => expect(seen).toHaveLength(3));
    });

    it('runs as many of a name side by side as it was told, and other names beside them', async () => {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => { release = resolve; });
      const { seen, handlers } = recorder((job) => (job.name === 'trials.evaluate' ? held : Promise.resolve()));
      const names = (): string[] => seen.map((j) => j.name).sort();
      await queue.work(handlers, 3);
      await queue.add(Array.from({ length: 12 }, () => ({ name: 'trials.evaluate', studyId: 's', trialIds: [randomUUID()] }) as const));
      await queue.add([stepOf()]);
      await until(() => expect(names()).toEqual(['study.step', 'trials.evaluate', 'trials.evaluate', 'trials.evaluate']));
      await new Promise((r) => setTimeout(r, 50));
      expect(seen).toHaveLength(4);
      expect((await queue.depth())['trials.evaluate']).toBe(12);
      release();
      await until(() => expect(seen).toHaveLength(13));
    });

    it('lets running jobs end at closing, which may add others, and takes no new ones', async () => {
      let added: unknown = null;
      const { seen, handlers } = recorder(async () => {
        await new Promise((r) => setTimeout(r, 150));
        added = await queue.add([stepOf()]).then(() => 'added', (e: Error) => e);
      });
      await queue.work(handlers, 1);
      await queue.add([stepOf(), stepOf()]);
      await until(() => expect(seen).toHaveLength(1));
      await queue.close(5000);
      expect(added).toBe('added');
      expect(seen).toHaveLength(1);
      expect(errors).toEqual([]);
    });

    it('aborts a job that outlives the grace', async () => {
      let reason: unknown = null;
      const { seen, handlers } = recorder((_, signal) => new Promise((resolve) => signal.addEventListener('abort', () => { reason = signal.reason; resolve(); })));
      await queue.work(handlers, 1);
      await queue.add([stepOf()]);
      await until(() => expect(seen).toHaveLength(1));
      const began = performance.now();
      await queue.close(50);
      expect(performance.now() - began).toBeGreaterThanOrEqual(45);
      expect(reason).toMatchObject({ message: 'the worker is stopping' });
    });

    it('answers a ping while it is open, and closing twice is harmless', async () => {
      await expect(queue.ping()).resolves.toBeUndefined();
      await queue.close();
      await queue.close();
      await expect(queue.ping()).rejects.toThrow();
    });
  });
}
