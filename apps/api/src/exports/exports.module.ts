import { Module } from '@nestjs/common';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ExportsController } from './exports.controller.js';
import { ExportsService } from './exports.service.js';

@Module({ imports: [LifecycleModule], controllers: [ExportsController], providers: [ExportsService] })
export class ExportsModule {}
