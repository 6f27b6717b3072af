/** docs/optimizers.md and its plots, from the stored runs alone. */
import { median } from '@app/numeric';
import { plotLines, type Line } from './plot.js';
import { BUDGETS, type TestProblem } from './problems.js';
import { anchorStanding, common, commonSeeds, duel, profile, shortfall, standingOf, type Standing } from './standing.js';
import type { SolverRecord } from './store.js';
import type { FlynetFront } from './flynet-front.js';
import type { SuggestionTime } from './suggestion.js';
import { GROUPS, LADDER } from './trajectory.js';

export interface Page {
  readonly markdown: string;
  /** file name → SVG */
  readonly plots: Readonly<Record<string, string>>;
}

/** Peers of `bo`, and what they are. */
const PROCESSES = [['botorch_qlognehvi', "BoTorch's qLogNEHVI"], ['optuna_gp', "Optuna's Gaussian process"]] as const;
/** A solver with so many problems is a broad one; the others are compared on the problems they have. */
const BROAD = 30;
/** Problems that a plot's medians are over. */
const LEAST_SHARED = 3;
/** evaluations at which the cells are told */
const CELL_TRIALS = [50, 100, 200, 300] as const;
/** [evaluations, share] that are wanted there */
const CELL_MARKS = [[100, 0.95], [300, 0.99]] as const;
const ANCHORS: readonly (readonly [string, string])[] = [['NOMAD 4.5 ¹', 'nomad'], ['NSGA-II ¹', 'nsga2'], ['random ¹', 'random']];

export function optimizersPage(tests: readonly TestProblem[], own: readonly SolverRecord[], peers: readonly SolverRecord[], served: readonly SolverRecord[], suggestion: SuggestionTime | null, flynet: FlynetFront | null): Page {
  const several = tests.filter((t) => t.objectives > 1);
  const single = tests.filter((t) => t.objectives === 1);
  const standings = [...own.map((r) => standingOf(r, true, tests)), ...peers.map((r) => standingOf(r, false, tests)), ...ANCHORS.map(([name, key]) => anchorStanding(name, key, tests))];
  const plots: Record<string, string> = {};
  const measured = standings.filter((s) => common(several, [s], [LADDER[0]]).length > 0);
  const isBroad = (s: Standing): boolean => common(several, [s], [LADDER[0]]).length >= BROAD;
  const many = plot(several, measured.filter(isBroad));
  if (many) plots['optimizers.svg'] = many;
  for (const peer of measured.filter((s) => !s.own && !isBroad(s))) {
    const its = common(several, [peer], [LADDER[0]]);
    const beside = plot(its, [...measured.filter((s) => s.own && common(its, [s], [LADDER[0]]).length === its.length), peer]);
    if (beside) plots[`optimizers-${peer.solver}.svg`] = beside;
  }
  const text = [
    '# The optimizers beside their peers',
    '',
    `${tests.length} problems with known fronts or optima: ${several.length} with two or three objectives, ${single.length} with one; a third of them have constraints, integers or categories.`,
    'Every solver of several objectives starts from the same Latin hypercube of min(2(n+1), 20) points, of one objective from the same point, and is told',
    'nothing but variables and values; of the architecture cells (NAS201) our `bo` is given what the service gives it, counted from their wiring. Figures are',
    'medians over seeds, read off one run at each number of evaluations.',
    'Ours were tuned on these problems with small seeds: runs with seeds from 101 are ones that no tuning has seen.',
    'Written by one command from the stored runs, which two others make; every run is reproducible by its seed:',
    '',
    '```sh',
    'npm run bench:optimizers -- --algorithms auto,mads --seeds 10 --first-seed 101 --store  # ours → bench/data/optimizers.json',
    'npm run bench:peers && python bench/peers/run.py nomad --seeds 5                         # a peer → bench/data/peers/',
    'npm run bench:optimizers -- --docs                                                    # this page',
    '```',
    '',
    ...Object.keys(plots).flatMap((file) => [`![Share of the known hypervolume against evaluations: ${/-(.+)\.svg/.exec(file)?.[1] ?? 'solvers with most of the problems'}](${file})`, '']),
    '## Who was run',
    '',
    ...table(['solver', 'versions', 'problems', 'seeds', 'evaluations', 'ms a trial', 'settings'], [...own, ...peers].map(described)),
    '',
    '¹ Medians over 10 seeds that came with the problems (bench/data/optimizer-problems.json), measured on the same start designs.',
    '',
    ...(suggestion ? [suggested(suggestion), ''] : []),
    '## Several objectives: median share of the known hypervolume',
    '',
    `Solvers that have at least ${BROAD} of the problems at that number of evaluations, over those that all of them have.`,
    '',
    ...medians(several, standings),
    '',
    ...marks(several, standings),
    ...cells(several, own, served),
    ...(flynet ? flynetFront(flynet) : []),
    '## Problem by problem, ours against theirs',
    '',
    'On how many problems our median is nearer the best by more than 0.01, alike, or farther: better / alike / worse. Of one objective the',
    'distance is the error (f - f*) / max(1, |f*|), infinite while nothing is feasible.',
    '',
    '### Several objectives',
    '',
    ...duels(several, standings),
    '',
    '### One objective',
    '',
    ...duels(single, standings),
    '',
    '## One objective: data profiles',
    '',
    ...profiles(single, own, peers),
    '',
    '## Every problem',
    '',
    'Median at 100 · 500 · 1,000 evaluations; – not measured, ∞ nothing feasible.',
    '',
    '### Several objectives: share of the known hypervolume',
    '',
    ...problemTable(several, standings, (_, v) => (v === null ? '0' : v.toFixed(3))),
    '',
    '### One objective: error (f - f*) / max(1, |f*|)',
    '',
    ...problemTable(single, standings, (t, v) => brief(shortfall(t, v))),
    '',
  ];
  return { markdown: text.join('\n'), plots };
}

