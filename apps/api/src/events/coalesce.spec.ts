import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '@app/study';
import { coalesce } from './coalesce.js';

const at = new Date(0);
const event = (revision: number, type: string, data: unknown): StoredEvent => ({ revision, type, data, at });

describe('coalesce', () => {
  it('keeps every state, in order, and the last progress only', () => {
    const events = coalesce([
      event(1, 'study.state', { state: 'running', reason: null, message: null }), event(2, 'progress', { fraction: 0.1 }),
      event(3, 'progress', { fraction: 0.2 }), event(4, 'study.state', { state: 'completed', reason: 'budget', message: null }),
    ]);
    expect(events.map((e) => [e.revision, e.type])).toEqual([[1, 'study.state'], [3, 'progress'], [4, 'study.state']]);
    expect(events[1]!.data).toEqual({ fraction: 0.2 });
  });

  it('spans finished trials and keeps the newest counts', () => {
    const [only, ...rest] = coalesce([event(5, 'trial.finished', { from: 4, to: 6, counts: { total: 6 } }), event(6, 'trial.finished', { from: 7, to: 9, counts: { total: 9 } })]);
    expect(rest).toEqual([]);
    expect(only).toEqual({ revision: 6, type: 'trial.finished', data: { from: 4, to: 9, counts: { total: 9 } } });
  });

  it('leaves a front as the single changes would', () => {
    const change = fc.record({ added: fc.uniqueArray(fc.integer({ min: 0, max: 8 })), removed: fc.uniqueArray(fc.integer({ min: 0, max: 8 })) });
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 8 })), fc.array(change, { minLength: 1, maxLength: 8 }), (start, wishes) => {
      const front = new Set(start.map(String));
      const events = wishes.map((wish, i) => {
        // a change as the store writes it: it removes what is there and adds what isn't
        const removed = wish.removed.map(String).filter((id) => front.has(id));
        const added = wish.added.map(String).filter((id) => !front.has(id));
        for (const id of removed) front.delete(id);
        for (const id of added) front.add(id);
        return event(i + 1, 'front.changed', { added, removed, size: front.size, hypervolume: null });
      });
      const [net] = coalesce(events);
      const data = net!.data as unknown as { added: string[]; removed: string[]; size: number };
      const replayed = new Set(start.map(String));
      for (const id of data.removed) expect(replayed.delete(id)).toBe(true);
      for (const id of data.added) replayed.add(id);
      expect(replayed).toEqual(front);
      expect(data.size).toBe(front.size);
    }));
  });

  it('names each trial whose progress is new once', () => {
    const events = coalesce([event(3, 'trial.progress', { numbers: [7] }), event(4, 'trial.progress', { numbers: [8] }), event(6, 'trial.progress', { numbers: [7] })]);
    expect(events).toEqual([{ revision: 6, type: 'trial.progress', data: { numbers: [7, 8] } }]);
  });

  it('makes nothing of nothing', () => {
    expect(coalesce([])).toEqual([]);
  });
});
