import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { IdempotencyConflict, NotFound, type ImportedTrial, type Prior } from '@app/study';
import type { Bench } from './exam-store.js';
import { evaluatedStep, idOf, proposal, sampleDefinition, step } from './sample-study.js';

export function examineStudies(bench: Bench): void {
  describe('studies', () => {
    it('gives a new study back as it was made, keys in their order', async () => {
      const definition = sampleDefinition('as made', { team: 'vision' });
      const { study, created } = await bench.store.create({ definition, state: 'draft' });
      expect(created).toBe(true);
      expect(study).toMatchObject({
        name: 'as made', labels: { team: 'vision' }, state: 'draft', revision: 1, startedAt: null, finishedAt: null, runningMs: 0, runningSince: null, referencePoint: null, hypervolume: null, frontSize: 0, screened: 0,
      });
      const read = await bench.store.study(study.id);
      expect(read).toEqual(study);
      expect(JSON.stringify(read.space)).toBe(JSON.stringify(definition.space));
      expect(JSON.stringify(read.spec)).toBe(JSON.stringify(definition.spec));
    });

    it('keeps the trials of other studies it begins with, in their order, beside its own', async () => {
      const imports = [3, 1].map((number): ImportedTrial => ({ studyId: idOf('other'), number, key: `key-${number}`, genes: [0.1 * number, 1e-17], state: 'completed', objectives: [number, null], violations: [-0.5] }));
      const { study } = await bench.store.create({ definition: sampleDefinition('warm'), state: 'queued', imports });
      expect(await bench.store.fold(study.id)).toEqual({ snapshot: null, told: 0, trials: [], imports, prior: null });
      const { study: cold } = await bench.store.create({ definition: sampleDefinition('cold'), state: 'queued' });
      expect((await bench.store.fold(cold.id)).imports).toEqual([]);
    });

    it('keeps what it was given to learn of other studies, digit for digit', async () => {
      const prior: Prior = {
        hash: 'h', studies: [{ id: idOf('other'), name: 'earlier' }], trials: [{ studyId: idOf('other'), number: 2, fidelity: 1 / 3, described: true, data: 'abc', genes: [0.1, 3], analytic: [11.25, 1e-17, 3], score: { proxy: 'naswot', value: -12.5 }, objectives: [-88.214, null] }],
      };
      const { study } = await bench.store.create({ definition: sampleDefinition('learns'), state: 'queued', prior });
      expect((await bench.store.fold(study.id)).prior).toEqual(prior);
    });

    it('does not follow later changes of the object it was given', async () => {
      const definition = sampleDefinition('own copy');
      const { study } = await bench.store.create({ definition, state: 'draft' });
      (definition.spec as { seed: number }).seed = 99;
      expect((await bench.store.study(study.id)).spec.seed).toBe(7);
    });

    it('keeps texts no database likes, with U+FFFD for what can not be stored', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition('a\u0000b \ud800 "\\u0000" é 🐛'), state: 'draft' });
      expect((await bench.store.study(study.id)).name).toBe('a\ufffdb \ufffd "\\u0000" é 🐛');
    });

    it('answers an identical request with the study it made', async () => {
      const idempotency = { key: randomUUID(), bodyHash: 'h1' };
      const first = await bench.store.create({ definition: sampleDefinition(), state: 'queued', idempotency });
      const second = await bench.store.create({ definition: sampleDefinition(), state: 'queued', idempotency });
      expect(second.created).toBe(false);
      expect(second.study.id).toBe(first.study.id);
      await expect(bench.store.create({ definition: sampleDefinition(), state: 'queued', idempotency: { ...idempotency, bodyHash: 'h2' } })).rejects.toThrow(IdempotencyConflict);
    });

    it('lets one of racing identical requests make the study', async () => {
      const idempotency = { key: randomUUID(), bodyHash: 'h' };
      const all = await Promise.all(Array.from({ length: 6 }, () => bench.store.create({ definition: sampleDefinition('raced'), state: 'draft', idempotency })));
      expect(all.filter((r) => r.created)).toHaveLength(1);
      expect(new Set(all.map((r) => r.study.id)).size).toBe(1);
    });

    it('forgets an idempotency key after a day, and with its study', async () => {
      const idempotency = { key: randomUUID(), bodyHash: 'h' };
      const first = await bench.store.create({ definition: sampleDefinition(), state: 'draft', idempotency });
      await bench.candidate.advance(25 * 3600 * 1000);
      const second = await bench.store.create({ definition: sampleDefinition(), state: 'draft', idempotency });
      expect(second.created).toBe(true);
      expect(second.study.id).not.toBe(first.study.id);
      await bench.store.remove(second.study.id);
      expect((await bench.store.create({ definition: sampleDefinition(), state: 'draft', idempotency })).created).toBe(true);
    });

    it('says what is not there, whatever the id looks like', async () => {
      for (const id of [randomUUID(), 'nonsense', '', "'; drop table study; --"]) {
        await expect(bench.store.study(id)).rejects.toThrow(NotFound);
        await expect(bench.store.patch(id, { name: 'x' })).rejects.toThrow(NotFound);
        await expect(bench.store.transition(id, ['draft'], 'queued')).rejects.toThrow(NotFound);
        await expect(bench.store.remove(id)).rejects.toThrow(NotFound);
        await expect(bench.store.trial(id)).rejects.toThrow(NotFound);
        await expect(bench.store.trials(id, { limit: 10 })).rejects.toThrow(NotFound);
        await expect(bench.store.allTrials(id)).rejects.toThrow(NotFound);
        await expect(bench.store.front(id)).rejects.toThrow(NotFound);
        await expect(bench.store.history(id)).rejects.toThrow(NotFound);
        await expect(bench.store.fold(id)).rejects.toThrow(NotFound);
        await expect(bench.store.export(id)).rejects.toThrow(NotFound);
        await expect(bench.store.exportContent(id)).rejects.toThrow(NotFound);
        await expect(bench.store.createExport(id, 'onnx', 1)).rejects.toThrow(NotFound);
        expect(await bench.store.leaseStudy(id, 'w', 1000)).toBeNull();
        expect(await bench.store.leaseTrial(id, 'w', 1000)).toBeNull();
        expect(await bench.store.leaseExport(id, 'w', 1000)).toBeNull();
        expect(await bench.store.events(id, 0, 10)).toEqual([]);
        expect((await bench.store.counts([id])).size).toBe(0);
      }
    });

    it('changes name, labels and budget, once per revision', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition('old'), state: 'draft' });
      const patched = await bench.store.patch(study.id, { name: 'new', labels: { a: 'b' } }, study.revision);
      expect(patched).toMatchObject({ name: 'new', labels: { a: 'b' }, revision: 2 });
      expect(patched!.spec).toMatchObject({ name: 'new', labels: { a: 'b' }, budget: study.spec.budget });
      expect(await bench.store.patch(study.id, { name: 'late' }, study.revision)).toBeNull();
      const budget = { ...study.spec.budget, maxTrials: 5 };
      expect((await bench.store.patch(study.id, { budget }))!.spec.budget).toEqual(budget);
      expect((await bench.store.study(study.id)).name).toBe('new');
    });

    it('moves from the states named only, with reason and message, and tells of it', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition(), state: 'draft' });
      expect(await bench.store.transition(study.id, ['running', 'paused'], 'stopping')).toBeNull();
      const cancelled = await bench.store.transition(study.id, ['draft'], 'cancelled', { reason: 'cancelled', message: 'by a user' });
      expect(cancelled).toMatchObject({ state: 'cancelled', reason: 'cancelled', message: 'by a user', revision: 2 });
      expect(cancelled!.finishedAt).toBeInstanceOf(Date);
      const events = await bench.store.events(study.id, 1, 10);
      expect(events).toMatchObject([{ revision: 2, type: 'study.state', data: { state: 'cancelled', reason: 'cancelled', message: 'by a user' } }]);
    });

    it('lets one of racing transitions win', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition(), state: 'queued' });
      const all = await Promise.all(Array.from({ length: 5 }, () => bench.store.transition(study.id, ['queued'], 'paused')));
      expect(all.filter((s) => s !== null)).toHaveLength(1);
    });

    it('counts running time while it runs or stops, not while it waits', async () => {
      const { study, lease } = await bench.running();
      expect(study).toMatchObject({ state: 'running', runningMs: 0 });
      expect(study.runningSince).toEqual(study.startedAt);
      await bench.store.releaseStudy(lease);
      const stopping = await bench.store.transition(study.id, ['running'], 'stopping');
      expect(stopping!.runningSince).toEqual(study.runningSince);
      const paused = await bench.store.transition(study.id, ['stopping'], 'paused');
      expect(paused!.runningSince).toBeNull();
      expect(paused!.runningMs).toBeGreaterThanOrEqual(0);
      expect(paused!.startedAt).toEqual(study.startedAt);
      const completed = await bench.store.transition(study.id, ['paused'], 'completed');
      expect(completed!.runningMs).toBe(paused!.runningMs);
      const again = await bench.store.transition(study.id, ['completed'], 'queued');
      expect(again).toMatchObject({ state: 'queued', finishedAt: null, reason: null, message: null });
      expect(again!.startedAt).toEqual(study.startedAt);
    });

    it('keeps a running study, and takes all of another with it', async () => {
      const { study, lease } = await bench.running();
      expect(await bench.store.remove(study.id)).toBe(false);
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 3));
      const trialId = proposal(study.id, 2).id;
      const made = await bench.store.createExport(trialId, 'json', 3);
      await bench.store.transition(study.id, ['running'], 'paused');
      expect(await bench.store.remove(study.id)).toBe(true);
      await expect(bench.store.study(study.id)).rejects.toThrow(NotFound);
      await expect(bench.store.trial(trialId)).rejects.toThrow(NotFound);
      await expect(bench.store.export(made.id)).rejects.toThrow(NotFound);
      expect(await bench.store.events(study.id, 0, 10)).toEqual([]);
      expect(await bench.store.commitStep(lease, step())).toBeNull();
      expect(await bench.store.renewStudy(lease, 1000)).toBe(false);
      expect(await bench.store.settleTrial({ id: idOf('gone'), owner: 'w', epoch: 1 }, { state: 'failed', reason: null, message: null, metrics: {}, objectives: [], violations: [], feasible: null, durationMs: 0 }))
        .toEqual({ settled: false, open: 0 });
    });
  });
}
