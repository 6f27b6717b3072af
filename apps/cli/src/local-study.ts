import { mkdirSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { TERMINAL_STATES } from '@app/contracts';
import { MemoryQueue } from '@app/queue';
import { MemoryStore } from '@app/store';
import { faultOf, priorOf, studyProgress, warmStart, type ImportedTrial, type Prior, type PriorSource, type StudyDefinition, type StudyRecord, type TrialRecord } from '@app/study';
import { startWorker } from '../../worker/src/worker.js';
import { InputError, Progress, say, seconds } from './output.js';
import { VERSION } from './version.js';

export interface LocalResult {
  readonly study: StudyRecord;
  readonly trials: readonly TrialRecord[];
  readonly front: readonly TrialRecord[];
  /** time the study ran, earlier runs of a resumed one included */
  readonly seconds: number;
  readonly resumed: boolean;
}

export interface LocalOptions {
  readonly label: string;
  /** keeps the search on disk, so that it can be taken up again */
  readonly dir?: string | undefined;
  /** folders of earlier searches whose trials this one begins with */
  readonly warmStart?: readonly string[] | undefined;
  /** folders of earlier searches whose evaluated trials help to foretell this one's */
  readonly learnFrom?: readonly string[] | undefined;
  readonly quiet: boolean;
  readonly allowCommands: boolean;
}

/**
 * One study in this process: the service's worker over the store and queue in memory.
 *
 * @throws InputError if `dir` holds another study, or a search to begin with does not fit
 */
export async function runLocally(given: StudyDefinition, options: LocalOptions): Promise<LocalResult> {
  const { definition: warm, imports } = await warmed(given, options.warmStart ?? []);
  const { definition, prior } = await taught(warm, options.learnFrom ?? [], imports);
  if (options.dir !== undefined) mkdirSync(options.dir, { recursive: true });
  const store = options.dir === undefined ? new MemoryStore() : await MemoryStore.open(options.dir);
  const queue = new MemoryQueue();
  const kept = (await store.studies({ limit: 1 })).items[0];
  if (kept && !isDeepStrictEqual(plain(kept.spec), plain(definition.spec))) {
    throw new InputError(`--out ${options.dir} holds the study "${kept.name}" with another specification or seed; choose another folder, or run that one`);
  }
  const study = kept ?? (await store.create({ definition, state: 'queued', imports, prior })).study;
  const progress = new Progress(options.label, options.quiet);
  let wake: () => void = () => undefined;
  const worker = await startWorker({
    store, queue, version: VERSION, allowCommands: options.allowCommands, concurrency: Math.max(2, definition.spec.budget.maxParallelTrials + 1), sweepMs: 1000,
    onChange: () => wake(),
    log: { info: () => undefined, warn: (_, m) => say(m), error: (f, m) => say(`${m}: ${String(f['error'])}`) },
  });
  let interrupted = false;
  const interrupt = (): void => { interrupted = true; wake(); };
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => { wake = resolve; setTimeout(resolve, 500); });
      const now = await store.study(study.id);
      if (TERMINAL_STATES.includes(now.state)) break;
      if (interrupted) throw new InputError(options.dir === undefined ? 'stopped; nothing was kept (use --out DIR to keep a search)' : `stopped; run the same command again to go on from ${options.dir}`);
      const counts = (await store.counts([study.id])).get(study.id);
      if (counts) {
        const p = studyProgress(now, counts, new Date());
        const left = p.etaSeconds === null ? '' : `, ${seconds(p.etaSeconds[0])} to ${seconds(p.etaSeconds[1])} left`;
        progress.update(p.fraction, `${counts.completed + counts.infeasible + counts.failed} trials, front ${now.frontSize}${left}`);
      }
      await changed;
    }
    const ended = await store.study(study.id);
    const trials = await store.allTrials(study.id);
    const front = await store.front(study.id);
    return { study: ended, trials, front, seconds: ended.runningMs / 1000, resumed: kept !== undefined };
  } finally {
    progress.done();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await worker.close(2000);
    await store.close();
  }
}

/** With the studies of the folders named in the specification, so that it says what the search was a function of. */
async function warmed(definition: StudyDefinition, dirs: readonly string[]): Promise<{ definition: StudyDefinition; imports: readonly ImportedTrial[] }> {
  const wanted = definition.spec.warmStart?.studies ?? [];
  const sources = await earlier(dirs, '--warm-start');
  const missing = wanted.filter((id) => !sources.some((s) => s.study.id === id));
  if (missing.length > 0) throw new InputError(`warmStart.studies: ${missing.join(', ')} is in none of the folders given by --warm-start`);
  if (sources.length === 0) return { definition, imports: [] };
  const warm = warmStart(definition, sources);
  if ('issues' in warm) throw new InputError(warm.issues.map((issue) => `--warm-start ${sources[issue.path.at(-1) as number]!.dir}: ${issue.message}`).join('\n'));
  return { definition: { ...definition, spec: { ...definition.spec, warmStart: { studies: sources.map((s) => s.study.id) } } }, imports: warm.imports };
}

/** With the studies of the folders named in the specification, as what it learns from. A search of its own folder has no others. */
async function taught(definition: StudyDefinition, dirs: readonly string[], imports: readonly ImportedTrial[]): Promise<{ definition: StudyDefinition; prior: Prior | null }> {
  const { accuracy } = definition.spec;
  const wanted = 'prior' in accuracy && Array.isArray(accuracy.prior?.studies) ? accuracy.prior.studies : [];
  const sources = await earlier(dirs, '--learn-from');
  const missing = wanted.filter((id) => !sources.some((s) => s.study.id === id));
  if (missing.length > 0) throw new InputError(`accuracy.prior.studies: ${missing.join(', ')} is in none of the folders given by --learn-from`);
  if (sources.length === 0) return { definition, prior: null };
  const faults = sources.flatMap((s) => faultOf(definition, s) ?? []);
  if (faults.length > 0) throw new InputError(faults.map((fault) => `--learn-from: ${fault}`).join('\n'));
  const named = { ...definition.spec, accuracy: { ...accuracy, prior: { studies: sources.map((s) => s.study.id) } } } as StudyDefinition['spec'];
  return { definition: { ...definition, spec: named }, prior: priorOf(definition, sources, imports) };
}

async function earlier(dirs: readonly string[], option: string): Promise<(PriorSource & { readonly dir: string })[]> {
  const sources: (PriorSource & { readonly dir: string })[] = [];
  for (const dir of dirs) {
    const store = await MemoryStore.open(dir);
    try {
      const study = (await store.studies({ limit: 1 })).items[0];
      if (!study) throw new InputError(`${option} ${dir}: expected the folder of an earlier search, found no study in it`);
      sources.push({ study, trials: await store.allTrials(study.id), dir });
    } finally {
      await store.close();
    }
  }
  return sources;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
