/**
 * How well do n trained networks foretell others, with the values of another study of the task and with scores of untrained networks, and without? Cells of NAS-Bench-201,
 * accuracy on CIFAR-10 after 200 epochs (test, mean over seeds). The other study has 100 other cells, trained for 12 epochs (validation); as a warning, one whose values are
 * shuffled, and one that says the opposite. Errors are of cells that neither has, over 20 draws. Scores are of synthetic gratings, as CIFAR-10 does not come with Caddis;
 * `--cifar10 DIR` takes the real images. `--cells N` (300) drawn once, `--json`. `--trained` trains networks instead, see accuracy-model-trained.ts.
 */
import { completePoint, loadCatalog } from '@app/catalog';
import { datasetSchema, type ProxyName } from '@app/contracts';
import { architectureCode, decode, isDegenerate } from '@app/decode';
import { Rng } from '@app/numeric';
import { featuresOf, OutcomeModel, SharedModel, studyProblem, type Features } from '@app/study';
import { loadDataset, proxyScore, readCells, rowOf } from '@app/train';
import { trainedStudies } from './accuracy-model-trained.js';
import { spearman } from './rank-correlation.js';

const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
if (process.argv.includes('--trained')) {
  const report = await trainedStudies({ trainings: Number(argument('--trainings') ?? 24), save: argument('--save'), of: argument('--of') });
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else for (const { own, view } of report.rows) {
    const said = (name: string, { error, within }: { readonly error: number; readonly within: number }): string => `${name} ${error.toFixed(2)} (${(100 * within).toFixed(0)} % within)`;
    process.stdout.write(`${own} own trainings, ${view.values.length} of them with a result: spread ${view.spread.toFixed(2)}, ${[
      said('error alone', view.prior?.without ?? view), ...(view.prior ? [said('with the other study', view)] : []), ...(view.proxy ? [said(`with ${view.proxy.name} too`, view.proxy)] : []),
    ].join(', ')}${view.prior ? `, weight ${view.prior.weight.toFixed(2)}` : ''}\n`);
  }
  process.exit();
}

const cells = Number(argument('--cells') ?? 300);
const cifar = argument('--cifar10');
const DRAWS = 20;
const OTHERS = 100;
const OWN = [5, 10, 20, 40];
const PROXIES: readonly ProxyName[] = ['naswot', 'synflow'];
const BATCH = 32;

const parsed = loadCatalog().parseStudySpec({ name: 'cells', searchSpace: 'nas-bench-201', accuracy: { method: 'table' }, objectives: [{ metric: 'accuracy' }], budget: { maxTrials: 1 } });
if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
const { definition } = parsed;
const { space } = studyProblem(definition);
const featured = featuresOf(definition, space);
const table = await readCells();
const data = await loadDataset(datasetSchema.parse(cifar === undefined ? { format: 'synthetic', size: 32, channels: 3, classes: 10, images: 320 } : { format: 'cifar10', directory: cifar }));

interface Cell {
  readonly code: string;
  readonly features: Features;
  readonly scores: Readonly<Record<string, number>>;
  readonly accuracy: number;
  readonly early: number;
}

const rng = Rng.of(1, 'bench/accuracy-model');
const pool: Cell[] = [];
const cpu = process.cpuUsage();
while (pool.length < cells) {
  const genes = space.fromUnit(Array.from({ length: space.dimension }, () => rng.next()));
  const point = completePoint(definition.space.parameters, space.decode(genes));
  const code = architectureCode(point);
  if (isDegenerate(code) || pool.some((c) => c.code === code)) continue;
  const graph = decode(definition.space, point, { numClasses: 10, inputChannels: 3 });
  const scores: Record<string, number> = {};
  for (const proxy of PROXIES) scores[proxy] = await proxyScore(proxy, { graph, data, batch: BATCH, seed: 1 });
  pool.push({ code, features: featured(genes), scores, accuracy: table['acc200_cifar10_test'][rowOf(code)]!, early: table['acc12_cifar10_val'][rowOf(code)]! });
}
const scored = process.cpuUsage(cpu);

