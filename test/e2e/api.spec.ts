import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { dryRunReport, frontView, seriesView, studyDetail, studyPage, trialPage, trialView } from '@app/contracts';
import { asProblem } from './api/as-problem.js';
import { commitTrials, createStudy, finishExport, SPEC, startApi, unknownId, type Service } from './api/harness.js';

let service: Service;
beforeAll(async () => { service = await startApi(); });
afterAll(() => service.close());

describe('creating a study', () => {
  it('answers 201 with its place, its revision and the whole study, and queues its first step', async () => {
    const answer = await service.http.post('/v1/studies').send(SPEC).expect(201);
    const study = studyDetail.parse(answer.body);
    expect(answer.headers['location']).toBe(`/v1/studies/${study.id}`);
    expect(answer.headers['etag']).toBe(`"${study.revision}"`);
    expect(study).toMatchObject({ state: 'queued', name: SPEC.name, labels: SPEC.labels, space: 'nas-bench-201', allowedActions: ['pause', 'stop', 'cancel', 'clone'] });
    expect(service.queue.jobs).toContainEqual({ name: 'study.step', studyId: study.id });
  });

  it('leaves a draft alone with start=false', async () => {
    const study = await createStudy(service);
    expect(study.state).toBe('draft');
    expect(service.queue.jobs).not.toContainEqual({ name: 'study.step', studyId: study.id });
  });

  it.each(['application/yaml', 'text/yaml', 'application/x-yaml; charset=utf-8'])('reads %s', async (type) => {
    const text = 'name: from yaml\nsearchSpace: nas-bench-201\naccuracy: {method: table}\nobjectives:\n  - metric: error\nbudget: {maxTrials: 5, maxDuration: 2h}\n';
    const answer = await service.http.post('/v1/studies?start=false').set('content-type', type).send(text).expect(201);
    expect(answer.body.spec.budget).toMatchObject({ maxTrials: 5, maxDuration: 7200 });
  });

  it('creates one study for one idempotency key, however often it is sent', async () => {
    const send = (body: object) => service.http.post('/v1/studies').set('Idempotency-Key', '"order-66"').send(body);
    const first = await send(SPEC).expect(201);
    const again = await send(Object.fromEntries(Object.entries(SPEC).reverse())).expect(201);
    expect(again.body.id).toBe(first.body.id);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(service.queue.jobs.filter((job) => job.name === 'study.step' && job.studyId === first.body.id)).toHaveLength(1);
    const other = await send({ ...SPEC, seed: 4 }).expect(422);
    asProblem(other, 'idempotency-conflict');
  });

  it('lets two racing posts with one key make one study', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => service.http.post('/v1/studies?start=false').set('Idempotency-Key', 'race').send(SPEC)));
    expect(new Set(answers.map((a) => a.body.id)).size).toBe(1);
  });

  it('refuses a key that is not printable', async () => {
    asProblem(await service.http.post('/v1/studies').set('Idempotency-Key', 'a b').send(SPEC).expect(400), 'invalid-request');
  });

  it('points at every fault of a specification at once', async () => {
    const answer = await service.http.post('/v1/studies').send({
      ...SPEC, colour: 'red', budget: { maxTrials: 0 }, objectives: [{ metric: 'latency', target: 'toaster' }, { metric: 'beauty' }],
    }).expect(422);
    const { errors } = asProblem(answer, 'invalid-spec');
    expect(errors!.map((e) => e.pointer)).toEqual(expect.arrayContaining(['/colour', '/budget/maxTrials']));
  });

  it.each([
    ['an unknown device', { objectives: [{ metric: 'latency', target: 'toaster' }] , referencePoint: undefined }, '/objectives/0/target', 'toaster'],
    ['an unknown space', { searchSpace: 'hyperspace' }, '/searchSpace', 'hyperspace'],
    ['an unknown metric', { objectives: [{ metric: 'beauty' }], referencePoint: undefined }, '/objectives/0/metric', 'beauty'],
    ['a unit of another quantity', { objectives: [{ metric: 'latency', target: 'pixel-3', unit: 'kB' }], referencePoint: undefined }, '/objectives/0/unit', 'kB'],
    ['a reference point without an objective', { referencePoint: { error: 50 } }, '/referencePoint/latency@pixel-3', 'missing'],
    ['a seed that is not whole', { seed: 1.5 }, '/seed', ''],
  ])('refuses %s, naming the field', async (_, change, pointer, word) => {
    const { errors } = asProblem(await service.http.post('/v1/studies').send({ ...SPEC, ...change }).expect(422), 'invalid-spec');
    const found = errors!.find((e) => e.pointer === pointer);
    expect(found, JSON.stringify(errors)).toBeDefined();
    expect(found!.message).toContain(word);
  });

  it('refuses commands unless the service allows them', async () => {
    const command = { ...SPEC, searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1 }] }, accuracy: { method: 'command', command: ['true'], metrics: ['f'] }, objectives: [{ metric: 'f' }], constraints: [], referencePoint: undefined };
    asProblem(await service.http.post('/v1/studies').send(command).expect(403), 'commands-not-allowed');
    asProblem(await service.http.post('/v1/studies:validate').send(command).expect(403), 'commands-not-allowed');
  });
});

