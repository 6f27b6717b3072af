import { once } from 'node:events';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { curvesView, foresightView, frontView, networkView, seriesView, trialPage, trialView, type NetworkView, type TrialView } from '@app/contracts';
import { attachment } from '../http/attachment.js';
import { revisionTag, unchanged } from '../http/conditional.js';
import { Documented, DocumentedFile, DocumentedId, DocumentedTag } from '../http/documented.js';
import { curvesQuery, seriesQuery, studyId, trialId, trialQuery, type CurvesQuery, type SeriesQuery, type StudyId, type TrialListQuery } from '../studies/studies.schema.js';
import { TrialsCsv } from './trials-csv.js';
import { TrialsService } from './trials.service.js';

@ApiTags('trials')
@Controller('v1')
export class TrialsController {
  constructor(@Inject(TrialsService) private readonly trials: TrialsService) {}

  @Get('studies/:id/trials')
  @Documented('Trials of a study, a page at a time as JSON or all of them as CSV')
  @DocumentedId('study')
  @DocumentedFile('application/json', 'text/csv')
  @ApiOkResponse({ standardSchema: trialPage })
  async list(@Param({ schema: studyId }) { id }: StudyId, @Query({ schema: trialQuery }) query: TrialListQuery, @Req() request: Request, @Res() response: Response): Promise<void> {
    const csv = query.format === 'csv' || (query.format === undefined && request.accepts(['application/json', 'text/csv']) === 'text/csv');
    response.vary('Accept');
    if (csv) await this.download(id, query, response);
    else response.json(await this.trials.list(id, query));
  }

  @Get('studies/:id/series')
  @Documented('The whole study as columns, for charts')
  @DocumentedId('study')
  @DocumentedTag()
  @ApiOkResponse({ standardSchema: seriesView })
  async series(@Param({ schema: studyId }) { id }: StudyId, @Query({ schema: seriesQuery }) query: SeriesQuery, @Req() request: Request, @Res() response: Response): Promise<void> {
    const study = await this.trials.study(id);
    if (!unchanged(request, response, revisionTag(study.revision))) response.json(await this.trials.series(study, query.columns));
  }

  @Get('studies/:id/curves')
  @Documented('Learning curves of all trials, running ones as far as they are')
  @DocumentedId('study')
  @DocumentedTag()
  @ApiOkResponse({ standardSchema: curvesView })
  async curves(@Param({ schema: studyId }) { id }: StudyId, @Query({ schema: curvesQuery }) query: CurvesQuery, @Req() request: Request, @Res() response: Response): Promise<void> {
    const study = await this.trials.study(id);
    if (!unchanged(request, response, revisionTag(study.revision))) response.json(await this.trials.curves(study, query.metric));
  }

  @Get('studies/:id/foresight')
  @Documented('How well the evaluated trials foretell each other, each left out in turn')
  @DocumentedId('study')
  @DocumentedTag()
  @ApiOkResponse({ standardSchema: foresightView })
  async foresight(@Param({ schema: studyId }) { id }: StudyId, @Req() request: Request, @Res() response: Response): Promise<void> {
    const study = await this.trials.study(id);
    if (!unchanged(request, response, revisionTag(study.revision))) response.json(await this.trials.foresight(study));
  }

  @Get('studies/:id/front')
  @Documented('The feasible non-dominated trials, with hypervolume history, crowding and knees')
  @DocumentedId('study')
  @DocumentedTag()
  @ApiOkResponse({ standardSchema: frontView })
  async front(@Param({ schema: studyId }) { id }: StudyId, @Req() request: Request, @Res() response: Response): Promise<void> {
    const study = await this.trials.study(id);
    if (!unchanged(request, response, revisionTag(study.revision))) response.json(await this.trials.front(study));
  }

  @Get('trials/:id')
  @Documented('A trial')
  @DocumentedId('trial')
  @ApiOkResponse({ standardSchema: trialView })
  one(@Param({ schema: trialId }) { id }: StudyId): Promise<TrialView> {
    return this.trials.one(id);
  }

  @Get('trials/:id/network')
  @Documented('The network of a trial, layer by layer, priced on the devices of its study')
  @DocumentedId('trial')
  @ApiOkResponse({ standardSchema: networkView })
  network(@Param({ schema: trialId }) { id }: StudyId): Promise<NetworkView> {
    return this.trials.network(id);
  }

  private async download(id: string, query: TrialListQuery, response: Response): Promise<void> {
    const study = await this.trials.study(id);
    let table: TrialsCsv | null = null;
    for await (const trials of this.trials.all(study, query)) {
      if (response.destroyed) return;
      if (table === null) {
        table = TrialsCsv.of(study, trials);
        response.set('Content-Disposition', attachment(`${study.name}-trials.csv`)).type('text/csv; charset=utf-8');
        response.write(table.head());
      }
      if (!response.write(table.rows(trials))) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  }
}
