import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { EvaluatorError } from '@app/study';
import { MOST_OUTPUT, type Agent, type AgentRequest } from './agent.js';
import type { Readings } from './answer.js';
import { agentOf } from './open-agent.js';

const dir = mkdtempSync(join(tmpdir(), 'caddis-agents-'));
afterAll(() => rmSync(dir, { recursive: true }));

const request: AgentRequest = { device: 'my-phone', model: new TextEncoder().encode('a network'), precision: 'int8', metrics: ['latency'], warmup: 2, repeats: 5, timeout: 5 };
const never = new AbortController().signal;
const GOOD = '{ id: q.id, latency: { median: 2, unit: "ms" } }';

const open: Agent[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((agent) => agent.close()));
});

/** A program that does this for each request `q`; it may `say` an answer, or anything else. */
function program(name: string, body: string): Agent {
  const file = join(dir, `${name}.mjs`);
  writeFileSync(file, `
    import { createInterface } from 'node:readline';
    import { readFileSync, appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(join(dir, `${name}.starts`))}, 'x');
    const say = (a) => process.stdout.write((typeof a === 'string' ? a : JSON.stringify(a)) + '\\n');
    createInterface({ input: process.stdin }).on('line', (line) => { const q = JSON.parse(line); ${body} });`);
  const agent = agentOf({ command: [process.execPath, file] });
  open.push(agent);
  return agent;
}
const starts = (name: string): number => readFileSync(join(dir, `${name}.starts`), 'utf8').length;

async function fault(asked: Promise<Readings>): Promise<[string, string]> {
  try {
    await asked;
  } catch (error) {
    if (error instanceof EvaluatorError) return [error.reason, error.message];
    throw error;
  }
  throw new Error('was taken');
}

