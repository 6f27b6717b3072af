import { NotFound, type StudyStore } from './ports.js';
import { describedAlike, MOST_PRIOR_TRIALS, otherTask, priorOf, priorStudies, type PriorSource } from './prior.js';
import type { Prior, StudyDefinition, StudyRecord } from './records.js';

/** Studies looked at in search of those of the same task, the newest. */
const MOST_STUDIES = 1000;
const PAGE = 100;

/** Why a study can't learn from another it names. */
export interface PriorIssue {
  /** such as `accuracy.prior.studies.0` */
  readonly path: readonly (string | number)[];
  readonly code: 'not-found' | 'prior-differs';
  readonly message: string;
}

/** What a study that is made now learns from those in the store, by its `accuracy.prior`: once read, it is the study's own. */
export async function priorFrom(store: Pick<StudyStore, 'study' | 'studies' | 'allTrials'>, definition: StudyDefinition, told: Parameters<typeof priorOf>[2] = []): Promise<{ readonly prior: Prior | null } | { readonly issues: PriorIssue[] }> {
  const asked = priorStudies(definition);
  if (asked === 'none') return { prior: null };
  if (asked === 'all') return { prior: priorOf(definition, await sameTask(store, definition), told) };
  const issues: PriorIssue[] = [];
  const sources: PriorSource[] = [];
  for (const [i, id] of asked.entries()) {
    const source = await store.study(id).then(async (study) => ({ study, trials: await store.allTrials(id) }), (error: unknown) => {
      if (error instanceof NotFound) return error;
      throw error;
    });
    const found = source instanceof NotFound ? source.message : faultOf(definition, source);
    if (found !== null) issues.push({ path: ['accuracy', 'prior', 'studies', i], code: source instanceof NotFound ? 'not-found' : 'prior-differs', message: found });
    else sources.push(source as PriorSource);
  }
  return issues.length > 0 ? { issues } : { prior: priorOf(definition, sources, told) };
}

/** Why a named study can't be learned from, or null. */
export function faultOf(definition: StudyDefinition, source: PriorSource): string | null {
  const other = otherTask(definition, source.study, true);
  if (other !== null) return `study ${source.study.id} ${other}`;
  return priorOf(definition, [source]) === null ? `study ${source.study.id} has no evaluated trial of this study's objectives on the same data` : null;
}

async function sameTask(store: Pick<StudyStore, 'studies' | 'allTrials'>, definition: StudyDefinition): Promise<PriorSource[]> {
  const alike: StudyRecord[] = [];
  for (let cursor: string | undefined, seen = 0; seen < MOST_STUDIES && cursor !== ''; seen += PAGE) {
    const page = await store.studies({ sort: '-created', limit: PAGE, cursor });
    alike.push(...page.items.filter((study) => otherTask(definition, study, false) === null));
    cursor = page.nextCursor;
  }
  const byDescription = (described: boolean): StudyRecord[] => alike.filter((study) => describedAlike(definition, study) === described);
  const sources: PriorSource[] = [];
  let values = 0;
  for (const study of [...byDescription(true), ...byDescription(false)]) {
    const source = { study, trials: await store.allTrials(study.id) };
    const found = priorOf(definition, [source])?.trials.length ?? 0;
    if (found > 0) sources.push(source);
    values += found;
    if (values >= MOST_PRIOR_TRIALS) break;
  }
  return sources;
}
