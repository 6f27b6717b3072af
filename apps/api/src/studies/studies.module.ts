import { Module } from '@nestjs/common';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { StudiesController } from './studies.controller.js';
import { StudiesService } from './studies.service.js';
import { StudyActionsController } from './study-actions.controller.js';
import { StudyActionsService } from './study-actions.service.js';

@Module({
  imports: [LifecycleModule],
  controllers: [StudyActionsController, StudiesController],
  providers: [StudiesService, StudyActionsService],
  exports: [StudiesService],
})
export class StudiesModule {}