describe('a command agent', () => {
  it('is handed the network as a file with all it is asked, answers many requests in one life, and leaves no file behind', async () => {
    const agent = program('good', `say('booting…'); say({ id: q.id, latency: { median: q.id + readFileSync(q.model.path).length, unit: 's' }, saw: q }); appendFileSync(${JSON.stringify(join(dir, 'seen'))}, line + '\\n');`);
    expect(await agent.ask(request, never)).toEqual({ latency: { value: 10 } });
    expect(await agent.ask(request, never)).toEqual({ latency: { value: 11 } });
    expect(starts('good')).toBe(1);
    const seen = readFileSync(join(dir, 'seen'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { model: { path: string } });
    expect(seen[0]).toEqual({ id: 1, device: 'my-phone', precision: 'int8', metrics: ['latency'], warmup: 2, repeats: 5, model: { path: expect.stringMatching(/network\.onnx$/) as string } });
    expect(seen.some(({ model }) => existsSync(model.path))).toBe(false);
  });

  it.each([
    ['wrong-id', 'say({ id: 99, latency: { median: 1, unit: "ms" } });', 'agent-wrong-id', /id: expected 1, got 99$/],
    ['negative', 'say({ id: q.id, latency: { median: -1, unit: "ms" } });', 'invalid-measurement', /latency\.median: expected a positive finite number, got -1$/],
    ['no', 'say({ id: q.id, error: "no such operator: Swish" });', 'agent-error', /no such operator: Swish$/],
    ['flood', 'for (let i = 0; i < 40000; i++) process.stdout.write("chatter ".repeat(8) + "\\n");', 'agent-too-much-output', new RegExp(`within ${MOST_OUTPUT} bytes of output$`)],
    ['one-line', 'process.stdout.write("x".repeat(3_000_000));', 'agent-too-much-output', /bytes of output$/],
    ['dies', 'console.error("segmentation fault"); process.exit(3);', 'agent-exited', /ended with code 3; standard error ends with:\nsegmentation fault$/],
  ])('that answers %s fails the measurement with a name', async (name, body, reason, message) => {
    const [got, text] = await fault(program(name, body).ask(request, never));
    expect([got, text]).toEqual([reason, expect.stringMatching(message)]);
    expect(text).toContain(`agent ${process.execPath}`);
  });

  it('that stays silent is ended and started anew, so that a late answer meets no other request', async () => {
    const agent = program('slow', `if (q.id === 1) setTimeout(() => say(${GOOD}), 900); else say(${GOOD});`);
    expect(await fault(agent.ask({ ...request, timeout: 0.5 }, never))).toEqual(['agent-silent', expect.stringMatching(/no answer for 0\.5 s$/)]);
    expect(await agent.ask(request, never)).toEqual({ latency: { value: 0.002 } });
    expect(starts('slow')).toBe(2);
  });

  it('that died is started again for the next request', async () => {
    const agent = program('once', `say(${GOOD}); setTimeout(() => process.exit(0), 20);`);
    expect(await agent.ask(request, never)).toEqual({ latency: { value: 0.002 } });
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(await agent.ask(request, never)).toEqual({ latency: { value: 0.002 } });
    expect(starts('once')).toBe(2);
  });

  it('that is not there is named', async () => {
    const agent = agentOf({ command: [join(dir, 'nowhere')] });
    expect(await fault(agent.ask(request, never))).toEqual(['agent-exited', expect.stringMatching(/could not be started: .*ENOENT/)]);
  });

  it('is let go of when the trial is given up', async () => {
    const abort = new AbortController();
    const asked = program('endless', '').ask(request, abort.signal);
    setTimeout(() => abort.abort(new Error('the lease was lost')), 50);
    await expect(asked).rejects.toThrow('the lease was lost');
  });
});

describe('an HTTP agent', () => {
  const servers: Server[] = [];
  afterEach(() => servers.splice(0).forEach((s) => (s.closeAllConnections(), s.close())));
  async function serve(handler: RequestListener): Promise<Agent> {
    const server = createServer(handler);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return agentOf({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/measure` });
  }
  const answer = (of: (q: { id: number; model: { base64: string } }, response: ServerResponse) => unknown) => (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    incoming.on('data', (c: Buffer) => chunks.push(c)).on('end', () => {
      const said = of(JSON.parse(Buffer.concat(chunks).toString('utf8')) as never, response);
      response.end(typeof said === 'string' ? said : JSON.stringify(said));
    });
  };

  it('is handed the network in base64 and answers the same object', async () => {
    const agent = await serve(answer((q) => ({ id: q.id, latency: { median: Buffer.from(q.model.base64, 'base64').length, unit: 'us' } })));
    expect(await agent.ask(request, never)).toEqual({ latency: { value: expect.closeTo(9e-6, 12) as number } });
  });

  it.each([
    ['another id', answer(() => ({ id: 5, latency: { median: 1, unit: 'ms' } })), 'agent-wrong-id', /id: expected 1, got 5$/],
    ['no unit', answer((q) => ({ id: q.id, latency: { median: 1 } })), 'invalid-measurement', /latency\.unit: expected one of s, ms/],
    ['no JSON', answer(() => 'hello'), 'agent-invalid-answer', /expected a JSON object, got hello$/],
    ['nothing', answer(() => ''), 'agent-invalid-answer', /got an empty body$/],
    ['too much', answer(() => ' '.repeat(MOST_OUTPUT + 1)), 'agent-too-much-output', /within \d+ bytes$/],
    ['status 503', answer((_, r) => ((r.statusCode = 503), 'the phone is charging')), 'agent-unreachable', /status 503: the phone is charging$/],
    ['status 422', answer((_, r) => ((r.statusCode = 422), 'no such operator')), 'agent-error', /expected status 200, got 422: no such operator$/],
    ['a redirection', answer((_, r) => (r.writeHead(302, { location: 'http://127.0.0.1:1/' }), '')), 'agent-error', /got 302/],
  ])('that answers %s fails the measurement with a name', async (_, handler, reason, message) => {
    expect(await fault((await serve(handler)).ask(request, never))).toEqual([reason, expect.stringMatching(message)]);
  });

  it('that hangs up, or is not there, is unreachable; that is silent, silent', async () => {
    const rude = await serve((incoming) => incoming.socket.destroy());
    expect((await fault(rude.ask(request, never)))[0]).toBe('agent-unreachable');
    expect(await fault(agentOf({ url: 'http://127.0.0.1:1/' }).ask(request, never))).toEqual(['agent-unreachable', expect.stringContaining('ECONNREFUSED')]);
    const silent = await serve(() => undefined);
    expect(await fault(silent.ask({ ...request, timeout: 0.2 }, never))).toEqual(['agent-silent', expect.stringMatching(/no answer for 0\.2 s$/)]);
  });

  it('is let go of when the trial is given up', async () => {
    const agent = await serve(() => undefined);
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('the lease was lost')), 30);
    await expect(agent.ask(request, abort.signal)).rejects.toThrow('the lease was lost');
  });
});
