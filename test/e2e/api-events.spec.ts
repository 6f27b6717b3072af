import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StudySummary } from '@app/contracts';
import { commitTrials, createStudy, startApi, unknownId, type Service } from './api/harness.js';
import { EventReader } from './api/event-reader.js';

let service: Service;
const readers: EventReader[] = [];
beforeAll(async () => { service = await startApi(); });
afterAll(() => service.close());
afterEach(() => { readers.splice(0).forEach((reader) => reader.close()); });

async function follow(id: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
  const reader = await EventReader.open(`${service.url}/v1/studies/${id}/events`, headers);
  readers.push(reader);
  return reader;
}

async function clients(): Promise<number> {
  return Number(/^sse_clients (\d+)$/m.exec((await service.http.get('/metrics')).text)?.[1]);
}

describe('the event stream of a study', () => {
  it('is sent as it is: never compressed, cached or held back by a proxy', async () => {
    const { response } = await follow((await createStudy(service)).id);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
  });

  it('begins with a snapshot under the study\'s revision', async () => {
    const study = await createStudy(service);
    const [first] = await (await follow(study.id)).atLeast(1);
    expect(first).toMatchObject({ id: String(study.revision), type: 'snapshot', data: { id: study.id, state: 'draft' } });
  });

  it('tells what happens, each event under the revision it came with', async () => {
    const { id } = await createStudy(service, {}, '');
    const reader = await follow(id);
    await reader.atLeast(1);
    await commitTrials(service, id, [{ onFront: true }, {}]);
    await reader.until(() => reader.events.some((e) => e.type === 'front.changed'));
    const finished = reader.events.find((e) => e.type === 'trial.finished');
    expect(finished!.data).toMatchObject({ from: 1, to: 2, counts: { completed: 2, total: 2 } });
    expect(reader.events.find((e) => e.type === 'front.changed')!.data).toMatchObject({ size: 1, removed: [] });
    const revisions = reader.events.map((e) => Number(e.id));
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(revisions.at(-1)).toBe((await service.store.study(id)).revision);
  });

  it('hears of an action at once', async () => {
    const { id } = await createStudy(service, {}, '');
    const reader = await follow(id);
    await reader.atLeast(1);
    await service.http.post(`/v1/studies/${id}:pause`).expect(202);
    await reader.until(() => reader.events.some((e) => e.type === 'study.state' && (e.data as { state: string }).state === 'paused'));
  });

  it('sends exactly what was missed to a client that comes back, then a snapshot', async () => {
    const { id } = await createStudy(service, {}, '');
    await commitTrials(service, id, [{}]);
    const seen = (await service.store.study(id)).revision;
    await commitTrials(service, id, [{ onFront: true }]);
    await service.http.post(`/v1/studies/${id}:pause`).expect(202);
    const now = (await service.store.study(id)).revision;
    const stored = await service.store.events(id, seen, 100);
    const reader = await follow(id, { 'last-event-id': String(seen) });
    await reader.until(() => reader.events.some((e) => e.type === 'snapshot'));
    const missed = reader.events.slice(0, -1);
    expect(missed.every((e) => Number(e.id) > seen && Number(e.id) <= now)).toBe(true);
    expect(new Set(missed.map((e) => e.type))).toEqual(new Set(stored.map((e) => e.type)));
    expect(missed.find((e) => e.type === 'trial.finished')!.data).toMatchObject({ from: 2, to: 2 });
    expect(reader.events.at(-1)).toMatchObject({ id: String(now), type: 'snapshot', data: { state: 'paused' } });
  });

  it.each(['999999', 'abc', '-1', ''])('sends a snapshot alone to a client that claims event "%s"', async (last) => {
    const { id } = await createStudy(service);
    const reader = await follow(id, { 'last-event-id': last });
    expect((await reader.atLeast(1)).map((e) => e.type)).toEqual(['snapshot']);
  });

  it('loses nothing and repeats nothing while clients come and go during changes', async () => {
    const { id } = await createStudy(service, {}, '');
    const writing = (async () => {
      for (let i = 0; i < 30; i++) {
        await commitTrials(service, id, [{}]);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const covered = new Set<number>();
    let last: string | undefined;
    for (const until = Date.now() + 20_000; covered.size < 30 && Date.now() < until; ) {
      const reader = await follow(id, last === undefined ? {} : { 'last-event-id': last });
      await reader.until(() => reader.events.some((e) => e.type === 'snapshot'));
      await new Promise((resolve) => setTimeout(resolve, 150));
      reader.close();
      for (const e of reader.events) {
        if (e.type === 'snapshot' && last === undefined) for (let n = 1; n <= (e.data as StudySummary).counts.total; n++) covered.add(n);
        if (e.type !== 'trial.finished') continue;
        const { from, to } = e.data as { from: number; to: number };
        for (let n = from; n <= to; n++) {
          expect(covered.has(n), `trial ${n} was told twice`).toBe(false);
          covered.add(n);
        }
      }
      last = reader.events.at(-1)?.id ?? last;
    }
    await writing;
    expect([...covered].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
  });

  it('serves many clients with one reader, and lets go of them when they leave', async () => {
    const { id } = await createStudy(service, {}, '');
    const before = await clients();
    const many = await Promise.all(Array.from({ length: 20 }, () => follow(id)));
    await Promise.all(many.map((reader) => reader.atLeast(1)));
    expect(await clients()).toBe(before + 20);
    let readings = 0;
    const { events } = service.store;
    service.store.events = function (this: typeof service.store, ...args) { readings++; return events.apply(this, args); };
    await new Promise((resolve) => setTimeout(resolve, 1000));
    service.store.events = events;
    expect(readings).toBeGreaterThan(0);
    expect(readings).toBeLessThan(8);
    many.forEach((reader) => reader.close());
    const until = Date.now() + 3000;
    while ((await clients()) > before && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await clients()).toBe(before);
  });

  it('ends when the study is deleted', async () => {
    const { id } = await createStudy(service);
    const reader = await follow(id);
    await reader.atLeast(1);
    await service.http.delete(`/v1/studies/${id}`).expect(204);
    await reader.end();
  });

  it('goes on after the store failed for a moment', async () => {
    const { id } = await createStudy(service, {}, '');
    const reader = await follow(id);
    await reader.atLeast(1);
    const { events } = service.store;
    service.store.events = () => Promise.reject(new Error('for a moment'));
    await new Promise((resolve) => setTimeout(resolve, 500));
    service.store.events = events;
    await commitTrials(service, id, [{}]);
    await reader.until(() => reader.events.some((e) => e.type === 'trial.finished'));
  });

  it('answers an unknown study with a problem, not a stream', async () => {
    const answer = await service.http.get(`/v1/studies/${unknownId()}/events`).expect(404);
    expect(answer.type).toBe('application/problem+json');
  });

  it('answers HEAD without staying', async () => {
    await service.http.head(`/v1/studies/${(await createStudy(service)).id}/events`).expect(200);
  });
});
