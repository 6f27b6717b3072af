import { taskSchema, type StudySpec } from '@app/contracts';
import type { SpaceDefinition } from '@app/study';

/** Classes and channels of a study that states none: what the space's networks usually have, else 1,000 and 3. */
export const usualTask = (space: Pick<SpaceDefinition, 'task'>): StudySpec['task'] => taskSchema.parse(space.task ?? {});
