import { Worker } from 'node:worker_threads';
import { threadFile } from '@app/store';
import type { ThreadAnswers, ThreadCall, ThreadReply, ThreadRequest } from './protocol.js';

/** A thrown error of the thread, with its own name and stack. */
export class ThreadError extends Error {
  constructor(name: string, message: string, stack: string | undefined) {
    super(message);
    this.name = name;
    if (stack !== undefined) this.stack = stack;
  }
}

/** A thread that answers calls in turn; started at the first call, and again after it died. */
export class Thread {
  private worker: Worker | null = null;
  private next = 0;
  private readonly waiting = new Map<number, { resolve: (v: never) => void; reject: (e: Error) => void }>();

  call<C extends ThreadCall>(call: C): Promise<ThreadAnswers[C['op']]> {
    const id = this.next++;
    this.worker ??= this.start();
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (v: never) => void, reject });
      this.worker!.postMessage({ id, call } satisfies ThreadRequest);
    });
  }

  private start(): Worker {
    const worker = new Worker(threadFile(import.meta.url, 'engine-thread'));
    worker.on('message', (reply: ThreadReply) => {
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new ThreadError(reply.error.name, reply.error.message, reply.error.stack));
      else waiting?.resolve(reply.value as never);
    });
    const died = (why: Error): void => {
      if (this.worker !== worker) return;
      this.worker = null;
      for (const { reject } of this.waiting.values()) reject(why);
      this.waiting.clear();
    };
    worker.on('error', died);
    worker.on('exit', (code) => died(new Error(`the engine thread ended with code ${code}`)));
    return worker;
  }

  async close(): Promise<void> {
    const worker = this.worker;
    this.worker = null;
    await worker?.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error('the engine thread was closed'));
    this.waiting.clear();
  }
}
