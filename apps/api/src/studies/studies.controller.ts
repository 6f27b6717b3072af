import { Body, Controller, Delete, Get, Headers, HttpCode, Inject, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiHeader, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { studyDetail, studyPage, type StudyDetail, type StudyPage } from '@app/contracts';
import { expectedRevision, revisionTag, unchanged } from '../http/conditional.js';
import { Documented, DocumentedFile, DocumentedId, DocumentedSpecBody, DocumentedTag } from '../http/documented.js';
import { attachment } from '../http/attachment.js';
import { StudiesService } from './studies.service.js';
import { createQuery, studyId, studyPatch, studyQuery, type CreateQuery, type StudyId, type StudyListQuery, type StudyPatch } from './studies.schema.js';

@ApiTags('studies')
@Controller('v1/studies')
export class StudiesController {
  constructor(@Inject(StudiesService) private readonly studies: StudiesService) {}

  @Post()
  @Documented('Creates a study and starts it')
  @DocumentedSpecBody()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'the same key and body create one study, however often they are sent' })
  @ApiCreatedResponse({ standardSchema: studyDetail })
  async create(
    @Body() body: unknown, @Query({ schema: createQuery }) query: CreateQuery, @Headers('idempotency-key') key: string | undefined, @Res({ passthrough: true }) response: Response,
  ): Promise<StudyDetail> {
    const { study, created } = await this.studies.create(body, query.start, key);
    response.location(`/v1/studies/${study.id}`).set('ETag', revisionTag(study.revision));
    if (!created) response.set('Idempotency-Replayed', 'true');
    return study;
  }

  @Get()
  @Documented('Lists studies, newest first')
  @ApiOkResponse({ standardSchema: studyPage })
  list(@Query({ schema: studyQuery }) query: StudyListQuery): Promise<StudyPage> {
    return this.studies.list(query);
  }

  @Get(':id')
  @Documented('A study')
  @DocumentedId('study')
  @DocumentedTag()
  @ApiOkResponse({ standardSchema: studyDetail })
  async read(@Param({ schema: studyId }) { id }: StudyId, @Req() request: Request, @Res() response: Response): Promise<void> {
    const study = await this.studies.record(id);
    if (!unchanged(request, response, revisionTag(study.revision))) response.json(await this.studies.detail(study));
  }

  @Patch(':id')
  @Documented('Changes name, labels or budget')
  @DocumentedId('study')
  @ApiHeader({ name: 'If-Match', required: false, description: 'the ETag the change is meant for; 412 if the study has moved on' })
  @ApiOkResponse({ standardSchema: studyDetail })
  async patch(
    @Param({ schema: studyId }) { id }: StudyId, @Body({ schema: studyPatch }) change: StudyPatch, @Headers('if-match') ifMatch: string | undefined, @Res({ passthrough: true }) response: Response,
  ): Promise<StudyDetail> {
    const study = await this.studies.patch(id, change, expectedRevision(ifMatch));
    response.set('ETag', revisionTag(study.revision));
    return study;
  }

  @Delete(':id')
  @HttpCode(204)
  @Documented('Deletes a study that is not running, with its trials and exports')
  @DocumentedId('study')
  @ApiNoContentResponse()
  remove(@Param({ schema: studyId }) { id }: StudyId): Promise<void> {
    return this.studies.remove(id);
  }

  @Get(':id/spec')
  @Documented('The specification as YAML, ready to be sent again')
  @DocumentedId('study')
  @DocumentedFile('application/yaml')
  @ApiOkResponse({ schema: { type: 'string' } })
  async spec(@Param({ schema: studyId }) { id }: StudyId, @Res() response: Response): Promise<void> {
    const { name, text } = await this.studies.specYaml(id);
    response.set('Content-Disposition', attachment(`${name}.yaml`)).type('application/yaml').send(text);
  }
}
