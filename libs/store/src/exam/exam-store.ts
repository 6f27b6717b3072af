import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Lease, StudyRecord, StudyStore } from '@app/study';
import { examineLeases } from './exam-leases.js';
import { examineLists } from './exam-lists.js';
import { examineSteps } from './exam-steps.js';
import { examineStudies } from './exam-studies.js';
import { examineTrials } from './exam-trials.js';
import { sampleDefinition } from './sample-study.js';

/** A store under examination. */
export interface Candidate {
  readonly store: StudyStore;
  /** Lets all leases and idempotency keys grow older by this, ms. */
  readonly advance: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** What the parts of the exam work with. */
export class Bench {
  candidate: Candidate;

  get store(): StudyStore {
    return this.candidate.store;
  }

  /** A study in state running, leased to `owner`. */
  async running(owner = 'worker-1', name?: string): Promise<{ study: StudyRecord; lease: Lease }> {
    const { study } = await this.store.create({ definition: sampleDefinition(name ?? randomUUID()), state: 'queued' });
    const leased = await this.store.leaseStudy(study.id, owner, 60_000);
    if (!leased) throw new Error('a queued study could not be leased');
    return leased;
  }
}

/** The exam every StudyStore has to pass. */
export function examineStore(name: string, open: () => Promise<Candidate>): void {
  describe(name, () => {
    const bench = new Bench();
    beforeAll(async () => { bench.candidate = await open(); });
    afterAll(() => bench.candidate?.close());
    examineStudies(bench);
    examineLeases(bench);
    examineSteps(bench);
    examineTrials(bench);
    examineLists(bench);
  });
}
