export { BullQueue, bullOptions, createBullQueues, QUEUE_NAMES, type BullQueues } from './bull-queue.js';
export { createQueue } from './create-queue.js';
export { JOB_NAMES, jobId, type QueueEvents } from './job.js';
export { MemoryQueue } from './memory-queue.js';