describe('bodies that can\'t be read', () => {
  const post = (type: string, body: string) => service.http.post('/v1/studies').set('content-type', type).send(body);

  it('names line and column of a tab in YAML', async () => {
    const body = asProblem(await post('application/yaml', 'name: x\nbudget:\n\tmaxTrials: 5\n').expect(400), 'malformed-body');
    expect(body.detail).toMatch(/line 3, column 1: .*[Tt]ab/);
  });

  it.each([
    ['a key that stands twice', 'name: a\nname: b\n', /line 2/],
    ['two documents', 'name: a\n---\nname: b\n', /document/],
    ['aliases that blow up', `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`, /alias/],
  ])('refuses YAML with %s', async (_, text, message) => {
    expect(asProblem(await post('application/yaml', text).expect(400), 'malformed-body').detail).toMatch(message);
  });

  it('names line and column of a fault in JSON', async () => {
    expect(asProblem(await post('application/json', '{\n  "name": "x",\n}').expect(400), 'malformed-body').detail).toMatch(/line 3/);
  });

  it('refuses bytes that are not UTF-8', async () => {
    const answer = await fetch(`${service.url}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array([0x22, 0xff, 0xfe, 0x22]) });
    expect(answer.status).toBe(400);
  });

  it('refuses no body at all', async () => {
    asProblem(await service.http.post('/v1/studies').expect(400), 'malformed-body');
    asProblem(await post('application/json', '').expect(400), 'malformed-body');
  });

  it.each([['null', 'null'], ['a number', '7'], ['a list', '[]'], ['a text', '"name"']])('refuses %s', async (_, text) => {
    asProblem(await post('application/json', text).expect(422), 'invalid-spec');
  });

  it('refuses 10 MB, announced or not', async () => {
    const big = JSON.stringify({ ...SPEC, description: 'x'.repeat(10_000_000) });
    asProblem(await post('application/json', big).expect(413), 'body-too-large');
    const stream = new ReadableStream({ start(c) { for (let i = 0; i < 20; i++) c.enqueue(new Uint8Array(100_000).fill(32)); c.close(); } });
    const chunked = await fetch(`${service.url}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: stream, duplex: 'half' } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])('refuses %s', async (type) => {
    asProblem(await post(type, 'name=x').expect(415), 'unsupported-media-type');
  });
});