function described(r: SolverRecord): string[] {
  const runs = Object.values(r.runs);
  const versions = Object.entries(r.versions).map(([name, v]) => `${name} ${v}`).join(', ');
  const numbers = runs.flatMap((p) => p.seeds.map((s) => s.seed));
  const ms = median(runs.flatMap((p) => p.seeds.map((s) => s.ms)));
  return [r.solver, versions, String(runs.length), `${range(runs.map((p) => p.seeds.length))} (${range(numbers)})`, range(runs.map((p) => p.budget)), ms.toPrecision(2), r.note];
}

/** The cells with what the service computes told before a trial, beside the runs that have to learn it. */
function cells(tests: readonly TestProblem[], own: readonly SolverRecord[], served: readonly SolverRecord[]): string[] {
  const costed = tests.filter((t) => t.costed && served.some((r) => r.runs[t.name]));
  if (costed.length === 0) return [];
  const rows = served.flatMap((r) => {
    const learned = own.find((o) => o.solver === r.solver);
    return [{ record: r, told: true }, ...(learned ? [{ record: learned, told: false }] : [])].map(({ record, told }) => {
      const { at } = standingOf(record, true, tests);
      const cell = (t: TestProblem): string => CELL_TRIALS.map((b) => at(t.name, b)).map((v) => (v === undefined ? '–' : (v ?? 0).toFixed(3))).join(' · ');
      const runs = costed.flatMap((t) => record.runs[t.name] ?? []);
      const numbers = runs.flatMap((p) => p.seeds.map((s) => s.seed));
      return { shown: runs.length > 0, row: [`**${r.solver}** ${record.versions[r.solver]}`, told ? 'computed' : 'learned', `${range(runs.map((p) => p.seeds.length))} (${range(numbers)})`, ...costed.map(cell)] };
    });
  });
  return [
    '## Architecture cells as the service searches them', '',
    'A service that knows a network knows its cost before it trains it: latency and parameters, objectives as well as limits, are computed, a candidate that breaks a limit is never trained, and only the',
    'error is learned. Elsewhere on this page ours are told as little as the peers; here the rows *computed* are told what the service tells (`--computed`), the rows *learned* are those of the other tables.',
    `Median share of the known hypervolume at ${CELL_TRIALS.join(' · ')} evaluations; NAS201-2 has two objectives, NAS201-3 three, NAS201-2c two and two limits.`, '',
    ...table(['solver', 'costs', 'seeds', ...costed.map((t) => t.name)], rows.filter((r) => r.shown).map((r) => r.row)), '',
    ...served.flatMap((r) => {
      const { at } = standingOf(r, true, tests);
      const reached = CELL_MARKS.every(([b, share]) => costed.every((t) => (at(t.name, b) ?? 0) >= share));
      return reached ? [`\`${r.solver}\` has ${CELL_MARKS.map(([b, share]) => `at least ${share} at ${b}`).join(' and ')} evaluations on each.`] : [];
    }), '',
    '`npm run bench:optimizers -- --computed --algorithms auto,bo,mads --problems NAS201-2*,NAS201-3 --budget 300 --seeds 10 --first-seed 101 --store` makes them.', '',
  ];
}

