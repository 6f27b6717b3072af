import type { StudyEvent } from '@app/contracts';
import { NotFound, shownEvents, studyProgress, type StoredEvent, type StudyRecord, type StudyStore } from '@app/study';

const INTERVAL_MS = 300;
const PAUSE_AFTER_FAULT_MS = 2000;
const PAGE = 1000;
/** Readings without news after which the feed asks whether the study is still there. */
const QUIET_READINGS = 50;

export interface Listener {
  readonly news: (events: readonly StoredEvent[]) => void;
  /** the study is gone */
  readonly gone: () => void;
}

/** Reads a study's events from the store while someone listens: one reader, however many listeners. */
export class StudyFeed {
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  private reading = false;
  private nudged = false;
  private quiet = 0;

  constructor(
    private readonly store: StudyStore,
    private readonly studyId: string,
    private after: number,
    private readonly onFault: (error: unknown) => void,
  ) {}

  get size(): number {
    return this.listeners.size;
  }

  add(listener: Listener): void {
    this.listeners.add(listener);
    this.schedule(INTERVAL_MS);
  }

  remove(listener: Listener): void {
    this.listeners.delete(listener);
    if (this.listeners.size === 0) clearTimeout(this.timer);
  }

  /** Something has happened: reads now. */
  nudge(): void {
    this.nudged = true;
    this.schedule(0);
  }

  private schedule(delayMs: number): void {
    clearTimeout(this.timer);
    if (this.reading || this.listeners.size === 0) return;
    this.timer = setTimeout(() => void this.read(), delayMs);
    this.timer.unref();
  }

  private async read(): Promise<void> {
    this.reading = true;
    const { nudged } = this;
    this.nudged = false;
    let delay = INTERVAL_MS;
    try {
      const events = await this.store.events(this.studyId, this.after, PAGE);
      this.after = events.at(-1)?.revision ?? this.after;
      this.quiet = events.length === 0 ? this.quiet + 1 : 0;
      if (events.length > 0) {
        const study = await this.store.study(this.studyId);
        const news = [...shownEvents(events, study), ...progressOf(events, study)];
        for (const listener of [...this.listeners]) listener.news(news);
      }
      if (events.length >= PAGE) delay = 0;
      // Nothing to read after something happened: the study may have been deleted.
      if (this.quiet >= QUIET_READINGS || (nudged && events.length === 0)) {
        this.quiet = 0;
        await this.store.study(this.studyId);
      }
    } catch (error) {
      if (error instanceof NotFound) for (const listener of [...this.listeners]) listener.gone();
      else this.onFault(error);
      delay = PAUSE_AFTER_FAULT_MS;
    } finally {
      this.reading = false;
    }
    this.schedule(this.nudged ? 0 : delay);
  }
}

/** How far the study is, if trials have finished: worked out when someone looks, not stored. */
function progressOf(events: readonly StoredEvent[], study: StudyRecord): StoredEvent[] {
  const finished = events.findLast((e) => e.type === 'trial.finished');
  if (!finished) return [];
  const { counts } = finished.data as Extract<StudyEvent, { type: 'trial.finished' }>['data'];
  return [{ revision: events.at(-1)!.revision, type: 'progress', data: studyProgress(study, counts, new Date()), at: finished.at }];
}
