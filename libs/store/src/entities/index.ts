import { AttemptEntity } from './attempt.entity.js';
import { ExportEntity } from './export.entity.js';
import { FrontHistoryEntity } from './front-history.entity.js';
import { IdempotencyEntity } from './idempotency.entity.js';
import { StudyEntity } from './study.entity.js';
import { StudyEventEntity } from './study-event.entity.js';
import { TrialEntity } from './trial.entity.js';
import { TrialWeightsEntity } from './trial-weights.entity.js';

export { AttemptEntity, ExportEntity, FrontHistoryEntity, IdempotencyEntity, StudyEntity, StudyEventEntity, TrialEntity, TrialWeightsEntity };
export const entities = [StudyEntity, TrialEntity, AttemptEntity, FrontHistoryEntity, StudyEventEntity, ExportEntity, IdempotencyEntity, TrialWeightsEntity];
