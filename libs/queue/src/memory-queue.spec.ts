import { describe, expect, it } from 'vitest';
import type { JobHandlers } from '@app/study';
import { bullOptions } from './bull-queue.js';
import { createQueue } from './create-queue.js';
import { examineQueue, recorder, stepOf } from './exam/exam-queue.js';
import { MemoryQueue } from './memory-queue.js';

examineQueue('the memory queue', async (events) => new MemoryQueue(events));

describe('createQueue', () => {
  it('gives a queue of this process if no Redis is named', async () => {
    const queue = createQueue();
    expect(queue).toBeInstanceOf(MemoryQueue);
    await queue.close();
  });

  it('does not let a job see what its adder changes later', async () => {
    const queue = new MemoryQueue();
    const trialIds = ['a'];
    const { seen, handlers } = recorder();
    await queue.add([{ name: 'trials.evaluate', studyId: 's', trialIds }]);
    trialIds.push('b');
    await queue.work(handlers satisfies JobHandlers, 1);
    await new Promise((r) => setTimeout(r, 20));
    expect(seen).toEqual([{ name: 'trials.evaluate', studyId: 's', trialIds: ['a'] }]);
    await queue.close();
    await expect(queue.add([stepOf()])).rejects.toThrow('the queue is closed');
  });
});

describe('the options of a Bull queue', () => {
  it('come from a Redis URL', () => {
    expect(bullOptions('redis://h')).toMatchObject({ prefix: 'caddis', redis: { host: 'h', port: 6379, db: 0 } });
    expect(bullOptions('rediss://me:p%40ss@h:1234/5', 'other')).toMatchObject({ prefix: 'other', redis: { host: 'h', port: 1234, db: 5, username: 'me', password: 'p@ss', tls: {} } });
    expect(bullOptions('redis://[::1]:7000')).toMatchObject({ redis: { host: '::1', port: 7000 } });
    expect(bullOptions('redis://h')).not.toHaveProperty('redis.tls');
    for (const url of ['nonsense', 'http://h', 'redis://h/name']) expect(() => bullOptions(url), url).toThrow(/expected a URL such as redis:/);
  });

  it('never repeat a password in a message', () => {
    expect(() => bullOptions('http://me:secret@h')).toThrow(/^(?!.*secret)/);
  });
});
