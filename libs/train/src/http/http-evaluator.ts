/** A trainer of the user's at an address: every candidate is a POST of one JSON object, and the body of the answer is one. */
import type { HttpAccuracy, Metrics } from '@app/contracts';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import { answerOf, metricsOf, parseLenient } from '../command/answer.js';
import { checkpointName, networkForms } from '../own-trainer/network-files.js';
import { post, type Reply } from './post.js';

/** Nothing is known of a user's trainer; long enough that what can be computed is checked first. */
const SECONDS_PER_TRIAL = 60;
/** Bytes taken for one answer. */
const MOST_BYTES = 1 << 20;

/**
 * Asks `{"id", "parameters", "fidelity", "checkpoint", "network": {"onnx": base64, "pytorch": text, "graph": text}}` and reads
 * `{"id", "metrics": {…}, "curves": {…}}` or `{"id", "error": "…"}`. Failures of the connection, status 429 and 5xx are
 * accidents (`trainer-unreachable`, `trainer-silent`); another status, or another answer, is a verdict on the trial.
 */
export function httpEvaluator(accuracy: HttpAccuracy, seed: number): AccuracyEvaluator {
  let asked = 0;
  return {
    id: `http/${new URL(accuracy.url).host}`,
    secondsPerTrial: SECONDS_PER_TRIAL,
    metrics: accuracy.metrics,
    evaluate: async ({ graph, point, fidelity = 1, signal }) => {
      const id = ++asked;
      const { onnx, pytorch, graph: json } = networkForms(graph, accuracy.send, seed);
      const network = { ...(onnx && { onnx: Buffer.from(onnx).toString('base64') }), ...(pytorch && { pytorch: text(pytorch) }), ...(json && { graph: JSON.parse(text(json)) as unknown }) };
      const body = JSON.stringify({ id, parameters: point, fidelity, checkpoint: checkpointName(point, seed), ...(accuracy.send.length > 0 && { network }) });
      return read(accuracy, id, await ask(accuracy, body, signal));
    },
    close: async () => undefined,
  };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

async function ask({ url, timeout, tokenFrom }: HttpAccuracy, body: string, signal: AbortSignal): Promise<Reply> {
  const limit = AbortSignal.timeout(1000 * timeout);
  const token = tokenFrom === undefined ? undefined : process.env[tokenFrom];
  if (tokenFrom !== undefined && !token) throw new EvaluatorError('evaluator-error', `environment variable ${tokenFrom}, which accuracy.tokenFrom names, is not set on this worker`);
  try {
    return await post(url, body, { signal: AbortSignal.any([signal, limit]), mostBytes: MOST_BYTES, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limit.aborted) throw new EvaluatorError('trainer-silent', `trainer ${url}: no answer for ${timeout} s`);
    throw new EvaluatorError('trainer-unreachable', `trainer ${url}: ${(error as Error).message || ((error as NodeJS.ErrnoException).code ?? 'no connection')}`);
  }
}

function read({ url, metrics }: HttpAccuracy, id: number, { status, text: body }: Reply): Metrics {
  const fault = (reason: string, message: string): EvaluatorError => new EvaluatorError(reason, `trainer ${url}: ${message}`);
  if (body === null) throw fault('invalid-answer', `expected an answer within ${MOST_BYTES} bytes`);
  if (status === 429 || status >= 500) throw fault('trainer-unreachable', `status ${status}: ${body.slice(0, 200)}`);
  if (status < 200 || status > 299) throw fault('evaluator-error', `expected status 200, got ${status}: ${body.slice(0, 200)}`);
  const answer = answerOf(parseLenient(body), body);
  if (answer.kind === 'stray') throw fault('invalid-answer', `expected {"id": ${id}, "metrics": {…}}, got ${body === '' ? 'an empty body' : body.slice(0, 200)}`);
  if (answer.id !== id) throw fault('invalid-answer', `id: expected ${id}, got ${JSON.stringify(answer.id)}`);
  if (answer.kind === 'error') throw new EvaluatorError('evaluator-error', answer.message);
  if (answer.kind === 'invalid') throw fault('invalid-answer', answer.message);
  if (answer.kind === 'progress') throw fault('invalid-answer', `expected metrics beside the curves, got ${body.slice(0, 200)}`);
  return metricsOf(answer, metrics, `trainer ${url}`);
}
