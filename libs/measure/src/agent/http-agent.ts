/** An address that measures: every request is a POST of one JSON object, the model in base64, and the body of the answer is one. */
import { EvaluatorError } from '@app/study';
import { post, type Reply } from '@app/train';
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
      let reply: Reply;
      try {
        reply = await post(url, body, { signal: AbortSignal.any([signal, limit]), mostBytes: MOST_OUTPUT });
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
