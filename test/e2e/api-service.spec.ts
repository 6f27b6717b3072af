import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MemoryStore } from '@app/store';
import { asProblem } from './api/as-problem.js';
import { EventReader } from './api/event-reader.js';
import { commitTrials, createStudy, SPEC, startApi, unknownId, type Service } from './api/harness.js';

const open: Service[] = [];
async function start(...args: Parameters<typeof startApi>): Promise<Service> {
  const service = await startApi(...args);
  open.push(service);
  return service;
}
afterEach(async () => { await Promise.all(open.splice(0).map((service) => service.close())); });

interface Layer { readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> } }

describe('the OpenAPI document', () => {
  it('describes every route there is, and nothing else', async () => {
    const service = await start();
    const { stack } = (service.app.getHttpAdapter().getInstance() as unknown as { router: { stack: readonly Layer[] } }).router;
    const routes = stack.flatMap(({ route }) => (route ? Object.keys(route.methods).map((m) => `${m} ${route.path.replaceAll('\\:', ':').replace(/(?<=\/):(\w+)/g, '{$1}')}`) : []));
    const document = (await service.http.get('/openapi.json').expect(200)).body;
    const described = Object.entries(document.paths as Record<string, object>).flatMap(([path, operations]) => Object.keys(operations).map((m) => `${m} ${path}`));
    expect(routes.length).toBeGreaterThan(25);
    expect(described.sort()).toEqual([...new Set(routes)].sort());
  });

  it('refers to no schema that is missing, and gives every operation a summary and its own id', async () => {
    const service = await start();
    const text = (await service.http.get('/openapi.json')).text;
    const document = JSON.parse(text) as { paths: Record<string, Record<string, { operationId: string; summary?: string }>>; components: { schemas: Record<string, unknown> } };
    const referred = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1]!));
    expect([...referred].filter((name) => !(name in document.components.schemas))).toEqual([]);
    expect(text).not.toContain('"$ref":"#/$defs');
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    expect(operations.filter((o) => !o.summary)).toEqual([]);
    expect(new Set(operations.map((o) => o.operationId)).size).toBe(operations.length);
    expect(document.components.schemas['StudySpec']).toMatchObject({ type: 'object', required: ['name', 'searchSpace', 'accuracy', 'objectives', 'budget'], additionalProperties: false });
  });
});

describe('health', () => {
  it('is ready while store and queue answer, and alive whatever they do', async () => {
    const service = await start();
    expect((await service.http.get('/health/ready').expect(200)).body).toEqual({ status: 'ready', checks: { store: 'up', queue: 'up', service: 'up' } });
    service.queue.fault = new Error('gone');
    service.store.ping = () => Promise.reject(new Error('gone'));
    expect((await service.http.get('/health/ready').expect(503)).body).toEqual({ status: 'not-ready', checks: { store: 'down', queue: 'down', service: 'up' } });
    expect((await service.http.get('/health/live').expect(200)).body).toEqual({ status: 'live' });
  });

  it('takes a store that does not answer for one that is down', async () => {
    const service = await start();
    service.store.ping = () => new Promise(() => undefined);
    expect((await service.http.get('/health/ready').expect(503)).body.checks.store).toBe('down');
  });
});

