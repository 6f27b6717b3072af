import type { Request, Response } from 'express';
import type { StudyEvent } from '@app/contracts';

const HEARTBEAT_MS = 15_000;
/** A reader this far behind is cut off; it comes back and is told what it missed. */
const BACKLOG_BYTES = 1_000_000;

/** One client's `text/event-stream`. */
export class EventStream {
  private readonly heartbeat: NodeJS.Timeout;
  private open = true;

  /** @param onClose  called once, whoever ends the stream */
  constructor(request: Request, private readonly response: Response, private readonly onClose: () => void) {
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-cache, no-transform', Connection: 'keep-alive', 'X-Accel-Buffering': 'no',
    });
    request.socket.setNoDelay(true);
    request.socket.setTimeout(0);
    response.write('retry: 2000\n\n');
    this.heartbeat = setInterval(() => this.write(': heartbeat\n\n'), HEARTBEAT_MS);
    this.heartbeat.unref();
    response.on('close', () => this.closed());
    response.on('error', () => this.closed());
  }

  /** JSON has no line breaks outside of strings and none unescaped within, so one `data:` line holds it. */
  send(events: readonly StudyEvent[]): void {
    if (events.length > 0) this.write(events.map((e) => `id: ${e.revision}\nevent: ${e.type}\ndata: ${JSON.stringify(e.data)}\n\n`).join(''));
  }

  end(): void {
    if (!this.open) return;
    this.response.end('retry: 1000\n\n');
    this.closed();
  }

  private write(text: string): void {
    if (!this.open) return;
    this.response.write(text);
    if (this.response.writableLength > BACKLOG_BYTES) {
      this.response.destroy();
      this.closed();
    }
  }

  private closed(): void {
    if (!this.open) return;
    this.open = false;
    clearInterval(this.heartbeat);
    this.onClose();
  }
}
