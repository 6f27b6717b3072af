import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpAccuracySchema } from '@app/contracts';
import { graphBuilder, initialWeights, type Graph } from '@app/graph';
import { fromOnnx } from '@app/onnx';
import type { AccuracyRequest } from '@app/study';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeTrainedWeights, encodeTrainedWeights } from '../training/trained-weights.js';
import { httpEvaluator } from './http-evaluator.js';

interface Question {
  readonly id: number;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly fidelity: number;
  readonly checkpoint: string;
  readonly network?: { readonly onnx?: string; readonly pytorch?: string; readonly graph?: { readonly name: string } };
}

let server: Server;
let url = '';
let reply: (question: Question, response: ServerResponse, request: IncomingMessage) => void = () => undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => reply(JSON.parse(Buffer.concat(chunks).toString()) as Question, response, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/train`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function network(): Graph {
  const g = graphBuilder('tiny');
  g.output(g.linear(g.flatten(g.globalAvgPool(g.conv2d(g.input([1, 1, 4, 4]), { outChannels: 2, kernel: 3 }))), 3));
  return g.build();
}
const evaluate = (answer: typeof reply, { accuracy = {}, ...given }: Partial<AccuracyRequest> & { readonly accuracy?: object } = {}): ReturnType<ReturnType<typeof httpEvaluator>['evaluate']> => {
  reply = answer;
  return httpEvaluator(httpAccuracySchema.parse({ method: 'http', url, metrics: ['accuracy'], ...accuracy }), 5).evaluate({
    space: { name: 's', title: '', description: '', family: 'flynet', parameters: [], settings: {}, sources: [] },
    point: { width: 1, heads: 3 }, graph: network(), task: { numClasses: 3, inputChannels: 1 }, signal: new AbortController().signal, ...given,
  });
};
const json = (value: unknown): typeof reply => (question, response) => response.end(JSON.stringify(typeof value === 'function' ? (value as (q: Question) => unknown)(question) : value));

describe('a trainer at an address', () => {
  it('gets the candidate with its network in the forms asked for, and answers metrics and curves', async () => {
    let asked: Question | undefined;
    const metrics = await evaluate(json((q: Question) => ((asked = q), { id: q.id, metrics: { accuracy: 91.5, seconds: 12 }, curves: { accuracy: [80, 91.5] } })), { fidelity: 0.5, accuracy: { send: ['onnx', 'pytorch', 'graph'] } });
    expect(metrics).toEqual({
      accuracy: { value: 91.5, unit: '%', provenance: 'reported', source: `trainer ${url}`, curve: [80, 91.5] }, seconds: { value: 12, unit: '1', provenance: 'reported', source: `trainer ${url}` },
    });
    expect(asked).toMatchObject({ parameters: { width: 1, heads: 3 }, fidelity: 0.5, network: { pytorch: expect.stringContaining('class Network(nn.Module)') as string, graph: { name: 'tiny' } } });
    expect(fromOnnx(Buffer.from(asked!.network!.onnx!, 'base64'), { unknown: 'refuse' }).graph.nodes.length).toBe(network().nodes.length);
  });

  it('finds a candidate\'s checkpoint under one name at every fidelity, and another candidate\'s under another', async () => {
    const names: string[] = [];
    const note = json((q: Question) => (names.push(q.checkpoint), { id: q.id, metrics: { accuracy: 1 } }));
    await evaluate(note, { fidelity: 0.1 });
    await evaluate(note, { fidelity: 1, point: { heads: 3, width: 1 } });
    await evaluate(note, { point: { width: 1, heads: 4 } });
    expect(names[0]).toMatch(/^[0-9a-f]{32}$/);
    expect([names[1] === names[0], names[2] === names[0]]).toEqual([true, false]);
  });

  it('gets a bearer token from the environment variable that is named, which must be set', async () => {
    let header: string | undefined;
    process.env['CADDIS_SPEC_TOKEN'] = 'hush';
    await evaluate((q, response, request) => ((header = request.headers.authorization), response.end(JSON.stringify({ id: q.id, metrics: { accuracy: 1 } }))), { accuracy: { tokenFrom: 'CADDIS_SPEC_TOKEN' } });
    expect(header).toBe('Bearer hush');
    delete process.env['CADDIS_SPEC_TOKEN'];
    await expect(evaluate(json({}), { accuracy: { tokenFrom: 'CADDIS_SPEC_TOKEN' } })).rejects.toMatchObject({ reason: 'evaluator-error', message: expect.stringContaining('CADDIS_SPEC_TOKEN') as string });
  });

  const status = (code: number, text = ''): typeof reply => (_q, response) => void response.writeHead(code).end(text);
  it.each<[string, typeof reply, object, object]>([
    ['is busy', status(429, 'later'), {}, { reason: 'trainer-unreachable', message: expect.stringContaining('status 429: later') }],
    ['breaks', status(503), {}, { reason: 'trainer-unreachable' }],
    ['hangs up', (_q, response) => void response.destroy(), {}, { reason: 'trainer-unreachable' }],
    ['is silent', () => undefined, { timeout: 0.1 }, { reason: 'trainer-silent', message: expect.stringContaining('no answer for 0.1 s') }],
    ['refuses', status(422, 'no such layer'), {}, { reason: 'evaluator-error', message: expect.stringContaining('got 422: no such layer') }],
    ['sends elsewhere', status(302), {}, { reason: 'evaluator-error', message: expect.stringContaining('got 302') }],
    ['says why it failed', json((q: Question) => ({ id: q.id, error: 'out of memory' })), {}, { reason: 'evaluator-error', message: 'out of memory' }],
    ['answers another question', json({ id: 99, metrics: { accuracy: 1 } }), {}, { reason: 'invalid-answer', message: expect.stringContaining('id: expected 1, got 99') }],
    ['answers no JSON', status(200, 'hello'), {}, { reason: 'invalid-answer', message: expect.stringContaining('got hello') }],
    ['answers nothing', status(200), {}, { reason: 'invalid-answer', message: expect.stringContaining('got an empty body') }],
    ['answers without end', status(200, 'x'.repeat(2 << 20)), {}, { reason: 'invalid-answer', message: expect.stringContaining('expected an answer within 1048576 bytes') }],
    ['reports what is no number', status(200, '{"id": 1, "metrics": {"accuracy": NaN}}'), {}, { reason: 'invalid-metric', message: 'metric "accuracy" is NaN; a finite number is due' }],
    ['leaves a metric out', json({ id: 1, metrics: { loss: 1 } }), {}, { reason: 'invalid-metric', message: expect.stringContaining('metric "accuracy" is missing') }],
    ['draws a curve of no metric', json({ id: 1, metrics: { accuracy: 1 }, curves: { loss: [1] } }), {}, { reason: 'invalid-answer', message: expect.stringContaining('curves.loss: expected a curve of a metric of the answer, accuracy') }],
    ['draws a curve with a hole', json({ id: 1, metrics: { accuracy: 1 }, curves: { accuracy: [1, null] } }), {}, { reason: 'invalid-answer', message: expect.stringContaining('curves.accuracy: expected finite numbers, got null') }],
  ])('that %s fails the trial by name', async (_what, answer, accuracy, failure) => {
    await expect(evaluate(answer, { accuracy })).rejects.toMatchObject(failure);
  });

  it('is not asked about a point without network, unless no network is sent', async () => {
    await expect(evaluate(json({}), { graph: null })).rejects.toMatchObject({ reason: 'unsupported' });
    const metrics = await evaluate(json((q: Question) => ({ id: q.id, metrics: { accuracy: 'network' in q ? 1 : 0 } })), { graph: null, accuracy: { send: [] } });
    expect(metrics['accuracy']!.value).toBe(0);
  });

  it('is asked for weights where they are kept, and hands them back in base64', async () => {
    const graph = network();
    const file = Buffer.from(encodeTrainedWeights({ about: { by: 'trainer', quantize: null, accuracy: null, floatAccuracy: null, judgedOn: null, input: null }, weights: initialWeights(graph, 3) })).toString('base64');
    const kept: Uint8Array[] = [];
    const answer = (weights: unknown): typeof reply => json((q: Question & { weights?: boolean }) => ({ id: q.id, metrics: { accuracy: 71, asked: q.weights === true ? 1 : 0 }, weights }));
    const onWeights = (w: Uint8Array): void => void kept.push(w);
    expect((await evaluate(answer(file), { onWeights }))['asked']!.value).toBe(1);
    const { about, weights } = decodeTrainedWeights(kept[0]!);
    expect([about.by, about.accuracy]).toEqual(['trainer', 71]);
    for (const [node, own] of weights) expect(own).toEqual(initialWeights(graph, 3).get(node));
    expect((await evaluate(answer(undefined), { onWeights }))['asked']!.value).toBe(1);
    expect((await evaluate(answer('what no one asked for')))['asked']!.value).toBe(0);
    expect(kept).toHaveLength(1);
    await expect(evaluate(answer(7), { onWeights })).rejects.toMatchObject({ reason: 'invalid-weights', message: 'weights of the trainer: expected a file in base64, got 7', metrics: { accuracy: { value: 71 } } });
    await expect(evaluate(answer('AAAA'), { onWeights })).rejects.toMatchObject({ reason: 'invalid-weights', message: expect.stringContaining('got 3 bytes without a head') as string });
  });

  it('is left when the signal is aborted', async () => {
    const stop = new AbortController();
    const waiting = evaluate(() => stop.abort(new Error('the lease was lost')), { signal: stop.signal });
    await expect(waiting).rejects.toThrow('the lease was lost');
  });
});