function flynetFront({ devices, seeds, ladder, shares, rows, reference }: FlynetFront): string[] {
  const to = (trials: readonly (number | null)[]): string => shares.map((s, i) => `${s}: ${trials[i]?.toLocaleString('en') ?? '–'}`).join(' · ');
  return [
    '## FlyNet on three devices', '',
    `Four objectives: estimated accuracy, which a trial tells, and the latency on ${devices.join(', ')}, which may be computed before. Share of the hypervolume of the best front known (${reference.front.toLocaleString('en')} networks), of which`,
    `${reference.trials.toLocaleString('en')} trials of NSGA-II have ${reference.share.toFixed(3)} (trials to ${to(reference.trialsTo)}). Median of ${seeds} seeds; \`npm run bench:flynet-front -- --budget ${ladder.at(-1)} --store\`.`, '',
    ...table(['algorithm', ...ladder.map((b) => `${b.toLocaleString('en')} trials`), 'ms a trial'], rows.map((r) => [`**${r.algorithm}**`, ...r.shares.map((s) => s.toFixed(3)), r.ms.toPrecision(2)])),
    '',
  ];
}

function suggested({ points, variables, objectives, ours, botorch }: SuggestionTime): string {
  const theirs = botorch ? `; BoTorch ${botorch.versions['botorch']} takes ${botorch.seconds.toFixed(1)} s, ${Math.round(botorch.seconds / ours.first)} times as long` : '';
  return `One suggestion at ${points} points, ${variables} variables and ${objectives} objectives: \`bo\` takes ${ours.first.toFixed(2)} s of one core, models fitted from nothing, and ${ours.next.toFixed(2)} s at the next point${theirs}.`;
}

/** A run only gains: what its median reached earlier it has at 1,000 too. */
function besideNsga2(tests: readonly TestProblem[], auto: Standing, standings: readonly Standing[]): string {
  const rivals = standings.filter((s) => s.solver === 'nsga2' || s.solver === ANCHORS[1]![0]);
  const met = tests.filter((t) => auto.at(t.name, BUDGETS[0]) !== undefined && rivals.some((s) => s.at(t.name, 1000) !== undefined));
  const latest = (t: TestProblem): number => shortfall(t, auto.at(t.name, BUDGETS.filter((b) => auto.at(t.name, b) !== undefined).at(-1)!)!);
  const behind = met.filter((t) => rivals.some((s) => s.at(t.name, 1000) !== undefined && latest(t) > shortfall(t, s.at(t.name, 1000)!)));
  return `What \`auto\` has at 500 or 1,000 evaluations is no worse than NSGA-II at 1,000, ours and that of the figures ¹, on ${met.length - behind.length} of ${met.length} problems${behind.length === 0 ? '' : `; worse on ${behind.map((t) => t.name).join(', ')}`}.`;
}

