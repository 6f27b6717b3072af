import type { Problem } from '@app/contracts';
import type { DeviceProfile } from '@app/cost';
import type { AccuracyEvaluator, JobQueue, SpaceDefinition, StudyDefinition, StudyStore } from '@app/study';
import type { Config } from './config.js';
import type { Logger } from './logger.js';

/** What the service knows of search spaces, devices and specifications. */
export interface ApiCatalog {
  /** The definition with its own copies of space and devices, or all that is wrong. */
  parseStudySpec(input: unknown): { readonly definition: StudyDefinition } | { readonly issues: Readonly<NonNullable<Problem['errors']>> };
  spaces(): readonly SpaceDefinition[];
  devices(): readonly DeviceProfile[];
}

/** How a study's accuracy is found; the dry run asks for one and closes it. */
export type EvaluatorFactory = (definition: StudyDefinition) => AccuracyEvaluator | Promise<AccuracyEvaluator>;

/** A worker that runs in the same process. It gets the service's own ports. */
export type StartWorker = (ports: {
  readonly store: StudyStore;
  readonly queue: JobQueue;
  readonly logger: Logger;
  /** to be called after every commit, so that listeners are told at once */
  readonly onChange: (studyId: string) => void;
}) => Promise<{ close(): Promise<void> }>;

export const STORE = Symbol('StudyStore');
export const QUEUE = Symbol('JobQueue');
export const CATALOG = Symbol('ApiCatalog');
export const EVALUATORS = Symbol('EvaluatorFactory');
export const CONFIG = Symbol('Config');
export const LOGGER = Symbol('Logger');
export const WORKER = Symbol('StartWorker');
export const CLOSE_STORE = Symbol('closeStore');

export type { Config, Logger };
