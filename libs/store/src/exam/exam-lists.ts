import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BadCursor, type Page, type StudyQuery, type StudyRecord, type TrialQuery, type TrialRecord } from '@app/study';
import type { Bench } from './exam-store.js';
import { evaluatedStep, proposal, range, sampleDefinition, settledProposal, step } from './sample-study.js';

export function examineLists(bench: Bench): void {
  const pages = async <T>(read: (cursor: string | undefined) => Promise<Page<T>>, between: () => Promise<void> = async () => undefined): Promise<T[][]> => {
    const all: T[][] = [];
    let cursor: string | undefined;
    do {
      const page = await read(cursor);
      all.push([...page.items]);
      cursor = page.nextCursor;
      await between();
    } while (cursor !== '');
    return all;
  };

  describe('the list of studies', () => {
    const make = async (tag: string, names: readonly string[]): Promise<StudyRecord[]> => {
      const made: StudyRecord[] = [];
      for (const name of names) {
        made.push((await bench.store.create({ definition: sampleDefinition(name, { tag }), state: 'draft' })).study);
        await new Promise((r) => setTimeout(r, 2));
      }
      return made;
    };
    const names = async (query: Omit<StudyQuery, 'limit'>): Promise<string[]> => (await bench.store.studies({ limit: 100, ...query })).items.map((s) => s.name);

    it('sorts by time and by name, whatever the case', async () => {
      const tag = randomUUID();
      await make(tag, ['beta', 'Alpha', 'gamma']);
      const label = { key: 'tag', value: tag };
      expect(await names({ label })).toEqual(['gamma', 'Alpha', 'beta']);
      expect(await names({ label, sort: 'created' })).toEqual(['beta', 'Alpha', 'gamma']);
      expect(await names({ label, sort: 'name' })).toEqual(['Alpha', 'beta', 'gamma']);
      expect(await names({ label, sort: '-name' })).toEqual(['gamma', 'beta', 'Alpha']);
    });

    it('filters by state, label and part of the name', async () => {
      const tag = randomUUID();
      const label = { key: 'tag', value: tag };
      const [first] = await make(tag, ['50% off_sale', 'plain', "it's"]);
      await bench.store.transition(first!.id, ['draft'], 'queued');
      expect(await names({ label, states: ['queued', 'failed'] })).toEqual(['50% off_sale']);
      expect(await names({ label, states: [] })).toHaveLength(3);
      expect(await names({ label, search: '0% OFF_' })).toEqual(['50% off_sale']);
      expect(await names({ label, search: '%' })).toEqual(['50% off_sale']);
      expect(await names({ label, search: "'" })).toEqual(["it's"]);
      expect(await names({ label: { key: 'toString', value: tag } })).toEqual([]);
      expect(await names({ label: { key: 'tag', value: 'other' } })).toEqual([]);
    });

    it('comes in pages that neither lose nor repeat one, while others are made', async () => {
      const tag = randomUUID();
      const label = { key: 'tag', value: tag };
      for (const sort of ['-created', 'created', 'name', '-name'] as const) {
        const before = (await make(`${tag}${sort}`, ['same', 'same', 'same', 'b', 'a'])).map((s) => s.id);
        const found = await pages((cursor) => bench.store.studies({ label: { ...label, value: `${tag}${sort}` }, sort, limit: 2, cursor }), async () => {
          if (sort === '-created') await make(`${tag}${sort}`, ['same']);
        });
        expect(found.flat().map((s) => s.id).sort(), sort).toEqual([...before].sort());
        expect(found[0], sort).toHaveLength(2);
      }
    });

    it('counts the trials of the studies asked for, none included', async () => {
      const { study, lease } = await bench.running();
      const { study: empty } = await bench.store.create({ definition: sampleDefinition(), state: 'draft' });
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 3));
      const counts = await bench.store.counts([study.id, empty.id, randomUUID()]);
      expect([...counts.keys()].sort()).toEqual([study.id, empty.id].sort());
      expect(counts.get(study.id)).toMatchObject({ completed: 3, total: 3 });
      expect(counts.get(empty.id)).toEqual({ pending: 0, running: 0, completed: 0, infeasible: 0, failed: 0, cancelled: 0, total: 0 });
    });

    it('refuses cursors it did not give', async () => {
      for (const cursor of ['nonsense', Buffer.from('[1,2]').toString('base64url'), Buffer.from('["-created","x","y"]').toString('base64url'), Buffer.from('["-created",1e99,"y"]').toString('base64url'),
        Buffer.from(`["name","x","${randomUUID()}"]`).toString('base64url'), Buffer.from('["-created",1,"no uuid"]').toString('base64url')]) {
        await expect(bench.store.studies({ limit: 10, cursor }), cursor).rejects.toThrow(BadCursor);
      }
      for (const limit of [0, -1, 1.5, NaN]) await expect(bench.store.studies({ limit })).rejects.toThrow(/limit: expected/);
    });
  });

  describe('the list of trials', () => {
    const values = [3, null, 1, 2, null, 2, 1e300];
    const sample = async (): Promise<{ id: string; list: (query: Omit<TrialQuery, 'limit'>) => Promise<number[]>; grow: () => Promise<void> }> => {
      const { study, lease } = await bench.running();
      const numbers = range(1, values.length);
      await bench.store.commitStep(lease, step({
        proposed: numbers.map((n) => proposal(study.id, n)), settled: numbers.map((n) => settledProposal(study.id, n, values[n - 1]!, values[n - 1] === null ? null : n !== 3)),
        told: numbers.length, frontAdded: [proposal(study.id, 4).id], frontSize: 1,
      }));
      let next = values.length;
      const grow = async (): Promise<void> => {
        next++;
        await bench.store.commitStep(lease, evaluatedStep(study.id, next, next));
      };
      return { id: study.id, grow, list: async (query) => (await bench.store.trials(study.id, { limit: 100, ...query })).items.map((t) => t.number) };
    };

    it('sorts by number and by metric, trials without the metric last either way', async () => {
      const { list } = await sample();
      expect(await list({})).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(await list({ sort: '-number' })).toEqual([7, 6, 5, 4, 3, 2, 1]);
      expect(await list({ sort: 'f1' })).toEqual([3, 4, 6, 1, 7, 2, 5]);
      expect(await list({ sort: '-f1' })).toEqual([7, 1, 4, 6, 3, 2, 5]);
      for (const sort of ['f9', 'latency@pixel-3', "f1' or '1'='1", '-__proto__', 'constructor', 'a\u0000']) expect(await list({ sort }), sort).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    it('filters by state, feasibility and front', async () => {
      const { list } = await sample();
      expect(await list({ states: ['failed'] })).toEqual([2, 5]);
      expect(await list({ states: ['failed', 'infeasible'], sort: '-number' })).toEqual([5, 3, 2]);
      expect(await list({ states: [] })).toHaveLength(7);
      expect(await list({ feasible: true })).toEqual([1, 4, 6, 7]);
      expect(await list({ feasible: false })).toEqual([3]);
      expect(await list({ onFront: true })).toEqual([4]);
      expect(await list({ onFront: false, feasible: true })).toEqual([1, 6, 7]);
    });

    it('comes in pages that neither lose nor repeat one, while trials are added', async () => {
      for (const sort of ['number', '-number', 'f1', '-f1', 'f9']) {
        const { id, list, grow } = await sample();
        const before = await list({ sort });
        const found = await pages<TrialRecord>((cursor) => bench.store.trials(id, { sort, limit: 2, cursor }), async () => {
          if (sort === '-number') await grow();
        });
        expect(found.flat().map((t) => t.number), sort).toEqual(before);
        expect(found.slice(0, -1).every((p) => p.length === 2)).toBe(true);
      }
    });

    it('refuses cursors of another sort and cursors it did not give', async () => {
      const { id } = await sample();
      const { nextCursor } = await bench.store.trials(id, { sort: 'f1', limit: 2 });
      await expect(bench.store.trials(id, { sort: '-f1', limit: 2, cursor: nextCursor })).rejects.toThrow(BadCursor);
      await expect(bench.store.trials(id, { limit: 2, cursor: nextCursor })).rejects.toThrow(/sorted by/);
      for (const cursor of ['%%%', 'e30', Buffer.from('["number","1",1]').toString('base64url'), Buffer.from('["number",1,1.5]').toString('base64url')]) {
        await expect(bench.store.trials(id, { limit: 2, cursor }), cursor).rejects.toThrow(BadCursor);
      }
    });
  });

  describe('the events', () => {
    it('replay in order after any revision, and never stop within one', async () => {
      const { study, lease } = await bench.running();
      for (const n of range(1, 5)) await bench.store.commitStep(lease, evaluatedStep(study.id, n, n, { frontAdded: [proposal(study.id, n).id], frontSize: n }));
      const all = await bench.store.events(study.id, 0, 100);
      expect(all.map((e) => e.type)).toEqual(['study.state', 'study.state', ...range(1, 5).flatMap(() => ['trial.finished', 'front.changed'])]);
      expect(all.map((e) => e.revision)).toEqual([1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
      const seen: unknown[] = [];
      for (let after = 0; ; ) {
        const some = await bench.store.events(study.id, after, 3);
        if (some.length === 0) break;
        seen.push(...some);
        after = some.at(-1)!.revision;
      }
      expect(seen).toEqual(all);
      expect(await bench.store.events(study.id, 7, 10)).toEqual([]);
    });
  });

  it('answers a ping', async () => {
    await expect(bench.store.ping()).resolves.toBeUndefined();
  });
}