describe('the dry run', () => {
  it('reports shares and creates nothing', async () => {
    const before = (await service.store.studies({ limit: 200 })).items.length;
    const report = dryRunReport.parse((await service.http.post('/v1/studies:validate').send(SPEC).expect(200)).body);
    expect(report).toMatchObject({ valid: true, cardinality: 15_625, trials: 50 });
    expect(report.constraints[0]!.share).toBeGreaterThan(0);
    expect(report.constraints[0]!.share).toBeLessThanOrEqual(1);
    expect((await service.store.studies({ limit: 200 })).items).toHaveLength(before);
  });

  it('says of an impossible limit that no sampled network meets it, and the best it saw', async () => {
    const report = dryRunReport.parse((await service.http.post('/v1/studies:validate').send({ ...SPEC, constraints: [{ metric: 'params', op: '<=', value: 1 }] }).expect(200)).body);
    expect(report.feasibleShare).toBe(0);
    expect(report.hardest).toBe('params');
    expect(report.constraints[0]!.best).toBeGreaterThan(70_000);
    expect(report.warnings.join()).toMatch(/no sampled point meets params/);
  });

  it('refuses what creating would refuse', async () => {
    asProblem(await service.http.post('/v1/studies:validate').send({ ...SPEC, searchSpace: 'none' }).expect(422), 'invalid-spec');
  });
});

