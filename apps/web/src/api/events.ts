import type { StudyEvent } from '@app/contracts';
import { eventsUrl } from './endpoints.js';

export type LinkState = 'connecting' | 'live' | 'reconnecting' | 'polling';

export interface StreamHandlers {
  readonly onEvent: (event: StudyEvent) => void;
  readonly onLink: (state: LinkState) => void;
  /** asked for while there is no stream */
  readonly poll: () => void;
}

const TYPES = ['snapshot', 'study.state', 'trial.finished', 'trial.progress', 'front.changed', 'progress'] as const;
const POLL_MS = 3000;
const FAILURES_BEFORE_POLLING = 2;
const RETRY_STREAM_MS = 15_000;

/**
 * Follows a study: the event stream while it holds, polling while it doesn't, and the stream again every 15 s.
 * The browser sends Last-Event-ID on its own reconnects, so nothing is missed.
 *
 * @returns stop
 */
export function followStudy(id: string, handlers: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let failures = 0;
  let pollTimer: ReturnType<typeof setInterval> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  const stopPolling = (): void => {
    clearInterval(pollTimer);
    clearTimeout(retryTimer);
    pollTimer = undefined;
  };

  const startPolling = (): void => {
    source?.close();
    handlers.onLink('polling');
    handlers.poll();
    stopPolling();
    pollTimer = setInterval(handlers.poll, POLL_MS);
    retryTimer = setTimeout(open, RETRY_STREAM_MS);
  };

  const open = (): void => {
    source?.close();
    const stream = new EventSource(eventsUrl(id));
    source = stream;
    stream.onopen = () => {
      failures = 0;
      stopPolling();
      handlers.onLink('live');
    };
    stream.onerror = () => {
      failures += 1;
      if (failures >= FAILURES_BEFORE_POLLING || stream.readyState === EventSource.CLOSED) startPolling();
      else handlers.onLink('reconnecting');
    };
    for (const type of TYPES) {
      stream.addEventListener(type, (message: MessageEvent<string>) => {
        const event = parseEvent(type, message.lastEventId, message.data);
        if (event) handlers.onEvent(event);
      });
    }
  };

  handlers.onLink('connecting');
  open();
  return () => {
    stopPolling();
    source?.close();
  };
}

/** One message of the stream; null if its data isn't JSON. The data is the event's payload, or the whole event around it. */
export function parseEvent(type: StudyEvent['type'], lastEventId: string, data: string): StudyEvent | null {
  try {
    const parsed: unknown = JSON.parse(data);
    const whole = typeof parsed === 'object' && parsed !== null && 'type' in parsed && 'data' in parsed;
    const payload = whole ? (parsed as { data: unknown }).data : parsed;
    return { type, revision: Number(lastEventId) || 0, data: payload } as StudyEvent;
  } catch {
    return null;
  }
}
