import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { JobQueue, StudyStore } from '@app/study';
import { QUEUE, STORE } from '../ports.js';

const PATIENCE_MS = 2000;

export type Check = 'up' | 'down' | 'draining';
export interface Readiness {
  readonly status: 'ready' | 'not-ready';
  readonly checks: Readonly<Record<'store' | 'queue' | 'service', Check>>;
}

@Injectable()
export class HealthService implements OnModuleDestroy {
  private draining = false;

  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(QUEUE) private readonly queue: JobQueue,
  ) {}

  /** The first of the shutdown hooks: whoever balances the load looks elsewhere while what runs here ends. */
  onModuleDestroy(): void {
    this.draining = true;
  }

  async readiness(): Promise<Readiness> {
    const [store, queue] = await Promise.all([answers(() => this.store.ping()), answers(() => this.queue.ping())]);
    const service: Check = this.draining ? 'draining' : 'up';
    return { status: store === 'up' && queue === 'up' && service === 'up' ? 'ready' : 'not-ready', checks: { store, queue, service } };
  }
}

async function answers(ping: () => Promise<void>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(() => resolve('down'), PATIENCE_MS);
  });
  try {
    return await Promise.race([ping().then((): Check => 'up'), late]);
  } catch {
    return 'down';
  } finally {
    clearTimeout(timer);
  }
}
