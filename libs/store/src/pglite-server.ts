import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';

/**
 * Postgres protocol (version 3, PostgreSQL documentation, chapter 55) on a unix socket in front of PGlite, which is one session.
 *
 * Clients take turns: one has the session from the first message of a batch to its end, and on until its transaction ends, so that
 * statements and portals without a name are never another client's. PGlite follows an error with a ReadyForQuery of its own besides the
 * one for the client's Sync; only one is passed on, or the client would take the second for the answer to its next query.
 */
export class PgliteServer {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly db: PGlite) {
    this.server = createServer((socket) => this.serve(socket));
  }

  async listen(path: string): Promise<void> {
    this.server.listen(path);
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
    await this.last;
  }

  /** Waits for the session; the answer ends the turn. */
  private async turn(): Promise<() => void> {
    const before = this.last;
    let end: () => void = () => undefined;
    this.last = new Promise((resolve) => { end = resolve; });
    await before;
    return end;
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    const client = new Client(this.db, socket, () => this.turn());
    let work: Promise<void> = Promise.resolve();
    socket.on('data', (data) => { work = work.then(() => client.receive(data)).catch(() => void socket.destroy()); });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.sockets.delete(socket);
      void work.then(() => client.leave());
    });
  }
}

const SSL_REQUEST = 80877103;
const GSS_REQUEST = 80877104;
const CANCEL_REQUEST = 80877102;
/** Messages a client ends a batch with: Sync, Query, FunctionCall, password, CopyDone, CopyFail, Flush. */
const ENDS_BATCH = 'SQFpcfH';
const READY = 'Z'.charCodeAt(0);
const SYNC = Uint8Array.from([0x53, 0, 0, 0, 4]);

/** One connection. */
class Client {
  private unread: Buffer = Buffer.alloc(0);
  private batch: Buffer[] = [];
  private started = false;
  private endTurn: (() => void) | null = null;

  constructor(private readonly db: PGlite, private readonly socket: Socket, private readonly turn: () => Promise<() => void>) {}

  async receive(data: Buffer): Promise<void> {
    this.unread = this.unread.length === 0 ? data : Buffer.concat([this.unread, data]);
    for (;;) {
      const head = this.started ? 1 : 0;
      if (this.unread.length < head + 4) return;
      const length = head + this.unread.readInt32BE(head);
      if (length < head + 4) throw new Error('a message shorter than its own length field');
      if (this.unread.length < length) return;
      const message = this.unread.subarray(0, length);
      this.unread = this.unread.subarray(length);
      if (this.started) await this.message(message);
      else await this.startup(message);
    }
  }

  private async startup(message: Buffer): Promise<void> {
    const code = message.length >= 8 ? message.readInt32BE(4) : 0;
    if (code === SSL_REQUEST || code === GSS_REQUEST) {
      this.socket.write('N');
      return;
    }
    if (code === CANCEL_REQUEST) {
      this.socket.end();
      return;
    }
    this.started = true;
    await this.run(message, true);
  }

  private async message(message: Buffer): Promise<void> {
    const type = String.fromCharCode(message[0]!);
    if (type === 'X') {
      this.socket.end();
      return;
    }
    this.batch.push(message);
    if (!ENDS_BATCH.includes(type)) return;
    const batch = Buffer.concat(this.batch);
    this.batch = [];
    await this.run(batch, type !== 'H');
  }

  /** @param ends  the batch is answered with a ReadyForQuery; otherwise more of it is to come */
  private async run(batch: Buffer, ends: boolean): Promise<void> {
    this.endTurn ??= await this.turn();
    const parts: Uint8Array[] = [];
    await this.db.runExclusive(() => this.db.execProtocolRawStream(new Uint8Array(batch), { onRawData: (data) => parts.push(data.slice()) }));
    const { answer, status } = readyOnce(Buffer.concat(parts), ends);
    if (this.socket.writable) this.socket.write(answer);
    if (status === 'I') this.giveTurn();
  }

  /** A client that leaves within a batch or transaction leaves nothing of it behind. */
  async leave(): Promise<void> {
    if (!this.endTurn) return;
    try {
      await this.db.runExclusive(() => this.db.execProtocolRawStream(SYNC, { onRawData: () => undefined }));
      if (this.db.isInTransaction()) await this.db.exec('rollback');
    } finally {
      this.giveTurn();
    }
  }

  private giveTurn(): void {
    this.endTurn?.();
    this.endTurn = null;
  }
}

/** The answer without any ReadyForQuery but a last one, and the transaction status that one tells: idle, in a transaction, failed. */
function readyOnce(answer: Buffer, ends: boolean): { answer: Buffer; status: string | null } {
  const kept: Buffer[] = [];
  let status: string | null = null;
  for (let at = 0; at < answer.length; ) {
    const end = at + 1 + answer.readInt32BE(at + 1);
    const isReady = answer[at] === READY;
    const isLast = end >= answer.length;
    if (!isReady || (ends && isLast)) kept.push(answer.subarray(at, end));
    if (isReady && ends && isLast) status = String.fromCharCode(answer[at + 5]!);
    at = end;
  }
  return { answer: Buffer.concat(kept), status };
}
