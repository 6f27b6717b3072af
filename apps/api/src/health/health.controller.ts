import { Controller, Get, Header, Inject, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiServiceUnavailableResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { Open } from '../http/api-key.guard.js';
import { HealthService } from './health.service.js';
import { MetricsService } from './metrics.service.js';

const check = z.enum(['up', 'down', 'draining']);
const readiness = z.strictObject({ status: z.enum(['ready', 'not-ready']), checks: z.strictObject({ store: check, queue: check, service: check }) });

@Open()
@ApiTags('service')
@Controller()
export class HealthController {
  constructor(
    @Inject(HealthService) private readonly health: HealthService,
    @Inject(MetricsService) private readonly metrics: MetricsService,
  ) {}

  @Get('health/live')
  @ApiOperation({ summary: 'The process answers; depends on nothing else' })
  @ApiOkResponse({ standardSchema: z.strictObject({ status: z.literal('live') }) })
  @Header('Cache-Control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('health/ready')
  @ApiOperation({ summary: 'Database and queue answer, and the service is not shutting down' })
  @ApiOkResponse({ standardSchema: readiness })
  @ApiServiceUnavailableResponse({ standardSchema: readiness })
  async ready(@Res() response: Response): Promise<void> {
    const state = await this.health.readiness();
    response.status(state.status === 'ready' ? 200 : 503).set('Cache-Control', 'no-store').json(state);
  }

  @Get('metrics')
  @ApiOperation({ summary: 'Figures for Prometheus' })
  @ApiOkResponse({ schema: { type: 'string' } })
  async figures(@Res() response: Response): Promise<void> {
    response.set('Content-Type', this.metrics.contentType).send(await this.metrics.text());
  }
}
