import { describe, expect, it } from 'vitest';
import type { Bench } from './exam-store.js';
import { evaluatedStep, outcome, proposal, range, sampleDefinition, step } from './sample-study.js';

const TTL = 60_000;

export function examineLeases(bench: Bench): void {
  describe('the right to step a study', () => {
    it('is one worker\'s at a time', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition(), state: 'queued' });
      const taken = await Promise.all(range(1, 6).map((i) => bench.store.leaseStudy(study.id, `w${i}`, TTL)));
      expect(taken.filter((t) => t !== null)).toHaveLength(1);
    });

    it('turns a queued study into a running one, and is not given for others', async () => {
      const { study } = await bench.store.create({ definition: sampleDefinition(), state: 'queued' });
      const leased = await bench.store.leaseStudy(study.id, 'w', TTL);
      expect(leased!.study).toMatchObject({ state: 'running', revision: 2 });
      const events = await bench.store.events(study.id, 1, 10);
      expect(events).toMatchObject([{ revision: 2, type: 'study.state', data: { state: 'running', reason: null } }]);
      for (const state of ['draft', 'paused', 'completed', 'failed', 'cancelled'] as const) {
        await bench.store.releaseStudy(leased!.lease);
        await bench.store.transition(study.id, ['running', 'draft', 'paused', 'completed', 'failed'], state);
        expect(await bench.store.leaseStudy(study.id, 'w', TTL), state).toBeNull();
      }
    });

    it('passes on when it was given back, or ran out, and grows its fencing number by one', async () => {
      const { study, lease } = await bench.running('w1');
      await bench.store.releaseStudy(lease);
      const second = await bench.store.leaseStudy(study.id, 'w2', 1000);
      expect(second!.lease.epoch).toBe(lease.epoch + 1);
      expect(await bench.store.leaseStudy(study.id, 'w3', TTL)).toBeNull();
      await bench.candidate.advance(1001);
      const third = await bench.store.leaseStudy(study.id, 'w3', TTL);
      expect(third!.lease.epoch).toBe(lease.epoch + 2);
    });

    it('lasts as long as it is renewed', async () => {
      const { study, lease } = await bench.running('w1');
      await bench.candidate.advance(TTL - 1000);
      expect(await bench.store.renewStudy(lease, TTL)).toBe(true);
      await bench.candidate.advance(TTL - 1000);
      expect(await bench.store.leaseStudy(study.id, 'w2', TTL)).toBeNull();
      await bench.candidate.advance(1001);
      expect(await bench.store.leaseStudy(study.id, 'w2', TTL)).not.toBeNull();
      expect(await bench.store.renewStudy(lease, TTL)).toBe(false);
    });

    it('is worth nothing once another has it: the late step writes nothing', async () => {
      const { study, lease } = await bench.running('w1');
      await bench.candidate.advance(TTL + 1);
      await bench.store.leaseStudy(study.id, 'w2', TTL);
      const before = await bench.store.study(study.id);
      expect(await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 4))).toBeNull();
      expect(await bench.store.study(study.id)).toEqual(before);
      expect(await bench.store.allTrials(study.id)).toEqual([]);
      expect((await bench.store.fold(study.id)).snapshot).toBeNull();
      await bench.store.releaseStudy(lease);
      expect(await bench.store.leaseStudy(study.id, 'w3', TTL)).toBeNull();
    });

    it('survives a pause, but not the end of the study', async () => {
      const { study, lease } = await bench.running();
      await bench.store.transition(study.id, ['running'], 'paused');
      expect(await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 2))).toMatchObject({ state: 'paused' });
      await bench.store.transition(study.id, ['paused'], 'cancelled');
      expect(await bench.store.commitStep(lease, evaluatedStep(study.id, 3, 4))).toBeNull();
      expect(await bench.store.allTrials(study.id)).toHaveLength(2);
    });
  });

  describe('the lease of a trial', () => {
    it('starts an attempt of a pending trial, and is one worker\'s', async () => {
      const { study, lease } = await bench.running();
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const all = await Promise.all(range(1, 5).map((i) => bench.store.leaseTrial(proposal(study.id, 1).id, `w${i}`, TTL)));
      const won = all.filter((t) => t !== null);
      expect(won).toHaveLength(1);
      expect(won[0]!.trial).toMatchObject({ state: 'running', attempts: 1, note: { parent: 0, a: [null, 0.1] } });
    });

    it('is given for trials of studies that run or stop only', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      await bench.store.transition(study.id, ['running'], 'paused');
      expect(await bench.store.leaseTrial(id, 'w', TTL)).toBeNull();
      await bench.store.transition(study.id, ['paused'], 'stopping');
      expect(await bench.store.leaseTrial(id, 'w', TTL)).not.toBeNull();
    });

    it('lets an outcome in once, and none of a worker that lost it', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1), proposal(study.id, 2)] }));
      const first = await bench.store.leaseTrial(id, 'w1', 1000);
      await bench.candidate.advance(1001);
      const second = await bench.store.leaseTrial(id, 'w2', TTL);
      expect(second!.trial.attempts).toBe(2);
      const before = await bench.store.study(study.id);
      expect(await bench.store.settleTrial(first!.lease, outcome(1))).toEqual({ settled: false, open: 2 });
      expect(await bench.store.renewTrial(first!.lease, TTL)).toBe(false);
      await bench.store.abandonTrial(first!.lease, 'late', 'late');
      expect(await bench.store.study(study.id)).toEqual(before);
      expect(await bench.store.settleTrial(second!.lease, outcome(2))).toEqual({ settled: true, open: 1 });
      expect(await bench.store.settleTrial(second!.lease, outcome(3))).toEqual({ settled: false, open: 1 });
      expect(await bench.store.trial(id)).toMatchObject({ state: 'completed', objectives: [2, 0.1], attempts: 2, durationMs: 12.5 });
      expect(await bench.store.leaseTrial(id, 'w3', TTL)).toBeNull();
    });

    it('lasts as long as it is renewed', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1)] }));
      const held = await bench.store.leaseTrial(id, 'w1', 1000);
      expect(await bench.store.renewTrial(held!.lease, TTL)).toBe(true);
      await bench.candidate.advance(1001);
      expect(await bench.store.leaseTrial(id, 'w2', TTL)).toBeNull();
    });

    it('gives 100 trials to 4 workers, each to one', async () => {
      const { study, lease } = await bench.running();
      const ids = range(1, 100).map((n) => proposal(study.id, n).id);
      await bench.store.commitStep(lease, step({ proposed: range(1, 100).map((n) => proposal(study.id, n)) }));
      const taken: string[] = [];
      await Promise.all(range(1, 4).map(async (w) => {
        for (const id of ids) {
          const leased = await bench.store.leaseTrial(id, `w${w}`, TTL);
          if (!leased) continue;
          taken.push(id);
          expect((await bench.store.settleTrial(leased.lease, outcome(w))).settled).toBe(true);
        }
      }));
      expect(taken.sort()).toEqual([...ids].sort());
      expect((await bench.store.counts([study.id])).get(study.id)).toMatchObject({ completed: 100, pending: 0, running: 0, total: 100 });
      expect((await bench.store.allTrials(study.id)).every((t) => t.attempts === 1)).toBe(true);
    });
  });
}