describe('reading studies', () => {
  it('answers 304 to a client that has the revision', async () => {
    const study = await createStudy(service);
    const first = await service.http.get(`/v1/studies/${study.id}`).expect(200);
    expect(studyDetail.parse(first.body).id).toBe(study.id);
    await service.http.get(`/v1/studies/${study.id}`).set('If-None-Match', first.headers['etag']!).expect(304);
    await service.http.get(`/v1/studies/${study.id}`).set('If-None-Match', '"0"').expect(200);
  });

  it.each(['studies', 'trials', 'exports'])('knows no %s by an unknown id or by no id at all', async (what) => {
    asProblem(await service.http.get(`/v1/${what}/${unknownId()}`).expect(404), 'not-found');
    asProblem(await service.http.get(`/v1/${what}/7`).expect(404), 'not-found');
    asProblem(await service.http.get(`/v1/${what}/%E0%A4%A`).expect(400), 'invalid-request');
  });

  it('lists pages that hold every study once', async () => {
    const own = await Promise.all(Array.from({ length: 5 }, (_, i) => createStudy(service, { name: `page ${i}`, labels: { set: 'paging' } })));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = studyPage.parse((await service.http.get(`/v1/studies?limit=2&label=set:paging&cursor=${encodeURIComponent(cursor)}`).expect(200)).body);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map((s) => s.id));
      cursor = page.nextCursor;
    } while (cursor !== '');
    expect(seen.sort()).toEqual(own.map((s) => s.id).sort());
  });

  it('filters by state and part of the name, and sorts', async () => {
    await createStudy(service, { name: 'Zebra one' });
    await createStudy(service, { name: 'zebra two' });
    const names = async (query: string) => (await service.http.get(`/v1/studies?search=zebra&${query}`).expect(200)).body.items.map((s: { name: string }) => s.name);
    expect(await names('sort=name')).toEqual(['Zebra one', 'zebra two']);
    expect(await names('sort=-name')).toEqual(['zebra two', 'Zebra one']);
    expect(await names('state=running,completed')).toEqual([]);
    expect(await names('state=draft&state=running')).toHaveLength(2);
  });

  it.each([['limit=0', 'limit'], ['limit=201', 'limit'], ['limit=many', 'limit'], ['state=asleep', 'state'], ['colour=red', 'colour'], ['sort=age', 'sort'], ['label=audio', 'label']])('refuses ?%s and names the parameter', async (query, name) => {
    const { errors } = asProblem(await service.http.get(`/v1/studies?${query}`).expect(400), 'invalid-request');
    expect(errors![0]!.pointer.split('.')[0]).toBe(name);
  });

  it('refuses a cursor it did not give out', async () => {
    asProblem(await service.http.get('/v1/studies?cursor=bm9wZQ').expect(400), 'bad-cursor');
  });

  it('gives the specification back as YAML that makes the same study', async () => {
    const study = await createStudy(service, { name: 'größe "a/b"' });
    const answer = await service.http.get(`/v1/studies/${study.id}/spec`).expect(200);
    expect(answer.headers['content-type']).toMatch(/^application\/yaml/);
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="gr__e _a-b_.yaml"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%22a-b%22.yaml`);
    expect(parse(answer.text).name).toBe('größe "a/b"');
    const again = await service.http.post('/v1/studies?start=false').set('content-type', 'application/yaml').send(answer.text).expect(201);
    expect(again.body.spec).toEqual(study.spec);
  });
});

describe('changing a study', () => {
  it('changes name, labels and single fields of the budget, and raises the revision', async () => {
    const study = await createStudy(service);
    const answer = await service.http.patch(`/v1/studies/${study.id}`).set('If-Match', `"${study.revision}"`).send({ name: 'new', labels: {}, budget: { maxTrials: 80, maxDuration: '1h' } }).expect(200);
    expect(answer.body).toMatchObject({ name: 'new', labels: {}, spec: { budget: { maxTrials: 80, maxDuration: 3600, maxParallelTrials: 1 } } });
    expect(answer.body.revision).toBeGreaterThan(study.revision);
    expect(answer.headers['etag']).toBe(`"${answer.body.revision}"`);
    const without = await service.http.patch(`/v1/studies/${study.id}`).send({ budget: { maxDuration: null } }).expect(200);
    expect(without.body.spec.budget.maxDuration).toBeUndefined();
  });

  it('refuses a change meant for another revision, and changes nothing', async () => {
    const study = await createStudy(service);
    await service.http.patch(`/v1/studies/${study.id}`).send({ name: 'first' }).expect(200);
    asProblem(await service.http.patch(`/v1/studies/${study.id}`).set('If-Match', `"${study.revision}"`).send({ name: 'second' }).expect(412), 'revision-mismatch');
    expect((await service.http.get(`/v1/studies/${study.id}`)).body.name).toBe('first');
  });

  it.each([
    [{ seed: 9 }, '/seed'], [{ name: '' }, '/name'], [{ budget: { maxTrials: -1 } }, '/budget/maxTrials'], [{ budget: { maxTrials: null } }, '/budget/maxTrials'],
    [{ budget: { hours: 3 } }, '/budget/hours'], [{ labels: { a: 1 } }, '/labels/a'],
  ])('refuses %j', async (change, pointer) => {
    const study = await createStudy(service);
    expect(asProblem(await service.http.patch(`/v1/studies/${study.id}`).send(change).expect(422), 'invalid-spec').errors![0]!.pointer).toBe(pointer);
  });

  it('refuses an If-Match that is no tag of a study', async () => {
    const study = await createStudy(service);
    asProblem(await service.http.patch(`/v1/studies/${study.id}`).set('If-Match', '"abc"').send({ name: 'x' }).expect(400), 'invalid-request');
  });

  it('deletes a study with its trials, but not while it runs', async () => {
    const study = await createStudy(service, {}, '');
    const [trial] = await commitTrials(service, study.id, [{}]);
    const refused = asProblem(await service.http.delete(`/v1/studies/${study.id}`).expect(409), 'state-conflict');
    expect(refused.allowedActions).toContain('cancel');
    await service.http.post(`/v1/studies/${study.id}:cancel`).expect(202);
    await service.http.delete(`/v1/studies/${study.id}`).expect(204);
    await service.http.get(`/v1/studies/${study.id}`).expect(404);
    await service.http.get(`/v1/trials/${trial}`).expect(404);
    await service.http.delete(`/v1/studies/${study.id}`).expect(404);
  });
});

describe('actions', () => {
  const act = (id: string, action: string) => service.http.post(`/v1/studies/${id}:${action}`);

  it('pauses, resumes, stops and cancels; the same call twice is harmless', async () => {
    const { id } = await createStudy(service);
    expect((await act(id, 'start').expect(202)).body.state).toBe('queued');
    await act(id, 'start').expect(200);
    expect((await act(id, 'pause').expect(202)).body.state).toBe('paused');
    await act(id, 'pause').expect(200);
    expect((await act(id, 'resume').expect(202)).body.state).toBe('queued');
    await act(id, 'resume').expect(200);
    expect(service.queue.jobs.filter((job) => job.name === 'study.step' && job.studyId === id)).toHaveLength(2);
    expect((await act(id, 'stop').expect(202)).body.state).toBe('stopping');
    await act(id, 'stop').expect(200);
    expect((await act(id, 'cancel').expect(202)).body).toMatchObject({ state: 'cancelled', reason: 'cancelled', allowedActions: ['clone'] });
    await act(id, 'cancel').expect(200);
  });

  it('refuses what the state does not allow, and says what it does', async () => {
    const { id } = await createStudy(service);
    const body = asProblem(await act(id, 'pause').expect(409), 'state-conflict');
    expect(body.allowedActions).toEqual(['start', 'cancel', 'clone']);
    await act(id, 'cancel').expect(202);
    expect(asProblem(await act(id, 'resume').expect(409), 'state-conflict').allowedActions).toEqual(['clone']);
  });

  it('cancels the open trials with the study', async () => {
    const study = await createStudy(service, {}, '');
    const held = await service.store.leaseStudy(study.id, 'test', 60_000);
    expect(held).not.toBeNull();
    await commitOpenTrial(service, held!.lease, study.id);
    await act(study.id, 'cancel').expect(202);
    expect((await service.http.get(`/v1/studies/${study.id}`)).body.counts).toMatchObject({ cancelled: 1, pending: 0, running: 0 });
  });

  it('clones a study in any state into a draft with its own name and seed', async () => {
    const study = await createStudy(service);
    await act(study.id, 'cancel').expect(202);
    const copy = await act(study.id, 'clone').expect(201);
    expect(copy.body).toMatchObject({ state: 'draft', name: `${SPEC.name} (copy)`, labels: SPEC.labels });
    expect(copy.headers['location']).toBe(`/v1/studies/${copy.body.id}`);
    expect({ ...copy.body.spec, name: SPEC.name }).toEqual(study.spec);
    const other = await act(study.id, 'clone').send({ name: 'other', seed: 77 }).expect(201);
    expect(other.body).toMatchObject({ name: 'other', spec: { seed: 77 } });
  });

  it('knows no other action, and no action on an unknown study', async () => {
    const { id } = await createStudy(service);
    asProblem(await act(id, 'explode').expect(404), 'not-found');
    asProblem(await act(unknownId(), 'pause').expect(404), 'not-found');
    asProblem(await act('7', 'pause').expect(404), 'not-found');
  });
});

describe('trials', () => {
  let id: string;
  let ids: string[];
  beforeAll(async () => {
    id = (await createStudy(service, { name: 'with, trials' }, '')).id;
    ids = await commitTrials(service, id, [
      { error: 40, latency: 0.01, onFront: true }, { error: 30, latency: 0.02, onFront: true }, { error: 45, latency: 0.03 },
      { state: 'failed' }, { state: 'infeasible', params: 2e6, error: 20 },
    ]);
  });
  const trials = (query = '') => service.http.get(`/v1/studies/${id}/trials${query}`);
  const numbers = async (query: string): Promise<number[]> => (await trials(query).expect(200)).body.items.map((t: { number: number }) => t.number);

  it('shows metrics in the units of the specification', async () => {
    const page = trialPage.parse((await trials().expect(200)).body);
    expect(page.items.map((t) => t.number)).toEqual([1, 2, 3, 4, 5]);
    expect(page.items[0]!.metrics['latency@pixel-3']).toMatchObject({ value: 10, unit: 'ms', interval: [10, 40] });
    expect(page.items[0]!.metrics['params']).toMatchObject({ value: 0.5, unit: 'M' });
  });

  it('filters and sorts, with missing values last either way', async () => {
    expect(await numbers('?state=completed')).toEqual([1, 2, 3]);
    expect(await numbers('?state=failed,infeasible')).toEqual([4, 5]);
    expect(await numbers('?feasible=true')).toEqual([1, 2, 3]);
    expect(await numbers('?feasible=false')).toEqual([5]);
    expect(await numbers('?onFront=true')).toEqual([1, 2]);
    expect(await numbers('?sort=error')).toEqual([5, 2, 1, 3, 4]);
    expect(await numbers('?sort=-error')).toEqual([3, 1, 2, 5, 4]);
    expect(await numbers('?sort=-number&limit=2')).toEqual([5, 4]);
    expect(await numbers(`?sort=${encodeURIComponent('latency@pixel-3')}&state=completed`)).toEqual([1, 2, 3]);
  });

  it('pages without a gap or a repetition', async () => {
    const seen: number[] = [];
    let cursor = '';
    do {
      const { items, nextCursor } = (await trials(`?limit=2&sort=-error&cursor=${encodeURIComponent(cursor)}`).expect(200)).body;
      seen.push(...items.map((t: { number: number }) => t.number));
      cursor = nextCursor;
    } while (cursor !== '');
    expect(seen).toEqual([3, 1, 2, 5, 4]);
  });

  it.each(['limit=501', 'feasible=perhaps', 'state=lost', 'sort=;drop', 'sort=-edge_1_0', 'format=xml'])('refuses ?%s', async (query) => {
    asProblem(await trials(`?${query}`).expect(400), 'invalid-request');
  });

  it.each([['?format=csv', {}], ['', { accept: 'text/csv' }]])('downloads every trial as CSV with units in the head (%s %j)', async (query, headers) => {
    const answer = await trials(query).set(headers).expect(200);
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="with_ trials-trials.csv"; filename*=UTF-8\'\'with%2C%20trials-trials.csv');
    const lines = answer.text.split('\r\n');
    expect(lines[0]).toContain('number,id,state,reason');
    expect(lines[0]).toContain('latency@pixel-3 [ms],latency@pixel-3 provenance');
    expect(lines).toHaveLength(7);
    const row = Object.fromEntries(lines[0]!.split(',').map((name, i) => [name, lines[1]!.split(',')[i]]));
    expect(row).toMatchObject({ number: '1', id: ids[0], state: 'completed', feasible: 'true', onFront: 'true', 'error [%]': '40', 'latency@pixel-3 [ms]': '10', 'params [M]': '0.5' });
  });

  it('prefers JSON where the client takes anything', async () => {
    expect((await trials().set('accept', '*/*')).type).toBe('application/json');
  });

  it('gives one trial', async () => {
    expect(trialView.parse((await service.http.get(`/v1/trials/${ids[1]}`).expect(200)).body)).toMatchObject({ id: ids[1], studyId: id, number: 2, onFront: true, rank: 0 });
  });

  it('gives the study as columns, compressed, tagged with the revision', async () => {
    const answer = await service.http.get(`/v1/studies/${id}/series`).set('accept-encoding', 'gzip').expect(200);
    expect(answer.headers['content-encoding']).toBe('gzip');
    const series = seriesView.parse(answer.body);
    expect(series.count).toBe(5);
    expect(series.columns['error']).toEqual({ kind: 'metric', unit: '%', values: [40, 30, 45, null, 20] });
    expect(series.columns['edge_1_0']!.kind).toBe('parameter');
    await service.http.get(`/v1/studies/${id}/series`).set('If-None-Match', answer.headers['etag']!).expect(304);
    const some = seriesView.parse((await service.http.get(`/v1/studies/${id}/series?columns=error,nonsense`).expect(200)).body);
    expect(Object.keys(some.columns)).toEqual(['error']);
  });

  it('gives the front with its history, crowding and knees', async () => {
    const answer = await service.http.get(`/v1/studies/${id}/front`).expect(200);
    const front = frontView.parse(answer.body);
    expect(front.trials.map((t) => t.number)).toEqual([1, 2]);
    expect(front.trials.every((t) => t.crowding === null)).toBe(true);
    expect(front.history).toMatchObject([{ trials: 5, frontSize: 2 }]);
    expect(front.objectives.map((o) => o.reference)).toEqual([60, 100]);
    expect(front.empty).toBeNull();
    await service.http.get(`/v1/studies/${id}/front`).set('If-None-Match', answer.headers['etag']!).expect(304);
  });

  it('begin another study of the same space as knowledge, by its limits; a clone has them too', async () => {
    const warm = await createStudy(service, { warmStart: { studies: [id] }, constraints: [] });
    const { imports, trials: own } = await service.store.fold(warm.id);
    expect(own).toEqual([]);
    expect(imports.map((i) => [i.studyId, i.number, i.state, i.objectives])).toEqual([
      [id, 1, 'completed', [40, 0.01]], [id, 2, 'completed', [30, 0.02]], [id, 3, 'completed', [45, 0.03]], [id, 4, 'failed', [null, null]], [id, 5, 'completed', [20, 0.02]],
    ]);
    const copy = await service.http.post(`/v1/studies/${warm.id}:clone`).expect(201);
    expect((await service.store.fold(copy.body.id)).imports).toEqual(imports);
  });

  it('of a study that means something else, or is none, are refused as a beginning, naming the field', async () => {
    const refused = async (change: object): Promise<{ pointer: string; message: string }> => asProblem(await service.http.post('/v1/studies').send({ ...SPEC, ...change }).expect(422), 'invalid-spec').errors![0]!;
    expect(await refused({ warmStart: { studies: [unknownId()] } })).toMatchObject({ pointer: '/warmStart/studies/0', message: expect.stringContaining('no study') });
    expect(await refused({ warmStart: { studies: [id] }, accuracy: { method: 'table', dataset: 'cifar100' }, constraints: [] })).toMatchObject({ pointer: '/warmStart/studies/0', message: expect.stringContaining('differs in') });
    expect(await refused({ warmStart: { studies: [id] }, searchSpace: { base: 'nas-bench-201', parameters: {} }, objectives: [{ metric: 'error' }, { metric: 'latency', target: 'eyeriss' }], referencePoint: undefined })).toMatchObject({
      pointer: '/warmStart/studies/0', message: expect.stringContaining('has no completed trial with "latency@eyeriss"'),
    });
  });

  it('says why a front is empty', async () => {
    const study = await createStudy(service, {}, '');
    await commitTrials(service, study.id, [{ state: 'infeasible', params: 3e6 }, { state: 'infeasible', params: 1.5e6 }]);
    const front = frontView.parse((await service.http.get(`/v1/studies/${study.id}/front`).expect(200)).body);
    expect(front.empty).toMatchObject({ message: 'none of 2 trials meets every limit', constraints: [{ key: 'params', passed: 0, of: 2, nearest: 1.5, limit: 1, unit: 'M' }] });
  });

  it('draws the network of a trial with its price on each device', async () => {
    const { body } = await service.http.get(`/v1/trials/${ids[0]}/network`).expect(200);
    expect(body.nodes.length).toBeGreaterThan(10);
    expect(body.devices.map((d: { device: string }) => d.device)).toEqual(['pixel-3']);
    expect(body.macs).toBe(body.nodes.reduce((sum: number, n: { macs: number }) => sum + n.macs, 0));
  });
});

describe('exports', () => {
  it('is built behind the scenes and then downloaded', async () => {
    const study = await createStudy(service, {}, '');
    const [trial] = await commitTrials(service, study.id, [{ onFront: true }]);
    const asked = await service.http.post(`/v1/trials/${trial}/exports`).send({ format: 'onnx' }).expect(202);
    const place = asked.headers['location']!;
    expect(place).toBe(`/v1/exports/${asked.body.id}`);
    expect(service.queue.jobs).toContainEqual({ name: 'export.build', exportId: asked.body.id });
    expect((await service.http.get(place).expect(200)).body).toMatchObject({ state: 'queued', trialId: trial, studyId: study.id, format: 'onnx' });
    const early = await service.http.get(`${place}/content`).expect(409);
    asProblem(early, 'not-ready');
    expect(early.headers['retry-after']).toBe('1');
    await finishExport(service, asked.body.id, 'bytes of a network');
    expect((await service.http.get(place)).body).toMatchObject({ state: 'completed', fileName: 'network.onnx', bytes: 18, manifest: { seed: 3 } });
    const file = await service.http.get(`${place}/content`).expect(200);
    expect(file.headers['content-type']).toBe('application/octet-stream');
    expect(file.headers['content-disposition']).toBe('attachment; filename="network.onnx"');
    expect(Buffer.from(file.body).toString()).toBe('bytes of a network');
  });

  it.each([[{}, '/format'], [{ format: 'word' }, '/format'], [{ format: 'onnx', seed: -1 }, '/seed'], [{ format: 'onnx', speed: 1 }, '/speed']])('refuses %j', async (body, pointer) => {
    const study = await createStudy(service, {}, '');
    const [trial] = await commitTrials(service, study.id, [{}]);
    expect(asProblem(await service.http.post(`/v1/trials/${trial}/exports`).send(body).expect(422), 'invalid-spec').errors![0]!.pointer).toBe(pointer);
  });

  it('knows no trial by an unknown id', async () => {
    asProblem(await service.http.post(`/v1/trials/${unknownId()}/exports`).send({ format: 'onnx' }).expect(404), 'not-found');
  });
});

describe('devices and spaces', () => {
  it('lists and shows devices', async () => {
    const { items } = (await service.http.get('/v1/devices').expect(200)).body;
    expect(items.map((d: { id: string }) => d.id)).toContain('pixel-3');
    expect((await service.http.get('/v1/devices/pixel-3').expect(200)).body).toMatchObject({ id: 'pixel-3', class: 'mobile', ram: { unit: 'B' } });
    expect(asProblem(await service.http.get('/v1/devices/toaster').expect(404), 'not-found').detail).toContain('pixel-3');
  });

  it('lists and shows search spaces', async () => {
    const { items } = (await service.http.get('/v1/spaces').expect(200)).body;
    expect(items.map((s: { name: string }) => s.name)).toContain('nas-bench-201');
    expect((await service.http.get('/v1/spaces/nas-bench-201').expect(200)).body).toMatchObject({ cardinality: 15_625, accuracy: expect.arrayContaining(['table', 'command', 'none']), tabulated: ['error', 'accuracy'], task: { numClasses: 1000, inputChannels: 3 } });
    expect((await service.http.get('/v1/spaces/ds-cnn').expect(200)).body).toMatchObject({ family: 'ds-cnn', accuracy: ['train', 'proxy', 'command', 'http', 'none'], task: { numClasses: 12, inputChannels: 1 } });
    asProblem(await service.http.get('/v1/spaces/hyperspace').expect(404), 'not-found');
  });
});

async function commitOpenTrial(on: Service, lease: Parameters<Service['store']['commitStep']>[0], studyId: string): Promise<void> {
  const study = await on.store.study(studyId);
  const parameters = Object.fromEntries(study.space.parameters.map((p) => [p.name, 'values' in p ? p.values[0]! : 0]));
  await on.store.commitStep(lease, {
    proposed: [{ id: unknownId(), number: 1, round: 1, key: 'k', genes: [0, 0, 0, 0, 0, 0], parameters, fidelity: 1, proposedBy: 'test', note: null }],
    settled: [], told: 0, snapshot: { version: 'test', state: null }, referencePoint: null, hypervolume: null, frontSize: 0, frontAdded: [], frontRemoved: [], ranks: [], history: [], screened: 0, finish: null,
  });
}
