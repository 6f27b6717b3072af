import { Inject, Injectable } from '@nestjs/common';
import type { CurvesView, ForesightView, FrontView, NetworkView, SeriesView, TrialPage, TrialView } from '@app/contracts';
import { curvesView, foresightView, frontView, networkView, seriesView, studyTerms, trialView, trialViews, type StudyRecord, type StudyStore, type TrialQuery } from '@app/study';
import { ProblemException } from '../http/problem.js';
import { STORE } from '../ports.js';
import type { TrialListQuery } from '../studies/studies.schema.js';

const CSV_PAGE = 500;

@Injectable()
export class TrialsService {
  constructor(@Inject(STORE) private readonly store: StudyStore) {}

  study(id: string): Promise<StudyRecord> {
    return this.store.study(id);
  }

  async list(studyId: string, query: TrialListQuery): Promise<TrialPage> {
    const study = await this.store.study(studyId);
    checkSort(study, query.sort);
    const page = await this.store.trials(studyId, asQuery(query));
    return { items: trialViews(page.items, study), nextCursor: page.nextCursor };
  }

  /** Every trial that matches, page by page, so that a download of any size needs little memory. */
  async *all(study: StudyRecord, query: TrialListQuery): AsyncGenerator<readonly TrialView[]> {
    checkSort(study, query.sort);
    let cursor: string | undefined;
    do {
      const page = await this.store.trials(study.id, { ...asQuery(query), limit: CSV_PAGE, cursor });
      yield trialViews(page.items, study);
      cursor = page.nextCursor;
    } while (cursor !== '');
  }

  async one(id: string): Promise<TrialView> {
    const trial = await this.store.trial(id);
    return trialView(trial, await this.store.study(trial.studyId));
  }

  /** @throws ProblemException if the study's points stand for no network */
  async network(id: string): Promise<NetworkView> {
    const trial = await this.store.trial(id);
    const study = await this.store.study(trial.studyId);
    if (study.space.family === 'none') throw new ProblemException('not-found', 'the points of this study\'s search space have no network');
    return networkView(trial, study);
  }

  async series(study: StudyRecord, columns: readonly string[] | undefined): Promise<SeriesView> {
    return seriesView(study, await this.store.allTrials(study.id), columns);
  }

  async curves(study: StudyRecord, metric: string | undefined): Promise<CurvesView> {
    return curvesView(study, await this.store.allTrials(study.id), metric);
  }

  async foresight(study: StudyRecord): Promise<ForesightView> {
    return foresightView(study, await this.store.fold(study.id));
  }

  async front(study: StudyRecord): Promise<FrontView> {
    const [front, history] = await Promise.all([this.store.front(study.id), this.store.history(study.id)]);
    return frontView(study, front, history, front.length === 0 ? await this.store.allTrials(study.id) : []);
  }
}

/** @throws ProblemException if it names a parameter: trials are sorted by number or by a metric */
function checkSort(study: StudyRecord, sort: string | undefined): void {
  const key = sort?.replace(/^-/, '');
  if (key === undefined || study.space.parameters.every((p) => p.name !== key) || studyTerms(study.spec).objectives.some((o) => o.key === key)) return;
  const message = `"${key}" is a parameter; sort by number or by a metric such as ${studyTerms(study.spec).objectives[0]!.key}`;
  throw new ProblemException('invalid-request', `sort: ${message}`, { errors: [{ pointer: 'sort', code: 'invalid', message }] });
}

const asQuery = (query: TrialListQuery): TrialQuery => ({
  states: query.state, feasible: query.feasible, onFront: query.onFront, sort: query.sort, limit: query.limit, cursor: query.cursor,
});
