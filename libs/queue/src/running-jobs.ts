const AFTER_ABORT_MS = 5000;

/** The jobs a process is at, so that it can end in good order. */
export class RunningJobs {
  private readonly jobs = new Map<AbortController, Promise<void>>();

  /** @returns what the job returns; its signal is aborted if it outlives the grace of `drain` */
  async run(job: (signal: AbortSignal) => Promise<void>, cancel = new AbortController()): Promise<void> {
    const done = job(cancel.signal);
    this.jobs.set(cancel, done);
    try {
      await done;
    } finally {
      this.jobs.delete(cancel);
    }
  }

  /**
   * Waits for all jobs: `graceMs` as they are, then with their signals aborted.
   *
   * @returns false if some went on even so for five seconds; they are left to their lease
   */
  async drain(graceMs: number): Promise<boolean> {
    if (await this.ended(graceMs)) return true;
    for (const cancel of this.jobs.keys()) cancel.abort(new Error('the worker is stopping'));
    return this.ended(AFTER_ABORT_MS);
  }

  private async ended(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => { timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1), false); });
    const all = Promise.allSettled(this.jobs.values()).then(() => true);
    const result = await Promise.race([all, late]);
    clearTimeout(timer);
    return result;
  }
}