/** `mads` beside the figures of NOMAD 4.5 that came with the problems, `bo` beside the Gaussian processes of others, and `auto` beside the best of all solvers. */
function marks(tests: readonly TestProblem[], standings: readonly Standing[]): string[] {
  const own = (solver: string): Standing | undefined => standings.find((s) => s.own && s.solver === solver);
  const [mads, auto, nomad] = [own('mads'), own('auto'), standings.find((s) => s.solver === ANCHORS[0]![0])!];
  const lines: string[] = [];
  if (mads) {
    const columns = sharedBy(tests, mads, nomad);
    const here = standings.find((s) => s.solver === 'nomad');
    const measuredHere = (t: TestProblem, b: number): string => {
      const value = here?.at(t.name, b);
      return typeof value === 'number' ? `, \`nomad\` run here from our start designs ${value.toFixed(3)}` : '';
    };
    const behind = columns.flatMap(({ b, shared }) => shared.filter((t) => shortfall(t, mads.at(t.name, b)!) - shortfall(t, nomad.at(t.name, b)!) > 0.02)
      .map((t) => `${t.name} at ${b} (${[mads.at(t.name, b), nomad.at(t.name, b)].map((v) => (v ?? 0).toFixed(3)).join(', NOMAD 4.5 ')}${measuredHere(t, b)})`));
    lines.push('`mads` beside NOMAD 4.5 ¹, over every problem that both have:', '', ...mediansBeside(tests, mads, nomad), '',
      behind.length === 0 ? 'It is on no problem more than 0.02 behind.' : `More than 0.02 behind: ${behind.join('; ')}.`, '');
  }
  for (const [solver, title] of PROCESSES) {
    const [bo, other] = [own('bo'), standings.find((s) => s.solver === solver)];
    if (bo && other && sharedBy(tests, bo, other).length > 0) lines.push(`\`bo\` beside ${title}, over every problem that both have:`, '', ...mediansBeside(tests, bo, other), '');
  }
  if (auto) {
    const rivals = standings.filter((s) => s !== auto);
    const pairs = tests.flatMap((t) => BUDGETS.filter((b) => auto.at(t.name, b) !== undefined).map((b) => {
      const best = Math.min(...rivals.map((s) => s.at(t.name, b)).filter((v) => v !== undefined).map((v) => shortfall(t, v)));
      return { t, b, gap: shortfall(t, auto.at(t.name, b)!) - best };
    }));
    const share = (b?: number): string => {
      const of = pairs.filter((p) => b === undefined || p.b === b);
      return of.length === 0 ? '–' : `${of.filter((p) => p.gap <= 0.01).length} of ${of.length}`;
    };
    const far = [...pairs].sort((a, b) => b.gap - a.gap).filter((p) => p.gap > 0.03).map(({ t, b, gap }) => `${t.name} at ${b} (${gap.toFixed(3)})`);
    lines.push('`auto` within 0.01 of the best solver of all, ours or a peer, by problem and number of evaluations:', '', ...table(['all', ...BUDGETS.map(String)], [[share(), ...BUDGETS.map(share)]]), '',
      ...(far.length === 0 ? [] : [`Farthest behind the best: ${far.join('; ')}.`, '']), besideNsga2(tests, auto, standings), '');
  }
  return lines.length === 0 ? [] : ['## The marks', '', ...lines];
}

/** Numbers of evaluations that two solvers have problems in common at. */
function sharedBy(tests: readonly TestProblem[], ...pair: readonly [Standing, Standing]): { readonly b: number; readonly shared: readonly TestProblem[] }[] {
  return BUDGETS.map((b) => ({ b, shared: common(tests, pair, [b]) })).filter((c) => c.shared.length > 0);
}

function mediansBeside(tests: readonly TestProblem[], ...pair: readonly [Standing, Standing]): string[] {
  const columns = sharedBy(tests, ...pair);
  const row = (s: Standing): string[] => [name(s), ...columns.map(({ b, shared }) => median(shared.map((t) => s.at(t.name, b) ?? 0)).toFixed(3))];
  return table(['solver', ...columns.map(({ b, shared }) => `${b} (${shared.length} problems)`)], pair.map(row));
}

/** Those with many problems; the anchors too. */
const broad = (tests: readonly TestProblem[], standings: readonly Standing[], evaluations: number): Standing[] =>
  standings.filter((s) => common(tests, [s], [evaluations]).length >= BROAD);

