import { Module } from '@nestjs/common';
import { EventsModule } from '../events/events.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { MetricsService } from './metrics.service.js';

@Module({ imports: [EventsModule], controllers: [HealthController], providers: [HealthService, MetricsService], exports: [MetricsService] })
export class HealthModule {}
