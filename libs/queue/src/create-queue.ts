import type { JobQueue } from '@app/study';
import { BullQueue, createBullQueues } from './bull-queue.js';
import type { QueueEvents } from './job.js';
import { MemoryQueue } from './memory-queue.js';

/** A queue on Redis if one is named, else one within this process; for entry points without Nest. */
export function createQueue(options: { readonly redisUrl?: string | undefined; readonly prefix?: string | undefined } & QueueEvents = {}): JobQueue {
  return options.redisUrl === undefined ? new MemoryQueue(options) : new BullQueue(createBullQueues(options.redisUrl, options.prefix), options);
}
