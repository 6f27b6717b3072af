import { Body, Controller, Get, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { exportRequest, exportView, type ExportView } from '@app/contracts';
import { attachment } from '../http/attachment.js';
import { unchanged } from '../http/conditional.js';
import { Documented, DocumentedFile, DocumentedId } from '../http/documented.js';
import { exportId, trialId, type StudyId } from '../studies/studies.schema.js';
import { ExportsService } from './exports.service.js';

@ApiTags('exports')
@Controller('v1')
export class ExportsController {
  constructor(@Inject(ExportsService) private readonly exports: ExportsService) {}

  @Post('trials/:id/exports')
  @HttpCode(202)
  @Documented('Builds the network of a trial as a file')
  @DocumentedId('trial')
  @ApiAcceptedResponse({ standardSchema: exportView })
  async create(
    @Param({ schema: trialId }) { id }: StudyId, @Body({ schema: exportRequest }) body: { format: ExportView['format']; seed?: number | undefined }, @Res({ passthrough: true }) response: Response,
  ): Promise<ExportView> {
    const view = await this.exports.create(id, body);
    response.location(`/v1/exports/${view.id}`);
    return view;
  }

  @Get('exports/:id')
  @Documented('State of an export and its manifest')
  @DocumentedId('export')
  @ApiOkResponse({ standardSchema: exportView })
  one(@Param({ schema: exportId }) { id }: StudyId): Promise<ExportView> {
    return this.exports.one(id);
  }

  @Get('exports/:id/content')
  @Documented('The file of a completed export')
  @DocumentedId('export')
  @DocumentedFile('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async content(@Param({ schema: exportId }) { id }: StudyId, @Req() request: Request, @Res() response: Response): Promise<void> {
    const { fileName, sha256, bytes } = await this.exports.content(id);
    if (unchanged(request, response, `"${sha256}"`)) return;
    response.set('Content-Disposition', attachment(fileName)).type('application/octet-stream').send(bytes);
  }
}