function medians(tests: readonly TestProblem[], standings: readonly Standing[]): string[] {
  const columns = BUDGETS.map((b) => {
    const solvers = broad(tests, standings, b);
    return { b, solvers, shared: common(tests, solvers, [b]) };
  });
  const rows = standings.filter((s) => columns.some((c) => c.solvers.includes(s))).map((s) => [
    name(s),
    ...columns.map(({ b, solvers, shared }) => (solvers.includes(s) ? median(shared.map((t) => s.at(t.name, b) ?? 0)).toFixed(3) : '–')),
  ]);
  return table(['solver', ...columns.map(({ b, shared }) => `${b} (${shared.length} problems)`)], rows);
}

function duels(tests: readonly TestProblem[], standings: readonly Standing[]): string[] {
  const rivals = standings.filter((s) => !s.own);
  const rows = standings.filter((s) => s.own).flatMap((s) => rivals.map((rival) => [
    name(s),
    rival.solver,
    ...BUDGETS.map((b) => {
      const d = duel(tests, s, rival, b);
      return d.problems === 0 ? '–' : `${d.better} / ${d.alike} / ${d.worse}`;
    }),
  ])).filter((row) => row.slice(2).some((cell) => cell !== '–'));
  return table(['ours', 'theirs', ...BUDGETS.map(String)], rows);
}

function profiles(tests: readonly TestProblem[], own: readonly SolverRecord[], peers: readonly SolverRecord[]): string[] {
  const all = [...own, ...peers].filter((r) => tests.filter((t) => r.runs[t.name]).length >= BROAD);
  const shared = tests.filter((t) => all.every((r) => r.runs[t.name]));
  const seeds = commonSeeds(shared, all);
  if (all.length === 0 || seeds.length === 0) return ['No two solvers have been run on enough problems with the same seeds.'];
  const rows = [1e-1, 1e-3, 1e-5].flatMap((tolerance) => all.map((r) => [String(tolerance), bold(r.solver, own.includes(r)), ...profile(shared, all, r, tolerance, seeds).map((v) => v.toFixed(2))]));
  return [
    `Share of ${shared.length} problems × ${seeds.length} seeds (${seeds.join(', ')}) solved to f ≤ f* + τ (f(x₀) − f*) within so many times n + 1 evaluations (Moré, Wild 2009). Past the end of a run its last value stands.`,
    '',
    ...table(['τ', 'solver', ...GROUPS.map(String)], rows),
  ];
}

function problemTable(tests: readonly TestProblem[], standings: readonly Standing[], show: (t: TestProblem, v: number | null) => string): string[] {
  const shown = standings.filter((s) => tests.some((t) => BUDGETS.some((b) => s.at(t.name, b) !== undefined)));
  const cell = (t: TestProblem, s: Standing): string => {
    const parts = [100, 500, 1000].map((b) => s.at(t.name, b)).map((v) => (v === undefined ? '–' : show(t, v)));
    return parts.every((p) => p === '–') ? '–' : parts.join(' · ');
  };
  return table(['problem', ...shown.map(name)], tests.map((t) => [t.name, ...shown.map((s) => cell(t, s))]));
}

/** Medians of solvers over the problems that all of them have. */
function plot(tests: readonly TestProblem[], run: readonly Standing[]): string | null {
  const shared = common(tests, run, [LADDER[0]]);
  if (run.length === 0 || shared.length < LEAST_SHARED) return null;
  const lines = run.map((s): Line => ({
    name: s.solver,
    own: s.own,
    points: LADDER.filter((b) => shared.every((t) => s.at(t.name, b) !== undefined)).map((b) => [b, Number(median(shared.map((t) => s.at(t.name, b) ?? 0)).toFixed(4))]),
  }));
  return plotLines(`median over ${shared.length} problems with several objectives`, lines);
}

function range(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? String(low) : `${low}–${high}`;
}

const bold = (text: string, own: boolean): string => (own ? `**${text}**` : text);
const name = (s: Standing): string => bold(s.solver, s.own);
const brief = (v: number): string => (v === Infinity ? '∞' : v < 1e-9 ? '0' : v >= 0.001 && v < 1000 ? String(Number(v.toPrecision(2))) : v.toExponential(0));

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
