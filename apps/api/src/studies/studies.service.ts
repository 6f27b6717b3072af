import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { stringify } from 'yaml';
import type { DryRunReport, StudyDetail, StudyPage, StudySummary } from '@app/contracts';
import { ownAgents } from '@app/measure';
import { dryRun, NotFound, priorFrom, studyDetailView, studySummaryView, warmStart, type ImportedTrial, type Prior, type StudyDefinition, type StudyRecord, type StudyStore, type TrialCounts } from '@app/study';
import { ProblemException, inWords, schemaErrors } from '../http/problem.js';
import { WorkService } from '../lifecycle/work.service.js';
import { CATALOG, CONFIG, EVALUATORS, STORE, type ApiCatalog, type Config, type EvaluatorFactory } from '../ports.js';
import { mergedBudget, type StudyListQuery, type StudyPatch } from './studies.schema.js';

const NO_TRIALS: TrialCounts = { pending: 0, running: 0, completed: 0, infeasible: 0, failed: 0, cancelled: 0, total: 0 };

type SpecError = NonNullable<ProblemException['details']['errors']>[number];

@Injectable()
export class StudiesService {
  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(CATALOG) private readonly catalog: ApiCatalog,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(EVALUATORS) private readonly evaluators: EvaluatorFactory,
    @Inject(WorkService) private readonly work: WorkService,
  ) {}

  async create(body: unknown, start: boolean, key: string | undefined): Promise<{ study: StudyDetail; created: boolean }> {
    const definition = this.define(body);
    const idempotency = key === undefined ? undefined : { key: checkedKey(key), bodyHash: hashOf({ body, start }) };
    const imports = await this.imports(definition);
    const prior = await this.prior(definition, imports);
    const { study, created } = await this.store.create({ definition, state: start ? 'queued' : 'draft', imports, prior, idempotency });
    if (created && start) await this.work.step(study.id);
    return { study: await this.detail(study), created };
  }

  async validate(body: unknown): Promise<DryRunReport> {
    const definition = this.define(body);
    await this.prior(definition, await this.imports(definition));
    const evaluator = await this.evaluators(definition);
    try {
      return await dryRun(definition, evaluator, { now: () => performance.now(), breathe: () => nextTurn() });
    } finally {
      await evaluator.close();
    }
  }

  async list(query: StudyListQuery): Promise<StudyPage> {
    const [key, ...value] = query.label?.split(':') ?? [];
    const page = await this.store.studies({
      states: query.state, search: query.search, sort: query.sort, limit: query.limit, cursor: query.cursor,
      label: key === undefined ? undefined : { key, value: value.join(':') },
    });
    const counts = await this.store.counts(page.items.map((study) => study.id));
    const now = new Date();
    return { items: page.items.map((study) => studySummaryView(study, counts.get(study.id) ?? NO_TRIALS, now)), nextCursor: page.nextCursor };
  }

  record(id: string): Promise<StudyRecord> {
    return this.store.study(id);
  }

  async detail(study: StudyRecord): Promise<StudyDetail> {
    return studyDetailView(study, await this.countsOf(study.id), new Date());
  }

  async summary(study: StudyRecord): Promise<StudySummary> {
    return studySummaryView(study, await this.countsOf(study.id), new Date());
  }

  async patch(id: string, change: StudyPatch, expected: number | undefined): Promise<StudyDetail> {
    const budget = change.budget === undefined ? undefined : mergedBudget((await this.store.study(id)).spec.budget, change.budget);
    if (budget?.error) throw invalid(schemaErrors(budget.error.issues.map((issue) => ({ ...issue, path: ['budget', ...issue.path] })), 'body'));
    const { name, labels } = change;
    const study = await this.store.patch(id, { ...(name === undefined ? {} : { name }), ...(labels === undefined ? {} : { labels }), ...(budget ? { budget: budget.data } : {}) }, expected);
    if (study === null) throw new ProblemException('revision-mismatch', `the study is no longer at revision ${expected}; read it again`);
    this.work.changed(id);
    return this.detail(study);
  }

  async remove(id: string): Promise<void> {
    if (!(await this.store.remove(id))) {
      const { state } = await this.store.study(id);
      throw new ProblemException('state-conflict', `the study is ${state}; cancel it before it is deleted`, { allowedActions: ['cancel'] });
    }
    this.work.changed(id);
  }

  async specYaml(id: string): Promise<{ name: string; text: string }> {
    const { spec, name } = await this.store.study(id);
    return { name, text: stringify({ ...spec, name }) };
  }

  /** A draft with the study's own copies of space, devices and what it has of other studies: it searches the same even if the built-in ones have changed. */
  async clone(id: string, change: { readonly name?: string | undefined; readonly seed?: number | undefined }): Promise<StudyDetail> {
    const { spec, space, devices, name, labels } = await this.store.study(id);
    this.refuseCommands(spec);
    const copy = { ...spec, labels: { ...labels }, name: change.name ?? `${name.slice(0, 190)} (copy)`, seed: change.seed ?? spec.seed };
    const { imports, prior } = await this.store.fold(id);
    const { study } = await this.store.create({ definition: { spec: copy, space, devices }, state: 'draft', imports, prior });
    return this.detail(study);
  }

  /** @throws ProblemException if this service doesn't run commands and agents of studies */
  refuseCommands(spec: StudyDefinition['spec']): void {
    if (this.config.allowCommands) return;
    const refuse = (what: string, pointers: readonly string[]): never => {
      throw new ProblemException('commands-not-allowed', `${what}; the service must be started with CADDIS_ALLOW_COMMANDS=1`, {
        errors: pointers.map((pointer) => ({ pointer, code: 'not-allowed', message: 'commands are switched off' })),
      });
    };
    if (spec.accuracy.method === 'command') refuse('accuracy.method "command" runs a program on this machine', ['/accuracy/method']);
    if (spec.accuracy.method === 'http') refuse('accuracy.method "http" calls an address from this machine', ['/accuracy/method']);
    const agents = ownAgents(spec);
    if (agents.length > 0) refuse('an agent that a study names is started, or called, from this machine', agents);
  }

  private define(body: unknown): StudyDefinition {
    if (body === undefined) throw new ProblemException('malformed-body', 'expected a study specification as JSON or YAML, got no body');
    const parsed = this.catalog.parseStudySpec(body);
    if ('issues' in parsed) throw invalid(parsed.issues);
    this.refuseCommands(parsed.definition.spec);
    return parsed.definition;
  }

  /** What the study begins with of others. @throws ProblemException naming the study that is not there or does not fit */
  private async imports(definition: StudyDefinition): Promise<readonly ImportedTrial[]> {
    const ids = definition.spec.warmStart?.studies ?? [];
    const pointer = (i: number): string => `/warmStart/studies/${i}`;
    const sources = await Promise.all(ids.map(async (id, i) => {
      try {
        return { study: await this.store.study(id), trials: await this.store.allTrials(id) };
      } catch (error) {
        if (error instanceof NotFound) throw invalid([{ pointer: pointer(i), code: 'not-found', message: error.message }]);
        throw error;
      }
    }));
    const warm = warmStart(definition, sources);
    if ('issues' in warm) throw invalid(warm.issues.map(({ path, message }) => ({ pointer: `/${path.join('/')}`, code: 'warm-start-differs', message })));
    return warm.imports;
  }

  /** What the study learns of others. @throws ProblemException naming the study that is not there or has another task */
  private async prior(definition: StudyDefinition, imports: readonly ImportedTrial[]): Promise<Prior | null> {
    const found = await priorFrom(this.store, definition, imports);
    if ('issues' in found) throw invalid(found.issues.map(({ path, code, message }) => ({ pointer: `/${path.join('/')}`, code, message })));
    return found.prior;
  }

  private async countsOf(id: string): Promise<TrialCounts> {
    return (await this.store.counts([id])).get(id) ?? NO_TRIALS;
  }
}

const invalid = (errors: readonly SpecError[]): ProblemException => new ProblemException('invalid-spec', inWords([...errors], 'the body'), { errors: [...errors] });

function checkedKey(key: string): string {
  const text = key.trim().replace(/^"(.*)"$/, '$1');
  if (/^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new ProblemException('invalid-request', 'Idempotency-Key: expected 1 to 255 printable characters', { errors: [{ pointer: 'Idempotency-Key', code: 'invalid', message: 'expected 1 to 255 printable characters' }] });
}

/** SHA-256 of a value, the same however its objects order their keys. */
function hashOf(value: unknown): string {
  const ordered = JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) : v,
  );
  return createHash('sha256').update(ordered).digest('hex');
}
