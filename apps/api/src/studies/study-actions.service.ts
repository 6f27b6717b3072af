import { Inject, Injectable } from '@nestjs/common';
import { ALLOWED_ACTIONS, type StudyAction, type StudyState, type StudySummary } from '@app/contracts';
import type { StudyRecord, StudyStore } from '@app/study';
import { ProblemException } from '../http/problem.js';
import { WorkService } from '../lifecycle/work.service.js';
import { STORE } from '../ports.js';
import { StudiesService } from './studies.service.js';

interface Rule {
  readonly to: StudyState;
  /** states in which the action has been carried out already */
  readonly done: readonly StudyState[];
  readonly why: { readonly reason: string; readonly message: string };
  /** a worker has something to do afterwards */
  readonly step: boolean;
}

const RULES: Readonly<Record<Exclude<StudyAction, 'clone'>, Rule>> = {
  start: { to: 'queued', done: ['queued', 'running'], why: { reason: 'started', message: 'started by a user' }, step: true },
  pause: { to: 'paused', done: ['paused'], why: { reason: 'paused', message: 'paused by a user' }, step: false },
  resume: { to: 'queued', done: ['queued', 'running'], why: { reason: 'resumed', message: 'resumed by a user' }, step: true },
  stop: { to: 'stopping', done: ['stopping'], why: { reason: 'stopped', message: 'stopped by a user; running trials are finished first' }, step: true },
  cancel: { to: 'cancelled', done: ['cancelled'], why: { reason: 'cancelled', message: 'cancelled by a user' }, step: false },
};

@Injectable()
export class StudyActionsService {
  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(StudiesService) private readonly studies: StudiesService,
    @Inject(WorkService) private readonly work: WorkService,
  ) {}

  /**
   * Compare and set, so that two clients can't both act on a state only one of them found.
   *
   * @returns `changed` false: it was so already
   * @throws ProblemException 409 with the actions the state allows
   */
  async act(id: string, action: keyof typeof RULES): Promise<{ changed: boolean; study: StudySummary }> {
    const rule = RULES[action];
    const before = await this.store.study(id);
    if (rule.step && action !== 'stop') this.studies.refuseCommands(before.spec);
    const from = (Object.keys(ALLOWED_ACTIONS) as StudyState[]).filter((state) => ALLOWED_ACTIONS[state].includes(action));
    const study = await this.store.transition(id, from, rule.to, rule.why);
    if (study === null) return this.notChanged(await this.store.study(id), action, rule);
    if (action === 'cancel') await this.store.cancelOpenTrials(id);
    if (rule.step) await this.work.step(id);
    this.work.changed(id);
    return { changed: true, study: await this.studies.summary(study) };
  }

  private async notChanged(study: StudyRecord, action: StudyAction, rule: Rule): Promise<{ changed: false; study: StudySummary }> {
    const stopped = action === 'stop' && study.state === 'completed' && study.reason === 'stopped';
    if (rule.done.includes(study.state) || stopped) return { changed: false, study: await this.studies.summary(study) };
    const allowedActions = [...ALLOWED_ACTIONS[study.state]];
    throw new ProblemException('state-conflict', `a study that is ${study.state} can't be asked to ${action}; it allows ${allowedActions.join(', ')}`, { allowedActions });
  }
}
