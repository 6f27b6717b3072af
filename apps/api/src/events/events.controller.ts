import { Controller, Get, Headers, Inject, Param, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Documented, DocumentedFile, DocumentedId } from '../http/documented.js';
import { studyId, type StudyId } from '../studies/studies.schema.js';
import { FeedsService } from './feeds.service.js';

@ApiTags('events')
@Controller('v1/studies/:id/events')
export class EventsController {
  constructor(@Inject(FeedsService) private readonly feeds: FeedsService) {}

  @Get()
  @Documented('What happens in a study, as server-sent events: snapshot, study.state, trial.finished, front.changed, progress')
  @DocumentedId('study')
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'revision of the last event received; what came since is sent again' })
  @DocumentedFile('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  stream(@Param({ schema: studyId }) { id }: StudyId, @Headers('last-event-id') last: string | undefined, @Req() request: Request, @Res() response: Response): Promise<void> {
    return this.feeds.stream(id, last, request, response);
  }
}
