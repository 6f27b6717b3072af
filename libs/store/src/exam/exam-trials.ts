import { describe, expect, it } from 'vitest';
import type { Bench } from './exam-store.js';
import { evaluatedStep, outcome, proposal, range, sampleDefinition, step } from './sample-study.js';

const TTL = 60_000;

export function examineTrials(bench: Bench): void {
  describe('trials', () => {
    it('go back to pending with the attempt kept when they are abandoned', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const first = await bench.store.leaseTrial(id, 'w1', TTL);
      await bench.store.abandonTrial(first!.lease, 'worker-stopped', 'the worker\u0000was stopped');
      expect(await bench.store.trial(id)).toMatchObject({ state: 'pending', attempts: 1 });
      const second = await bench.store.leaseTrial(id, 'w1', TTL);
      expect(second!.trial.attempts).toBe(2);
      expect(second!.lease.epoch).toBeGreaterThan(first!.lease.epoch);
      expect((await bench.store.settleTrial(first!.lease, outcome(1))).settled).toBe(false);
    });

    it('tell when they are settled', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1), proposal(study.id, 2)] }));
      const leased = await bench.store.leaseTrial(proposal(study.id, 2).id, 'w', TTL);
      const { revision } = await bench.store.study(study.id);
      await bench.store.settleTrial(leased!.lease, outcome(null));
      const events = await bench.store.events(study.id, revision, 10);
      expect(events).toMatchObject([{ revision: revision + 1, type: 'trial.finished', data: { from: 2, to: 2, counts: { failed: 1, pending: 1, total: 2 } } }]);
    });

    it('show the progress their worker reports while they run, and no one else\'s', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const first = await bench.store.leaseTrial(id, 'w', TTL);
      const progress = { epochs: 3, curves: { f1: { unit: '1', values: [0.5, 0.25] } } };
      const { revision } = await bench.store.study(study.id);
      expect(await bench.store.reportProgress(first!.lease, progress)).toBe(true);
      expect((await bench.store.trial(id)).progress).toEqual(progress);
      expect((await bench.store.allTrials(study.id))[0]!.progress).toEqual(progress);
      expect(await bench.store.events(study.id, revision, 10)).toMatchObject([{ revision: revision + 1, type: 'trial.progress', data: { numbers: [1] } }]);
      await bench.store.abandonTrial(first!.lease, 'worker-stopped', 'stopped');
      expect((await bench.store.trial(id)).progress).toBeNull();
      const second = await bench.store.leaseTrial(id, 'w', TTL);
      expect(await bench.store.reportProgress(first!.lease, progress)).toBe(false);
      await bench.store.reportProgress(second!.lease, progress);
      await bench.store.settleTrial(second!.lease, outcome(1));
      expect((await bench.store.trial(id)).progress).toBeNull();
      expect(await bench.store.reportProgress(second!.lease, progress)).toBe(false);
    });

    it('have the fidelity their evaluation came to, if it ended before its end', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1), proposal(study.id, 2)] }));
      for (const [number, reached] of [[1, 0.25], [2, undefined]] as const) {
        const leased = await bench.store.leaseTrial(proposal(study.id, number).id, 'w', TTL);
        await bench.store.settleTrial(leased!.lease, { ...outcome(1), reached });
      }
      expect((await bench.store.allTrials(study.id)).map((t) => t.fidelity)).toEqual([0.25, 1]);
    });

    it('keep an outcome with values that are no numbers as not known', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const leased = await bench.store.leaseTrial(id, 'w', TTL);
      await bench.store.settleTrial(leased!.lease, { ...outcome(1), objectives: [NaN, Infinity], message: 'bytes \u0000 \udfff' });
      expect(await bench.store.trial(id)).toMatchObject({ objectives: [null, null], message: 'bytes \ufffd \ufffd' });
    });

    it('that are open are cancelled together, and what their workers write is dropped', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 2));
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 3), proposal(study.id, 4)], told: 2 }));
      const held = await bench.store.leaseTrial(proposal(study.id, 4).id, 'w', TTL);
      expect(await bench.store.cancelOpenTrials(study.id)).toBe(2);
      const { revision } = await bench.store.study(study.id);
      expect(await bench.store.cancelOpenTrials(study.id)).toBe(0);
      expect((await bench.store.study(study.id)).revision).toBe(revision);
      expect(await bench.store.settleTrial(held!.lease, outcome(1))).toEqual({ settled: false, open: 0 });
      const all = await bench.store.allTrials(study.id);
      expect(all.map((t) => t.state)).toEqual(['completed', 'completed', 'cancelled', 'cancelled']);
      expect((await bench.store.events(study.id, revision - 1, 10))[0]).toMatchObject({ type: 'trial.finished', data: { from: 3, to: 4, counts: { cancelled: 2 } } });
    });
  });

  describe('weights of trials', () => {
    const content = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (7 * i) % 256);

    it('are kept with the outcome, until a step drops them', async () => {
      const { study, lease } = await bench.running();
      const [first, second] = [proposal(study.id, 1).id, proposal(study.id, 2).id];
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1), proposal(study.id, 2)] }));
      expect(await bench.store.trialWeights(first)).toBeNull();
      for (const id of [first, second]) {
        const leased = await bench.store.leaseTrial(id, 'w', TTL);
        expect((await bench.store.settleTrial({ ...leased!.lease, epoch: leased!.lease.epoch - 1 }, outcome(1), { content: content(9), limit: 1e6 })).settled).toBe(false);
        expect((await bench.store.settleTrial(leased!.lease, outcome(1), { content: content(1000), limit: 1e6 })).settled).toBe(true);
      }
      expect(await bench.store.trialWeights(first)).toEqual(content(1000));
      await bench.store.commitStep(lease, step({ told: 2, weightsDropped: [second] }));
      expect(await bench.store.trialWeights(first)).toEqual(content(1000));
      expect(await bench.store.trialWeights(second)).toBeNull();
      await expect(bench.store.trialWeights(proposal(study.id, 3).id)).rejects.toThrow(/no trial/);
    });

    it('are not kept where the study\'s would be more than allowed; the outcome is', async () => {
      const { study, lease } = await bench.running();
      const ids = range(1, 3).map((n) => proposal(study.id, n).id);
      await bench.store.commitStep(lease, step({ proposed: range(1, 3).map((n) => proposal(study.id, n)) }));
      for (const [i, size] of [600, 500, 400].entries()) {
        const leased = await bench.store.leaseTrial(ids[i]!, 'w', TTL);
        expect((await bench.store.settleTrial(leased!.lease, outcome(1), { content: content(size), limit: 1000 })).settled).toBe(true);
      }
      expect((await Promise.all(ids.map((id) => bench.store.trialWeights(id)))).map((w) => w?.length ?? null)).toEqual([600, null, 400]);
    });

    it('go with their study', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const leased = await bench.store.leaseTrial(proposal(study.id, 1).id, 'w', TTL);
      await bench.store.settleTrial(leased!.lease, outcome(1), { content: content(10), limit: 1000 });
      await bench.store.transition(study.id, ['running'], 'cancelled');
      expect(await bench.store.remove(study.id)).toBe(true);
      await expect(bench.store.trialWeights(proposal(study.id, 1).id)).rejects.toThrow(/no trial/);
    });
  });

  describe('work no one holds', () => {
    it('is every step, trial and export that waits or whose lease ran out', async () => {
      const queued = (await bench.store.create({ definition: sampleDefinition(), state: 'queued' })).study;
      const draft = (await bench.store.create({ definition: sampleDefinition(), state: 'draft' })).study;
      const { study, lease } = await bench.running();
      const [done, waiting, held] = range(1, 3).map((n) => proposal(study.id, n).id) as [string, string, string];
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 1));
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 2), proposal(study.id, 3)], told: 1 }));
      await bench.store.leaseTrial(held, 'w', TTL);
      const made = await bench.store.createExport(done, 'onnx', 1);
      const mine = async (): Promise<{ studies: string[]; trials: string[]; exports: string[] }> => {
        const { studies, trials, exports } = await bench.store.unclaimed();
        const ids = [queued.id, draft.id, study.id, done, waiting, held, made.id];
        return { studies: studies.filter((s) => ids.includes(s)), trials: trials.filter((t) => t.studyId === study.id).map((t) => t.id), exports: exports.filter((e) => ids.includes(e)) };
      };
      expect(await mine()).toEqual({ studies: [queued.id], trials: [waiting], exports: [made.id] });
      await bench.store.leaseExport(made.id, 'w', TTL);
      await bench.store.releaseStudy(lease);
      expect(await mine()).toEqual({ studies: [queued.id, study.id], trials: [waiting], exports: [] });
      await bench.candidate.advance(TTL + 1);
      expect(await mine()).toEqual({ studies: [queued.id, study.id], trials: [waiting, held], exports: [made.id] });
      await bench.store.transition(study.id, ['running'], 'paused');
      expect(await mine()).toEqual({ studies: [queued.id], trials: [], exports: [made.id] });
    });
  });

  describe('exports', () => {
    it('are made once and kept with their bytes', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 1));
      const made = await bench.store.createExport(proposal(study.id, 1).id, 'onnx', 2 ** 40);
      expect(made).toMatchObject({ studyId: study.id, format: 'onnx', seed: 2 ** 40, state: 'queued', bytes: null, manifest: null, finishedAt: null });
      expect(await bench.store.exportContent(made.id)).toBeNull();
      const taken = await Promise.all(range(1, 4).map((i) => bench.store.leaseExport(made.id, `w${i}`, TTL)));
      const [held] = taken.filter((t) => t !== null);
      expect(taken.filter((t) => t !== null)).toHaveLength(1);
      expect((await bench.store.export(made.id)).state).toBe('running');
      const content = Uint8Array.from({ length: 1000 }, (_, i) => i % 256);
      const result = { fileName: 'net.onnx', content, sha256: 'abc', manifest: { zebra: 1, apple: [2] } };
      expect(await bench.store.finishExport({ ...held!, epoch: held!.epoch - 1 }, result)).toBe(false);
      expect(await bench.store.finishExport(held!, result)).toBe(true);
      expect(await bench.store.finishExport(held!, { error: 'late' })).toBe(false);
      expect(await bench.store.export(made.id)).toMatchObject({ state: 'completed', message: null, fileName: 'net.onnx', bytes: 1000, sha256: 'abc', manifest: { zebra: 1, apple: [2] } });
      expect(await bench.store.exportContent(made.id)).toEqual(content);
      expect(await bench.store.leaseExport(made.id, 'w', TTL)).toBeNull();
    });

    it('are held for as long as their lease is renewed', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 1));
      const made = await bench.store.createExport(proposal(study.id, 1).id, 'json', 0);
      const held = await bench.store.leaseExport(made.id, 'w', TTL);
      await bench.candidate.advance(TTL - 1000);
      expect(await bench.store.renewExport(held!, TTL)).toBe(true);
      await bench.candidate.advance(TTL - 1000);
      expect(await bench.store.leaseExport(made.id, 'other', TTL)).toBeNull();
      expect(await bench.store.finishExport(held!, { error: 'done' })).toBe(true);
      expect(await bench.store.renewExport(held!, TTL)).toBe(false);
    });

    it('say why they failed', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 1));
      const made = await bench.store.createExport(proposal(study.id, 1).id, 'json', 0);
      const held = await bench.store.leaseExport(made.id, 'w', TTL);
      expect(await bench.store.finishExport(held!, { error: 'no network' })).toBe(true);
      expect(await bench.store.export(made.id)).toMatchObject({ state: 'failed', message: 'no network', fileName: null, bytes: null });
      expect(await bench.store.exportContent(made.id)).toBeNull();
    });
  });
}
