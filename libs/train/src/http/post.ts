import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Text null: the answer was longer than allowed. */
export interface Reply {
  readonly status: number;
  readonly text: string | null;
}

/** Posts JSON. Redirections are not followed: an address is answered by who it names. @throws what the connection says; the signal's reason */
export function post(url: string, body: string, { signal, mostBytes, headers = {} }: { readonly signal: AbortSignal; readonly mostBytes: number; readonly headers?: Readonly<Record<string, string>> }): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const sent = send(url, { method: 'POST', signal, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'application/json', ...headers } }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > mostBytes) {
          resolve({ status: response.statusCode ?? 0, text: null });
          response.destroy();
        } else chunks.push(chunk);
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