interface Way {
  readonly name: string;
  readonly proxy?: ProxyName;
  /** values of the other study's cells */
  readonly values?: (cells: readonly Cell[], drawn: Rng) => readonly number[];
}
/** Models minimise. */
const early = (of: readonly Cell[]): number[] => of.map((c) => -c.early);
const WAYS: readonly Way[] = [
  { name: 'own trials alone' },
  ...PROXIES.map((proxy) => ({ name: `+ ${proxy}`, proxy })),
  { name: '+ another study', values: early },
  ...PROXIES.map((proxy) => ({ name: `+ another study + ${proxy}`, values: early, proxy })),
  { name: '+ a study with values shuffled', values: (of, drawn) => drawn.shuffle(early(of)) },
  { name: '+ a study that says the opposite', values: (of) => early(of).map((v) => -v) },
];

const withScore = ({ features, scores }: Cell, proxy: ProxyName | undefined): Features => (proxy === undefined ? features : { ...features, analytic: Float64Array.of(...features.analytic, Number.isFinite(scores[proxy]) ? scores[proxy]! : NaN) });

function judged({ values, proxy }: Way, drawn: Rng, n: number): { rmse: number; mae: number; rho: number; within: number; weight: number } {
  const shuffled = drawn.shuffle([...pool]);
  const [own, other, rest] = [shuffled.slice(0, n), shuffled.slice(OWN.at(-1)!, OWN.at(-1)! + OTHERS), shuffled.slice(OWN.at(-1)! + OTHERS)];
  const given = values?.(other, drawn);
  const shared = given && SharedModel.fit(other.map((c, i) => ({ features: withScore(c, proxy), value: given[i]!, group: 'other' })));
  const model = OutcomeModel.fit(own.map((c) => withScore(c, proxy)), own.map((c) => -c.accuracy), { shared });
  const deviations = model.deviations(0.95);
  const said = rest.map((c) => ({ ...model.predict(withScore(c, proxy)), due: -c.accuracy }));
  const mean = (of: (s: (typeof said)[number]) => number): number => said.reduce((sum, s) => sum + of(s), 0) / said.length;
  return {
    rmse: Math.sqrt(mean((s) => (s.mean - s.due) ** 2)), mae: mean((s) => Math.abs(s.mean - s.due)), rho: spearman(said.map((s) => s.mean), said.map((s) => s.due)),
    within: mean((s) => (Math.abs(s.mean - s.due) <= deviations * s.deviation ? 1 : 0)), weight: model.weight,
  };
}

const rows = WAYS.flatMap((way) => OWN.map((n) => {
  const draws = Array.from({ length: DRAWS }, (_, draw) => judged(way, Rng.of(draw, 'bench/accuracy-model/draw'), n));
  const mean = (of: keyof (typeof draws)[number]): number => draws.reduce((sum, d) => sum + d[of], 0) / DRAWS;
  return { way: way.name, own: n, rmse: mean('rmse'), mae: mean('mae'), spearman: mean('rho'), within: mean('within'), weight: mean('weight') };
}));

if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ cells, draws: DRAWS, data: data.name, rows }, null, 2)}\n`);
else {
  process.stdout.write(`${cells} cells, ${DRAWS} draws; images of scores: ${data.name}; ${((scored.user + scored.system) / 1e6 / cells / PROXIES.length).toFixed(2)} s of processor time a score\n`);
  for (const r of rows) process.stdout.write(`${r.way.padEnd(34)} ${String(r.own).padStart(2)} own: error ${r.rmse.toFixed(2)} (root mean square) ${r.mae.toFixed(2)} (mean), ρ ${r.spearman.toFixed(2)}, ${(100 * r.within).toFixed(0)} % within 90 % intervals${r.weight > 0 ? `, weight ${r.weight.toFixed(2)}` : ''}\n`);
}
