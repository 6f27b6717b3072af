/** An address that measures: every request is a POST of one JSON object, the model in base64, and the body of the answer is one. */
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EvaluatorError } from '@app/study';
import { MOST_OUTPUT, type Agent } from './agent.js';
import { answerObject, readAnswer } from './answer.js';

export function httpAgent(url: string): Agent {
  let next = 1;
  return {
    name: url,
    async ask({ model, timeout, ...request }, signal) {
      const id = next++;
      const fault = (reason: string, message: string): EvaluatorError => new EvaluatorError(reason, `agent ${url}: ${message}`);
      const body = JSON.stringify({ id, ...request, model: { base64: Buffer.from(model).toString('base64') } });
      const limit = AbortSignal.timeout(1000 * timeout);
      let reply: { status: number; text: string | null };
      try {
        reply = await post(url, body, AbortSignal.any([signal, limit]));
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (limit.aborted) throw fault('agent-silent', `no answer for ${timeout} s`);
        throw fault('agent-unreachable', (error as Error).message || ((error as NodeJS.ErrnoException).code ?? 'no connection'));
      }
      const { status, text } = reply;
      if (text === null) throw fault('agent-too-much-output', `expected an answer within ${MOST_OUTPUT} bytes`);
      if (status >= 500) throw fault('agent-unreachable', `status ${status}: ${text.slice(0, 200)}`);
      if (status < 200 || status > 299) throw fault('agent-error', `expected status 200, got ${status}: ${text.slice(0, 200)}`);
      const answer = answerObject(text);
      if (answer === undefined) throw fault('agent-invalid-answer', `expected a JSON object, got ${text === '' ? 'an empty body' : text.slice(0, 200)}`);
      try {
        return readAnswer(answer, id);
      } catch (error) {
        throw error instanceof EvaluatorError ? fault(error.reason, error.message) : error;
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Redirections are not followed: an address is measured by who it names. Text null: it was longer than MOST_OUTPUT. */
function post(url: string, body: string, signal: AbortSignal): Promise<{ status: number; text: string | null }> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const sent = send(url, { method: 'POST', signal, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), accept: 'application/json' } }, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > MOST_OUTPUT) {
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
