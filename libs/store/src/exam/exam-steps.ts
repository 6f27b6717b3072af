import { describe, expect, it } from 'vitest';
import type { Bench } from './exam-store.js';
import { evaluatedStep, outcome, proposal, range, settledProposal, step } from './sample-study.js';

export function examineSteps(bench: Bench): void {
  describe('a step', () => {
    it('writes all it has, under one revision', async () => {
      const { study, lease } = await bench.running();
      const ids = range(1, 4).map((n) => proposal(study.id, n).id);
      const next = await bench.store.commitStep(lease, step({
        proposed: range(1, 4).map((n) => proposal(study.id, n)),
        settled: [settledProposal(study.id, 1, 0.25), settledProposal(study.id, 2, null, null), settledProposal(study.id, 3, 5, false)],
        told: 3, referencePoint: [11, 0.5], hypervolume: 1 / 3, frontSize: 1, frontAdded: [ids[0]!], ranks: [{ id: ids[0]!, rank: 0 }], history: [{ number: 1, hypervolume: 1 / 3, frontSize: 1 }], screened: 9,
      }));
      expect(next).toMatchObject({ revision: study.revision + 1, referencePoint: [11, 0.5], hypervolume: 1 / 3, frontSize: 1, screened: 9, state: 'running' });
      expect(await bench.store.study(study.id)).toEqual(next);

      const [first, second, third, fourth] = await bench.store.allTrials(study.id);
      expect(first).toMatchObject({ ...settledProposal(study.id, 1, 0.25), note: null, studyId: study.id, onFront: true, rank: 0, attempts: 1 });
      expect(first!.settledAt).toBeInstanceOf(Date);
      expect(second).toMatchObject({ state: 'failed', reason: 'evaluator-error', message: 'no value', metrics: {}, objectives: [null, 0.1], violations: [null], feasible: null, rank: null });
      expect(third).toMatchObject({ state: 'infeasible', feasible: false, onFront: false });
      expect(fourth).toMatchObject({ state: 'pending', metrics: {}, objectives: [], attempts: 0, settledAt: null, durationMs: null });
      expect(JSON.stringify(first!.parameters)).toBe(JSON.stringify(proposal(study.id, 1).parameters));

      const counts = { pending: 1, running: 0, completed: 1, infeasible: 1, failed: 1, cancelled: 0, total: 4 };
      expect((await bench.store.counts([study.id])).get(study.id)).toEqual(counts);
      expect(await bench.store.history(study.id)).toEqual([{ number: 1, hypervolume: 1 / 3, frontSize: 1 }]);
      expect((await bench.store.front(study.id)).map((t) => t.number)).toEqual([1]);
      const events = await bench.store.events(study.id, study.revision, 10);
      expect(events.map(({ revision, type, data }) => ({ revision, type, data }))).toEqual([
        { revision: next!.revision, type: 'trial.finished', data: { from: 1, to: 3, counts } },
        { revision: next!.revision, type: 'front.changed', data: { added: [ids[0]], removed: [], size: 1, hypervolume: 1 / 3 } },
      ]);
    });

    it('gives back what a search needs to carry on, exactly', async () => {
      const { study, lease } = await bench.running();
      const state = { zebra: 0.1 + 0.2, apple: [5e-324, 1.7976931348623157e308, null], b: { '2': 1, a: 'x' } };
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 3, { snapshot: { version: 'mads-3', state } }));
      const fold = await bench.store.fold(study.id);
      expect(fold.told).toBe(3);
      expect(fold.snapshot!.version).toBe('mads-3');
      expect(JSON.stringify(fold.snapshot!.state)).toBe(JSON.stringify(state));
      expect(fold.trials.map((t) => t.number)).toEqual([1, 2, 3]);
      expect(fold.trials[1]).toMatchObject(settledProposal(study.id, 2));
      expect(JSON.stringify(fold.trials[1]!.note)).toBe(JSON.stringify(proposal(study.id, 2).note));
    });

    it('moves the front and the ranks of earlier trials', async () => {
      const { study, lease } = await bench.running();
      const id = (n: number): string => proposal(study.id, n).id;
      await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 2, { frontAdded: [id(1), id(2)], ranks: [{ id: id(1), rank: 0 }, { id: id(2), rank: 0 }], frontSize: 2 }));
      const next = await bench.store.commitStep(lease, evaluatedStep(study.id, 3, 3, {
        frontAdded: [id(3)], frontRemoved: [id(1)], ranks: [{ id: id(3), rank: 0 }, { id: id(1), rank: 1 }, { id: id(2), rank: null }], frontSize: 2,
      }));
      expect(next!.frontSize).toBe(2);
      const all = await bench.store.allTrials(study.id);
      expect(all.map((t) => [t.number, t.onFront, t.rank])).toEqual([[1, false, 1], [2, true, null], [3, true, 0]]);
    });

    it('settles trials that an earlier step asked, and takes them from who has them', async () => {
      const { study, lease } = await bench.running();
      const { id } = proposal(study.id, 1);
      await bench.store.commitStep(lease, step({ proposed: [proposal(study.id, 1), proposal(study.id, 2)] }));
      const held = await bench.store.leaseTrial(id, 'w', 60_000);
      const next = await bench.store.commitStep(lease, step({ settled: [settledProposal(study.id, 1, 4), settledProposal(study.id, 2, 6)], told: 2 }));
      expect(next).not.toBeNull();
      expect(await bench.store.settleTrial(held!.lease, outcome(5))).toEqual({ settled: false, open: 0 });
      expect(await bench.store.trial(id)).toMatchObject({ state: 'completed', objectives: [4, 0.1], attempts: 2 });
      expect(await bench.store.trial(proposal(study.id, 2).id)).toMatchObject({ state: 'completed', attempts: 1 });
    });

    it.each([
      ['a number that is in use', (id: string) => ({ proposed: [{ ...proposal(id, 3), number: 2 }] })],
      ['a number twice', (id: string) => ({ proposed: [proposal(id, 3), { ...proposal(id, 4), number: 3 }] })],
      ['a point that was asked before', (id: string) => ({ proposed: [proposal(id, 3), { ...proposal(id, 4), key: 'key-1' }] })],
      ['an id that is in use', (id: string) => ({ proposed: [{ ...proposal(id, 3), id: proposal(id, 1).id }] })],
      ['an outcome for a settled trial', (id: string) => ({ proposed: [proposal(id, 3)], settled: [settledProposal(id, 1, 9)] })],
      ['an outcome for a trial that is not there', (id: string) => ({ proposed: [proposal(id, 3)], settled: [settledProposal(id, 77)] })],
      ['a front with a trial that is not there', (id: string) => ({ proposed: [proposal(id, 3)], frontAdded: [proposal(id, 77).id] })],
      ['a rank of a trial that is not there', (id: string) => ({ proposed: [proposal(id, 3)], ranks: [{ id: proposal(id, 77).id, rank: 1 }] })],
    ])('with %s is refused whole', async (_, change) => {
      const { study, lease } = await bench.running();
      const before = await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 2));
      const wrong = step({ ...change(study.id), told: 9, hypervolume: 9, history: [{ number: 9, hypervolume: 9, frontSize: 9 }], snapshot: { version: 'wrong', state: 1 } });
      await expect(bench.store.commitStep(lease, wrong)).rejects.toMatchObject({ name: 'CommitConflict' });
      expect(await bench.store.study(study.id)).toEqual(before);
      const fold = await bench.store.fold(study.id);
      expect(fold).toMatchObject({ told: 2, snapshot: { version: 'exam-1' } });
      expect(fold.trials.map((t) => [t.number, t.key, t.objectives[0]])).toEqual([[1, 'key-1', 1], [2, 'key-2', 2]]);
      expect(await bench.store.history(study.id)).toEqual([]);
      expect(await bench.store.commitStep(lease, evaluatedStep(study.id, 3, 3))).not.toBeNull();
    });

    it('ends the study with its reason, and with it the lease', async () => {
      const { study, lease } = await bench.running();
      const finish = { state: 'completed', reason: 'budget-trials', message: 'all 2 trials are done' } as const;
      const done = await bench.store.commitStep(lease, evaluatedStep(study.id, 1, 2, { finish }));
      expect(done).toMatchObject({ ...finish, runningSince: null });
      expect(done!.finishedAt).toBeInstanceOf(Date);
      expect(done!.runningMs).toBeGreaterThanOrEqual(0);
      expect(await bench.store.commitStep(lease, evaluatedStep(study.id, 3, 4))).toBeNull();
      const events = await bench.store.events(study.id, study.revision, 10);
      expect(events.map((e) => e.type)).toEqual(['trial.finished', 'study.state']);
      expect(events[1]!.data).toEqual(finish);
    });

    it('keeps a key longer than an index entry may be', async () => {
      const { study, lease } = await bench.running();
      const key = range(1, 3000).map((n) => (n / 7).toString()).join(',');
      await bench.store.commitStep(lease, step({ proposed: [{ ...proposal(study.id, 1), key }] }));
      expect((await bench.store.trial(proposal(study.id, 1).id)).key).toBe(key);
      await expect(bench.store.commitStep(lease, step({ proposed: [{ ...proposal(study.id, 2), key }] }))).rejects.toMatchObject({ name: 'CommitConflict' });
    });
  });
}
