import { Body, Controller, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { dryRunReport, studyDetail, studySummary, type DryRunReport, type StudyDetail, type StudySummary } from '@app/contracts';
import { revisionTag } from '../http/conditional.js';
import { Documented, DocumentedId, DocumentedSpecBody } from '../http/documented.js';
import { StudiesService } from './studies.service.js';
import { StudyActionsService } from './study-actions.service.js';
import { cloneBody, studyId, type CloneBody, type StudyId } from './studies.schema.js';

const Action = (summary: string): MethodDecorator => (target, key, descriptor) => {
  for (const decorate of [
    HttpCode(202), Documented(summary), DocumentedId('study'),
    ApiAcceptedResponse({ standardSchema: studySummary, description: 'done' }), ApiOkResponse({ standardSchema: studySummary, description: 'it was so already' }),
  ]) decorate(target, key, descriptor);
};

/** What can be done to a study: `POST /v1/studies/{id}:pause` and the like. */
@ApiTags('studies')
@Controller()
export class StudyActionsController {
  constructor(
    @Inject(StudyActionsService) private readonly actions: StudyActionsService,
    @Inject(StudiesService) private readonly studies: StudiesService,
  ) {}

  @Post('v1/studies\\:validate')
  @HttpCode(200)
  @Documented('Dry run: is the study possible, and what will it cost? Creates nothing')
  @DocumentedSpecBody()
  @ApiOkResponse({ standardSchema: dryRunReport })
  validate(@Body() body: unknown): Promise<DryRunReport> {
    return this.studies.validate(body);
  }

  @Post('v1/studies/:id\\:start')
  @Action('Starts a draft')
  start(@Param({ schema: studyId }) { id }: StudyId, @Res({ passthrough: true }) response: Response): Promise<StudySummary> {
    return this.act(id, 'start', response);
  }

  @Post('v1/studies/:id\\:pause')
  @Action('Opens no further trials until it is resumed')
  pause(@Param({ schema: studyId }) { id }: StudyId, @Res({ passthrough: true }) response: Response): Promise<StudySummary> {
    return this.act(id, 'pause', response);
  }

  @Post('v1/studies/:id\\:resume')
  @Action('Goes on where it was paused, or where its budget ended if that was raised')
  resume(@Param({ schema: studyId }) { id }: StudyId, @Res({ passthrough: true }) response: Response): Promise<StudySummary> {
    return this.act(id, 'resume', response);
  }

  @Post('v1/studies/:id\\:stop')
  @Action('Lets running trials end, then completes the study')
  stop(@Param({ schema: studyId }) { id }: StudyId, @Res({ passthrough: true }) response: Response): Promise<StudySummary> {
    return this.act(id, 'stop', response);
  }

  @Post('v1/studies/:id\\:cancel')
  @Action('Ends the study now and cancels its open trials')
  cancel(@Param({ schema: studyId }) { id }: StudyId, @Res({ passthrough: true }) response: Response): Promise<StudySummary> {
    return this.act(id, 'cancel', response);
  }

  @Post('v1/studies/:id\\:clone')
  @Documented('Copies the study, its space and its devices into a new draft')
  @DocumentedId('study')
  @ApiCreatedResponse({ standardSchema: studyDetail })
  async clone(@Param({ schema: studyId }) { id }: StudyId, @Body({ schema: cloneBody }) body: CloneBody, @Res({ passthrough: true }) response: Response): Promise<StudyDetail> {
    const study = await this.studies.clone(id, body ?? {});
    response.location(`/v1/studies/${study.id}`).set('ETag', revisionTag(study.revision));
    return study;
  }

  private async act(id: string, action: 'start' | 'pause' | 'resume' | 'stop' | 'cancel', response: Response): Promise<StudySummary> {
    const { changed, study } = await this.actions.act(id, action);
    response.status(changed ? 202 : 200).set('ETag', revisionTag(study.revision));
    return study;
  }
}
