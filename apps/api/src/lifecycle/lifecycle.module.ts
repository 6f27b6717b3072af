import { Module } from '@nestjs/common';
import { EventsModule } from '../events/events.module.js';
import { ClosingService } from './closing.service.js';
import { SweepService } from './sweep.service.js';
import { WorkService } from './work.service.js';
import { WorkerService } from './worker.service.js';

/** What runs beside the requests: telling the queue, sweeping, the worker of this process, ending in order. */
@Module({ imports: [EventsModule], providers: [WorkService, SweepService, WorkerService, ClosingService], exports: [WorkService] })
export class LifecycleModule {}