describe('metrics', () => {
  it('count requests by route pattern, queue depth, studies and trials by state', async () => {
    const service = await start();
    const { id } = await createStudy(service, {}, '');
    await commitTrials(service, id, [{}, { state: 'failed' }]);
    await service.http.get(`/v1/studies/${id}`);
    await service.http.get(`/v1/studies/${unknownId()}`);
    await service.http.get('/nowhere');
    const { text } = await service.http.get('/metrics').expect(200);
    expect(text).toContain('http_requests_total{method="GET",route="/v1/studies/:id",status="200"} 1');
    expect(text).toContain('http_requests_total{method="GET",route="/v1/studies/:id",status="404"} 1');
    expect(text).toContain('http_requests_total{method="GET",route="unmatched",status="404"} 1');
    expect(text).toMatch(/http_request_duration_seconds_count\{method="POST",route="\/v1\/studies"\} 1/);
    expect(text).toMatch(/queue_depth\{job="study.step"\} [1-9]/);
    expect(text).toContain('studies{state="running"} 1');
    expect(text).toContain('trials{state="completed"} 1');
    expect(text).toContain('trials{state="failed"} 1');
    expect(text).not.toContain(id);
  });

  it('leave out what can\'t be read', async () => {
    const service = await start();
    service.queue.depth = () => Promise.reject(new Error('gone'));
    const { text } = await service.http.get('/metrics').expect(200);
    expect(text).not.toMatch(/^queue_depth\{/m);
    expect(text).toContain('sse_clients 0');
  });
});

describe('faults', () => {
  it('answers a fault of ours with the request\'s id alone, and logs the rest under it', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, new Writable({ write(chunk, _encoding, done) { lines.push(String(chunk)); done(); } }));
    const service = await start({}, { logger });
    service.store.study = () => Promise.reject(new Error('secret detail of the inside'));
    const answer = await service.http.get(`/v1/studies/${unknownId()}`).set('X-Request-Id', 'my-request-1').expect(500);
    expect(asProblem(answer, 'internal-error').instance).toBe('my-request-1');
    expect(answer.text).not.toContain('secret detail');
    const logged = lines.find((line) => line.includes('secret detail'));
    expect(JSON.parse(logged!)).toMatchObject({ requestId: 'my-request-1' });
  });

  it('answers 503 with Retry-After while the database is down', async () => {
    const service = await start();
    service.store.studies = () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    const answer = await service.http.get('/v1/studies').expect(503);
    asProblem(answer, 'unavailable');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('keeps a study whose job could not be queued, and queues it when the queue is back', { timeout: 15_000 }, async () => {
    const service = await start();
    service.queue.fault = new Error('gone');
    const { id } = await createStudy(service, {}, '');
    expect(service.queue.jobs).toEqual([]);
    service.queue.fault = null;
    const until = Date.now() + 10_000;
    while (service.queue.jobs.length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(service.queue.jobs).toEqual([{ name: 'study.step', studyId: id }]);
  });

  it('queues at start what an earlier process left', async () => {
    const store = new MemoryStore();
    const before = await start({}, { store });
    await before.http.post('/v1/studies').send(SPEC).expect(201);
    const after = await start({}, { store });
    const until = Date.now() + 3000;
    while (after.queue.jobs.length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(after.queue.jobs.map((job) => job.name)).toEqual(['study.step']);
  });
});

describe('request ids', () => {
  it('come back as they were sent, or new if they were not plain words', async () => {
    const service = await start();
    const id = async (given?: string) => (await (given === undefined ? service.http.get('/health/live') : service.http.get('/health/live').set('X-Request-Id', given))).headers['x-request-id'];
    expect(await id('abc-1.2')).toBe('abc-1.2');
    expect(await id('{"evil": 1}')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await id()).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('a service with a key', () => {
  const KEY = 'correct-horse-battery';
  it('asks for it on every /v1 route and on no other', async () => {
    const service = await start({ CADDIS_API_KEY: KEY });
    for (const path of ['/v1/studies', `/v1/studies/${unknownId()}/events`, '/v1/devices', '/v1/spaces', `/v1/trials/${unknownId()}`, `/v1/exports/${unknownId()}/content`]) {
      const answer = await service.http.get(path).expect(401);
      asProblem(answer, 'unauthorized');
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    asProblem(await service.http.post('/v1/studies').send(SPEC).expect(401), 'unauthorized');
    asProblem(await service.http.get('/V1/Studies').expect(401), 'unauthorized');
    for (const path of ['/health/live', '/health/ready', '/metrics', '/openapi.json']) await service.http.get(path).expect(200);
  });

  it('takes it as a bearer token or in X-API-Key, and no part or neighbour of it', async () => {
    const service = await start({ CADDIS_API_KEY: KEY });
    await service.http.get('/v1/studies').set('Authorization', `Bearer ${KEY}`).expect(200);
    await service.http.get('/v1/studies').set('X-API-Key', KEY).expect(200);
    for (const wrong of ['', KEY.slice(0, -1), `${KEY}x`, KEY.toUpperCase()]) await service.http.get('/v1/studies').set('X-API-Key', wrong).expect(401);
    await service.http.get('/v1/studies').set('Authorization', `Basic ${KEY}`).expect(401);
  });
});

describe('a browser of a service with a key', () => {
  const KEY = 'correct-horse-battery';
  it('gives it once and carries a cookie that no script reads, and that goes along with event streams', async () => {
    const service = await start({ CADDIS_API_KEY: KEY });
    asProblem(await service.http.post('/v1/session').send({ apiKey: 'wrong' }).expect(401), 'unauthorized');
    asProblem(await service.http.post('/v1/session').send({}).expect(422), 'invalid-spec');
    const answer = await service.http.post('/v1/session').send({ apiKey: KEY }).expect(204);
    const [cookie] = answer.headers['set-cookie'] as unknown as string[];
    expect(cookie).toMatch(/^caddis_session=\d+\.[\w-]+; Max-Age=43200; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    const pair = cookie!.split(';')[0]!;
    await service.http.get('/v1/studies').set('Cookie', `theme=dark; ${pair}`).expect(200);
    const [until, signature] = pair.slice('caddis_session='.length).split('.') as [string, string];
    for (const forged of [`${Number(until) + 1}.${signature}`, `${until}.${signature.slice(0, -1)}`, `1000.${signature}`, until]) {
      await service.http.get('/v1/studies').set('Cookie', `caddis_session=${forged}`).expect(401);
    }
    const ended = await service.http.delete('/v1/session').set('Cookie', pair).expect(204);
    expect((ended.headers['set-cookie'] as unknown as string[])[0]).toMatch(/^caddis_session=; Path=\/; Expires=Thu, 01 Jan 1970/);
  });

  it('of a service without a key needs none', async () => {
    const service = await start();
    expect((await service.http.post('/v1/session').send({ apiKey: 'anything' }).expect(204)).headers['set-cookie']).toBeUndefined();
  });
});

describe('pages of other origins', () => {
  it('can change nothing, not even by a request without a body', async () => {
    const service = await start();
    const { id } = await createStudy(service, {}, '');
    asProblem(await service.http.post(`/v1/studies/${id}:cancel`).set('Origin', 'http://evil.example').expect(403), 'cross-origin');
    asProblem(await service.http.post(`/v1/studies/${id}:cancel`).set('Origin', 'null').expect(403), 'cross-origin');
    asProblem(await service.http.post(`/v1/studies/${id}:cancel`).set('Sec-Fetch-Site', 'cross-site').expect(403), 'cross-origin');
    await service.http.post(`/v1/studies/${id}:cancel`).set('Origin', service.url).expect(202);
  });
});

describe('the page', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'caddis-page-'));
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Caddis</title>');
    writeFileSync(join(folder, 'assets', 'index-abc123.js'), 'export {};');
    writeFileSync(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is served on its own addresses and asked for each time; its assets are kept for ever', async () => {
    const service = await start({}, { page: folder });
    for (const path of ['/', '/studies', '/studies/new', `/studies/${unknownId()}?tab=front`]) {
      const answer = await service.http.get(path).expect(200);
      expect(answer.text).toContain('<title>Caddis</title>');
      expect(answer.headers['cache-control']).toBe('no-cache');
      expect(answer.headers['content-security-policy']).toContain("script-src 'self'");
    }
    expect((await service.http.get('/assets/index-abc123.js').expect(200)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    await service.http.get('/icon.svg').expect(200);
  });

  it('is not what an unknown address gets', async () => {
    const service = await start({}, { page: folder });
    for (const path of ['/nowhere', '/assets/gone.js', '/v1/nowhere', '/studies/a/b', '/..%2fpackage.json', '/index.html/x']) {
      expect(asProblem(await service.http.get(path).expect(404), 'not-found').detail).toContain('/openapi.json');
    }
    asProblem(await service.http.post('/').expect(404), 'not-found');
  });

  it('says how to build it where it has not been built', async () => {
    const service = await start({}, { page: join(folder, 'none') });
    expect((await service.http.get('/').expect(404)).text).toContain('build:web');
  });
});

describe('shutting down', () => {
  it('turns readiness off, ends the worker, ends the streams, then closes queue and store', async () => {
    const order: string[] = [];
    const service = await startApi({}, {
      worker: async ({ onChange }) => {
        expect(onChange).toBeTypeOf('function');
        return { close: async () => {
          const ready = await request(service.url).get('/health/ready');
          order.push(`worker (${ready.status} ${ready.body.checks.service})`);
        } };
      },
      closeStore: async () => { order.push(`store (queue ${service.queue.closed ? 'closed' : 'open'})`); },
    });
    const { id } = await createStudy(service);
    const reader = await EventReader.open(`${service.url}/v1/studies/${id}/events`);
    await reader.atLeast(1);
    const ended = reader.end().then(() => order.push('stream'));
    const began = Date.now();
    await service.close();
    await ended;
    expect(Date.now() - began).toBeLessThan(5000);
    expect(order[0]).toBe('worker (503 draining)');
    expect([...order].sort()).toEqual(['store (queue closed)', 'stream', 'worker (503 draining)']);
    await expect(fetch(`${service.url}/health/live`)).rejects.toThrow();
  });

  it('still closes queue and store when the worker fails to end', async () => {
    let closed = false;
    const service = await startApi({}, { worker: async () => ({ close: () => Promise.reject(new Error('stuck')) }), closeStore: async () => { closed = true; } });
    await service.close();
    expect(service.queue.closed).toBe(true);
    expect(closed).toBe(true);
  });

  it('opens no stream any more', async () => {
    let answer: Promise<{ status: number }> | null = null;
    const service = await startApi({}, { worker: async () => ({ close: async () => undefined }) });
    const { id } = await createStudy(service);
    service.store.study = ((original) => async (studyId: string) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return original.call(service.store, studyId);
    })(service.store.study);
    answer = fetch(`${service.url}/v1/studies/${id}/events`).then((r) => r.body!.cancel().then(() => ({ status: r.status })), () => ({ status: 0 }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const began = Date.now();
    await service.close();
    await answer;
    expect(Date.now() - began).toBeLessThan(5000);
  });
});
