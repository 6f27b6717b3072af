import { createHash, randomUUID } from 'node:crypto';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import { loadCatalog } from '@app/catalog';
import type { StudyDetail } from '@app/contracts';
import { MemoryStore } from '@app/store';
import { objectiveValues, studyTerms, trialId, violationValues, type AccuracyEvaluator, type Job, type JobName, type JobQueue, type ProposedTrial, type SettledTrial, type StudyRecord, type StudyStore } from '@app/study';
import { readConfig } from '../../../apps/api/src/config.js';
import { createApp, type ServiceOptions } from '../../../apps/api/src/create-app.js';
import { createLogger } from '../../../apps/api/src/logger.js';
import { STORE } from '../../../apps/api/src/ports.js';

/** Keeps the jobs it is given: what the service puts on the queue is part of what it promises. */
export class RecordingQueue implements JobQueue {
  readonly jobs: Job[] = [];
  /** what every call fails with */
  fault: Error | null = null;
  closed = false;

  async add(jobs: readonly Job[]): Promise<void> {
    if (this.fault) throw this.fault;
    this.jobs.push(...jobs);
  }

  async work(): Promise<void> {
    throw new Error('nothing works here');
  }

  async depth(): Promise<Record<JobName, number>> {
    const count = (name: JobName): number => this.jobs.filter((job) => job.name === name).length;
    return { 'study.step': count('study.step'), 'trials.evaluate': count('trials.evaluate'), 'export.build': count('export.build') };
  }

  async ping(): Promise<void> {
    if (this.fault) throw this.fault;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** Answers every candidate at once with the same error. */
const quickEvaluator: AccuracyEvaluator = {
  id: 'test', secondsPerTrial: 0.001, metrics: ['error', 'accuracy'],
  evaluate: async () => ({
    error: { value: 30, unit: '%', provenance: 'estimated', interval: [20, 40], source: 'test' },
    accuracy: { value: 70, unit: '%', provenance: 'estimated', interval: [60, 80], source: 'test' },
  }),
  close: async () => undefined,
};

export interface Service {
  readonly app: NestExpressApplication;
  readonly store: StudyStore;
  readonly queue: RecordingQueue;
  /** after `listen` */
  readonly url: string;
  readonly http: ReturnType<typeof request>;
  close(): Promise<void>;
}

/** The service over store and queue in memory, listening on a free loopback port. */
export async function startApi(env: Readonly<Record<string, string>> = {}, change: Partial<ServiceOptions> = {}): Promise<Service> {
  const queue = new RecordingQueue();
  const config = readConfig({ LOG_LEVEL: 'silent', PORT: '0', ...env });
  const app = await createApp({
    config, logger: createLogger(config.logLevel), store: new MemoryStore(), queue, catalog: loadCatalog(), version: '0.0.0-test',
    evaluators: () => quickEvaluator, ...change,
  });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { app, store: app.get<StudyStore>(STORE), queue, url, http: request(url), close: () => app.close() };
}

/** Two objectives and a limit on the measured table. */
export const SPEC = {
  name: 'on the table', labels: { team: 'audio' }, searchSpace: 'nas-bench-201', accuracy: { method: 'table' },
  objectives: [{ metric: 'error' }, { metric: 'latency', target: 'pixel-3', unit: 'ms' }],
  constraints: [{ metric: 'params', op: '<=', value: 1, unit: 'M' }],
  referencePoint: { error: 60, 'latency@pixel-3': 100 },
  budget: { maxTrials: 50 }, seed: 3,
};

export async function createStudy(service: Service, change: object = {}, query = '?start=false'): Promise<StudyDetail> {
  const answer = await service.http.post(`/v1/studies${query}`).send({ ...SPEC, ...change }).expect(201);
  return answer.body as StudyDetail;
}

export interface GivenTrial {
  readonly error?: number;
  /** s */
  readonly latency?: number;
  readonly params?: number;
  readonly state?: 'completed' | 'infeasible' | 'failed';
  readonly onFront?: boolean;
}

/** Commits trials as a worker would, in one step. @returns their ids */
export async function commitTrials(service: Service, studyId: string, given: readonly GivenTrial[]): Promise<string[]> {
  const held = await service.store.leaseStudy(studyId, 'test', 60_000);
  if (!held) throw new Error('the study is not to be stepped');
  const fold = await service.store.fold(studyId);
  const trials = given.map((g, i) => settled(held.study, fold.trials.length + i + 1, g));
  const proposed = trials.map(({ id, number, round, key, genes, parameters, fidelity, proposedBy, note }): ProposedTrial => ({ id, number, round, key, genes, parameters, fidelity, proposedBy, note }));
  const onFront = trials.filter((_, i) => given[i]!.onFront).map((t) => t.id);
  const front = (await service.store.front(studyId)).length + onFront.length;
  const done = await service.store.commitStep(held.lease, {
    proposed, settled: trials, told: fold.trials.length + trials.length, snapshot: { version: 'test', state: null }, referencePoint: [60, 0.1],
    hypervolume: front / 10, frontSize: front, frontAdded: onFront, frontRemoved: [], ranks: onFront.map((id) => ({ id, rank: 0 })),
    history: onFront.length > 0 ? [{ number: fold.trials.length + trials.length, hypervolume: front / 10, frontSize: front }] : [], screened: 0, finish: null,
  });
  if (!done) throw new Error('the step was not committed');
  await service.store.releaseStudy(held.lease);
  return trials.map((t) => t.id);
}

/** A point of the space by its number in base 5 (six edges, five operations). */
function settled(study: StudyRecord, number: number, given: GivenTrial): SettledTrial {
  const digits = Array.from({ length: study.space.parameters.length }, (_, i) => Math.floor(number / 5 ** i) % 5);
  const parameters = Object.fromEntries(study.space.parameters.map((p, i) => [p.name, 'values' in p ? p.values[digits[i]! % p.values.length]! : 0]));
  const source = 'test';
  const metrics = given.state === 'failed' ? {} : {
    error: { value: given.error ?? 30, unit: '%', provenance: 'measured' as const, source },
    'latency@pixel-3': { value: given.latency ?? 0.02, unit: 's', provenance: 'estimated' as const, interval: [0.01, 0.04] as [number, number], source },
    params: { value: given.params ?? 500_000, unit: '1', provenance: 'computed' as const, source },
  };
  const terms = studyTerms(study.spec);
  const violations = violationValues(terms, metrics);
  const state = given.state ?? 'completed';
  return {
    id: trialId(study.id, number), number, round: number, key: digits.join(''), genes: digits, parameters, fidelity: 1, proposedBy: 'test', note: null,
    state, reason: state === 'failed' ? 'evaluator-error' : state === 'infeasible' ? 'constraint' : null, message: state === 'failed' ? 'it broke' : null,
    metrics, objectives: objectiveValues(terms, metrics), violations, feasible: state === 'failed' ? null : state === 'completed', durationMs: 5,
  };
}

/** An export built as a worker would. */
export async function finishExport(service: Service, id: string, text: string): Promise<void> {
  const lease = await service.store.leaseExport(id, 'test', 60_000);
  if (!lease) throw new Error('the export is taken');
  const content = Buffer.from(text);
  await service.store.finishExport(lease, { fileName: 'network.onnx', content, sha256: createHash('sha256').update(content).digest('hex'), manifest: { seed: 3 } });
}

export const unknownId = (): string => randomUUID();
