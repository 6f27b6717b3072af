export interface ReadEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

/** A plain reader of `text/event-stream`, as the standard has it, over fetch. */
export class EventReader {
  readonly events: ReadEvent[] = [];
  readonly comments: string[] = [];
  private readonly abort = new AbortController();
  private readonly waiting = new Set<() => void>();
  private ended = false;
  response!: Response;

  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    const reader = new EventReader();
    reader.response = await fetch(url, { headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip', ...headers }, signal: reader.abort.signal });
    void reader.read();
    return reader;
  }

  close(): void {
    this.abort.abort();
  }

  /** Until there are `n` events. */
  async atLeast(n: number, limitMs = 5000): Promise<readonly ReadEvent[]> {
    await this.until(() => this.events.length >= n, limitMs);
    return this.events;
  }

  end(limitMs = 5000): Promise<void> {
    return this.until(() => this.ended, limitMs);
  }

  async until(met: () => boolean, limitMs = 5000): Promise<void> {
    const late = Date.now() + limitMs;
    while (!met()) {
      const left = late - Date.now();
      if (left <= 0) throw new Error(`nothing further within ${limitMs} ms; so far: ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.add(() => { clearTimeout(timer); resolve(); });
      });
    }
  }

  private async read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop()!;
        blocks.forEach((block) => this.take(block));
        this.wake();
      }
    } catch (error) {
      if ((error as Error).name !== 'AbortError' && !/terminated/.test((error as Error).message)) throw error;
    }
    this.ended = true;
    this.wake();
  }

  private take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments.push(line.slice(1).trim());
      else fields.set(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).replace(/^ /, ''));
    }
    if (fields.has('data')) this.events.push({ id: fields.get('id') ?? '', type: fields.get('event') ?? 'message', data: JSON.parse(fields.get('data')!) });
  }

  private wake(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }
}
