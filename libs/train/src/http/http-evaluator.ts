/** A trainer of the user's at an address: every candidate is a POST of one JSON object, and the body of the answer is one. */
import type { HttpAccuracy, Metrics } from '@app/contracts';
import { packingOf, totals, type Graph } from '@app/graph';
import { EvaluatorError, type AccuracyEvaluator } from '@app/study';
import { answerOf, metricsOf, parseLenient } from '../command/answer.js';
import { checked, handedWeights, INVALID_WEIGHTS } from '../own-trainer/handed-weights.js';
import { checkpointName, networkForms } from '../own-trainer/network-files.js';
import { post, type Reply } from './post.js';

/** Nothing is known of a user's trainer; long enough that what can be computed is checked first. */
const SECONDS_PER_TRIAL = 60;
/** Bytes taken for one answer. */
const MOST_BYTES = 1 << 20;

/**
 * Asks `{"id", "parameters", "fidelity", "checkpoint", "network": {"onnx": base64, "pytorch": text, "graph": text}}` and reads
 * `{"id", "metrics": {…}, "curves": {…}, "weights": base64}` or `{"id", "error": "…"}`. Failures of the connection, status 429 and 5xx are
 * accidents (`trainer-unreachable`, `trainer-silent`); another status, or another answer, is a verdict on the trial.
 */
export function httpEvaluator(accuracy: HttpAccuracy, seed: number): AccuracyEvaluator {
  let asked = 0;
  return {
    id: `http/${new URL(accuracy.url).host}`,
    secondsPerTrial: SECONDS_PER_TRIAL,
    metrics: accuracy.metrics,
    evaluate: async ({ graph, point, fidelity = 1, signal, onWeights }) => {
      const id = ++asked;
      const { onnx, pytorch, graph: json } = networkForms(graph, accuracy.send, seed);
      const network = { ...(onnx && { onnx: Buffer.from(onnx).toString('base64') }), ...(pytorch && { pytorch: text(pytorch) }), ...(json && { graph: JSON.parse(text(json)) as unknown }) };
      const wanted = graph !== null && onWeights !== undefined;
      const mostBytes = MOST_BYTES + (wanted ? bytesOfWeights(graph) : 0);
      const body = JSON.stringify({ id, parameters: point, fidelity, checkpoint: checkpointName(point, seed), ...(accuracy.send.length > 0 && { network }), ...(wanted && { weights: true }) });
      const { metrics, weights } = read(accuracy, id, await ask(accuracy, body, signal, mostBytes), mostBytes);
      if (wanted && weights !== undefined) onWeights(checked(metrics, () => handedWeights(fromBase64(weights), graph, metrics['accuracy']?.value ?? null)));
      return metrics;
    },
    close: async () => undefined,
  };
}

/** Of a file with every weight in double precision and 16 MiB of calibration, in base64. */
const bytesOfWeights = (graph: Graph): number => Math.ceil((4 / 3) * (8 * (totals(graph).params + packingOf(graph).statisticCount) + 2 ** 24));

function fromBase64(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) throw new EvaluatorError(INVALID_WEIGHTS, `weights of the trainer: expected a file in base64, got ${JSON.stringify(value).slice(0, 60)}`);
  return Buffer.from(value, 'base64');
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

async function ask({ url, timeout, tokenFrom }: HttpAccuracy, body: string, signal: AbortSignal, mostBytes: number): Promise<Reply> {
  const limit = AbortSignal.timeout(1000 * timeout);
  const token = tokenFrom === undefined ? undefined : process.env[tokenFrom];
  if (tokenFrom !== undefined && !token) throw new EvaluatorError('evaluator-error', `environment variable ${tokenFrom}, which accuracy.tokenFrom names, is not set on this worker`);
  try {
    return await post(url, body, { signal: AbortSignal.any([signal, limit]), mostBytes, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (limit.aborted) throw new EvaluatorError('trainer-silent', `trainer ${url}: no answer for ${timeout} s`);
    throw new EvaluatorError('trainer-unreachable', `trainer ${url}: ${(error as Error).message || ((error as NodeJS.ErrnoException).code ?? 'no connection')}`);
  }
}

function read({ url, metrics }: HttpAccuracy, id: number, { status, text: body }: Reply, mostBytes: number): { readonly metrics: Metrics; readonly weights: unknown } {
  const fault = (reason: string, message: string): EvaluatorError => new EvaluatorError(reason, `trainer ${url}: ${message}`);
  if (body === null) throw fault('invalid-answer', `expected an answer within ${mostBytes} bytes`);
  if (status === 429 || status >= 500) throw fault('trainer-unreachable', `status ${status}: ${body.slice(0, 200)}`);
  if (status < 200 || status > 299) throw fault('evaluator-error', `expected status 200, got ${status}: ${body.slice(0, 200)}`);
  const said = parseLenient(body);
  const answer = answerOf(said, body);
  if (answer.kind === 'stray') throw fault('invalid-answer', `expected {"id": ${id}, "metrics": {…}}, got ${body === '' ? 'an empty body' : body.slice(0, 200)}`);
  if (answer.id !== id) throw fault('invalid-answer', `id: expected ${id}, got ${JSON.stringify(answer.id)}`);
  if (answer.kind === 'error') throw new EvaluatorError('evaluator-error', answer.message);
  if (answer.kind === 'invalid') throw fault('invalid-answer', answer.message);
  if (answer.kind === 'progress') throw fault('invalid-answer', `expected metrics beside the curves, got ${body.slice(0, 200)}`);
  return { metrics: metricsOf(answer, metrics, `trainer ${url}`), weights: (said as { weights?: unknown }).weights ?? undefined };
}
