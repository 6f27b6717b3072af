import { Inject, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { StudyEvent } from '@app/contracts';
import { shownEvents, studySummaryView, type StoredEvent, type StudyRecord, type StudyStore } from '@app/study';
import { LOGGER, STORE, type Logger } from '../ports.js';
import { ProblemException } from '../http/problem.js';
import { coalesce } from './coalesce.js';
import { EventStream } from './event-stream.js';
import { StudyFeed, type Listener } from './study-feed.js';

/** More missed events than this are not replayed: the snapshot says it shorter. */
const REPLAY_LIMIT = 1000;

/** All open event streams of this process. */
@Injectable()
export class FeedsService {
  private readonly feeds = new Map<string, StudyFeed>();
  private readonly streams = new Set<EventStream>();
  private ended = false;

  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  get clients(): number {
    return this.streams.size;
  }

  nudge(studyId: string): void {
    this.feeds.get(studyId)?.nudge();
  }

  /** For the shutdown: the HTTP server can't close while streams are open. */
  endAll(): void {
    this.ended = true;
    for (const stream of [...this.streams]) stream.end();
  }

  /**
   * Streams a study's events until either side ends it. A client that names the last event it had first gets what it missed, then
   * everyone gets a snapshot and from there on what happens.
   *
   * @throws NotFound before anything is sent
   */
  async stream(studyId: string, lastEventId: string | undefined, request: Request, response: Response): Promise<void> {
    if (this.ended) throw shuttingDown();
    const waiting: StoredEvent[] = [];
    let sent = Number.POSITIVE_INFINITY;
    let stream: EventStream | null = null;
    const listener: Listener = {
      news: (events) => {
        if (stream === null) waiting.push(...events);
        else stream.send(coalesce(events.filter((e) => e.revision > sent)));
      },
      gone: () => stream?.end(),
    };
    const { revision } = await this.store.study(studyId);
    const feed = this.feedOf(studyId, revision);
    feed.add(listener);
    try {
      // Read after listening began: nothing can fall between the snapshot and the first news.
      const study = await this.store.study(studyId);
      const missed = await this.missed(study, lastEventId);
      const snapshot = await this.snapshot(study);
      if (this.ended) throw shuttingDown();
      if (request.method === 'HEAD' || response.destroyed) {
        this.drop(studyId, feed, listener);
        response.type('text/event-stream').end();
        return;
      }
      const opened = new EventStream(request, response, () => {
        this.streams.delete(opened);
        this.drop(studyId, feed, listener);
      });
      this.streams.add(opened);
      opened.send([...missed, snapshot]);
      sent = study.revision;
      opened.send(coalesce(waiting.filter((e) => e.revision > sent)));
      stream = opened;
    } catch (error) {
      this.drop(studyId, feed, listener);
      throw error;
    }
  }

  private feedOf(studyId: string, revision: number): StudyFeed {
    const known = this.feeds.get(studyId);
    if (known) return known;
    const feed = new StudyFeed(this.store, studyId, revision, (error) => this.logger.warn({ err: error, studyId }, 'events could not be read; trying again'));
    this.feeds.set(studyId, feed);
    return feed;
  }

  private drop(studyId: string, feed: StudyFeed, listener: Listener): void {
    feed.remove(listener);
    if (feed.size === 0 && this.feeds.get(studyId) === feed) this.feeds.delete(studyId);
  }

  /** What the client has not had; nothing if it says nothing, says something we never sent, or is too far behind. */
  private async missed(study: StudyRecord, lastEventId: string | undefined): Promise<StudyEvent[]> {
    if (lastEventId === undefined || !/^\d{1,15}$/.test(lastEventId) || Number(lastEventId) >= study.revision) return [];
    const stored = await this.store.events(study.id, Number(lastEventId), REPLAY_LIMIT + 1);
    return stored.length > REPLAY_LIMIT ? [] : coalesce(shownEvents(stored.filter((e) => e.revision <= study.revision), study));
  }

  private async snapshot(study: StudyRecord): Promise<StudyEvent> {
    const counts = (await this.store.counts([study.id])).get(study.id) ?? { pending: 0, running: 0, completed: 0, infeasible: 0, failed: 0, cancelled: 0, total: 0 };
    return { type: 'snapshot', revision: study.revision, data: studySummaryView(study, counts, new Date()) };
  }
}

const shuttingDown = (): ProblemException => new ProblemException('unavailable', 'the service is shutting down');
