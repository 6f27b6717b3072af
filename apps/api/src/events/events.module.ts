import { Module } from '@nestjs/common';
import { EventsController } from './events.controller.js';
import { FeedsService } from './feeds.service.js';

@Module({ controllers: [EventsController], providers: [FeedsService], exports: [FeedsService] })
export class EventsModule {}
