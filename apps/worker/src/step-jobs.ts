import { runningSeconds, type Lease, type SettledTrial, type StudyRecord, type TrialRecord } from '@app/study';
import { Thread, ThreadError } from './thread.js';
import { keepLease, type JobContext } from './worker.js';

/** What one commit covers at the most; longer makes a cheap search quicker and its page less live. */
const SLICE_MS = 200;
const SLICE_TRIALS = 500;
/** A job gives the others a turn after this. */
const JOB_MS = 5000;

interface Session {
  epoch: number;
  /** evaluations are done within the step */
  readonly inline: boolean;
  /** trials asked and not told */
  current: readonly string[];
}

/** Carries studies on: one study at a time per lease, its engine kept warm on a thread between steps. */
export class StepJobs {
  private readonly thread = new Thread();
  /** study → epoch of the lease under which its session was last used; the next lease being one more means no one else stepped it */
  private readonly sessions = new Map<string, Session>();
  private draining = false;

  constructor(private readonly context: JobContext) {}

  async run(studyId: string): Promise<void> {
    const { store, queue, log, leaseMs, owner } = this.context;
    const leased = await store.leaseStudy(studyId, owner, leaseMs);
    if (!leased) return;
    const { lease } = leased;
    let lost = false;
    const stopRenewing = keepLease(() => store.renewStudy(lease, leaseMs), leaseMs, () => { lost = true; });
    let again = false;
    try {
      again = await this.carryOn(leased.study, lease, () => lost);
    } catch (error) {
      await this.drop(studyId);
      if (!(error instanceof ThreadError)) throw error;
      log.error({ studyId, error: error.message, stack: error.stack }, 'the search failed');
      await store.transition(studyId, ['running', 'stopping'], 'failed', { reason: 'engine-error', message: error.message });
      this.context.changed(studyId);
    } finally {
      stopRenewing();
      await store.releaseStudy(lease).catch(() => undefined);
    }
    if (again && !this.draining) await queue.add([{ name: 'study.step', studyId }]);
  }

  /** @returns true if the study has more steps to take right away */
  private async carryOn(first: StudyRecord, lease: Lease, lost: () => boolean): Promise<boolean> {
    const { store, queue, changed } = this.context;
    let study = first;
    const session = await this.open(study, lease);
    const until = performance.now() + JOB_MS;
    let settled: readonly SettledTrial[] = [];
    if (!session.inline) {
      const round = await Promise.all(session.current.map((id) => store.trial(id)));
      const waiting = round.filter((t) => !isSettled(t));
      if (waiting.length > 0) {
        await queue.add(waiting.map((t) => ({ name: 'trials.evaluate', studyId: study.id, trialIds: [t.id] })));
        return false;
      }
      settled = round.map(asSettled);
    }
    for (;;) {
      const { commit, waiting } = await this.thread.call({
        op: 'step', studyId: study.id, budget: study.spec.budget, settled, stop: study.state === 'stopping',
        options: { sliceMs: SLICE_MS, maxTrials: SLICE_TRIALS, elapsedSeconds: runningSeconds(study, new Date()) },
      });
      const next = await store.commitStep(lease, commit);
      changed(study.id);
      if (next === null || lost()) {
        await this.drop(study.id);
        return false;
      }
      study = next;
      session.current = waiting;
      if (commit.finish) {
        await this.drop(study.id);
        return false;
      }
      if (waiting.length > 0) {
        await queue.add(waiting.map((id) => ({ name: 'trials.evaluate', studyId: study.id, trialIds: [id] })));
        return false;
      }
      if (study.state !== 'running' && study.state !== 'stopping') return false;
      if (performance.now() > until || this.draining) return true;
      settled = [];
    }
  }

  private async open(study: StudyRecord, lease: Lease): Promise<Session> {
    const known = this.sessions.get(study.id);
    if (known && known.epoch === lease.epoch - 1) {
      known.epoch = lease.epoch;
      return known;
    }
    const fold = await this.context.store.fold(study.id);
    const { id, spec, space, devices, referencePoint, hypervolume } = study;
    const { inline, current } = await this.thread.call({ op: 'open', study: { id, spec, space, devices, referencePoint, hypervolume }, fold });
    const session: Session = { epoch: lease.epoch, inline, current };
    this.sessions.set(study.id, session);
    return session;
  }

  private async drop(studyId: string): Promise<void> {
    if (this.sessions.delete(studyId)) await this.thread.call({ op: 'close', studyId }).catch(() => undefined);
  }

  /** Running jobs end with the step they are at. */
  drain(): void {
    this.draining = true;
  }

  close(): Promise<void> {
    return this.thread.close();
  }
}

const isSettled = (t: TrialRecord): boolean => t.state !== 'pending' && t.state !== 'running';

function asSettled(t: TrialRecord): SettledTrial {
  return { ...t, state: t.state === 'completed' || t.state === 'infeasible' ? t.state : 'failed', durationMs: t.durationMs ?? 0 };
}
