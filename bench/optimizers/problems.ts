/** The test problems of bench/data/optimizer-problems.json as search problems. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { cellFeatures } from '@app/decode';
import type { Known, SearchProblem, Told } from '@app/optim';
import { createSearchSpace, type Genes, type Parameter, type Point } from '@app/space';

export const BUDGETS = [50, 100, 200, 500, 1000] as const;

type Variable = readonly ['R' | 'I' | 'C', number, number];
type Body = (x: readonly number[], TABLE: (x: readonly number[]) => Readonly<Record<string, number>>) => { readonly f: number[]; readonly g: number[] };

interface Definition {
  readonly name: string;
  readonly group: string;
  readonly variables: readonly Variable[];
  readonly objectives: number;
  readonly constraints: number;
  /** several objectives: reference point, and hypervolume of the known front under it */
  readonly reference?: readonly number[];
  readonly hypervolume?: number;
  /** one objective: best known value */
  readonly best?: number;
  readonly body: string;
  /** [x, f, g] */
  readonly checks: readonly (readonly [number[], number[], number[]])[];
  /** solver → median at each budget */
  readonly anchors: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface TestProblem extends Definition {
  /** whether all but its first objective are costs of a network, that the service computes before a trial */
  readonly costed: boolean;
  /** f and g at a point of the variables */
  compute(x: readonly number[]): { readonly f: number[]; readonly g: number[] };
  /** The search problem of a run: its start design is the same for every optimizer. */
  problem(seed: number): SearchProblem;
  evaluate(genes: Genes): Pick<Told, 'state' | 'objectives' | 'violations'>;
}

/** All problems, in the order of the file. */
export function readProblems(): TestProblem[] {
  const file = JSON.parse(readFileSync(join(projectRoot(), 'bench/data/optimizer-problems.json'), 'utf8')) as { readonly prelude: string; readonly problems: readonly Definition[] };
  const cells = once(readCells);
  return file.problems.map((d) => testProblem(d, file.prelude, (x) => cells()(x)));
}

/**
 * Problems by name, group (mo, re, cmo, nas, so, …; a group includes those that begin with it and a hyphen) or beginning with a star, comma between.
 * @throws RangeError naming an entry that fits none
 */
export function chosenProblems(all: readonly TestProblem[], list: string): TestProblem[] {
  const wanted = list.split(',');
  const fits = (t: TestProblem, w: string): boolean => t.name === w || t.group === w || t.group.startsWith(`${w}-`) || (w.endsWith('*') && t.name.startsWith(w.slice(0, -1)));
  const idle = wanted.find((w) => !all.some((t) => fits(t, w)));
  if (idle !== undefined) throw new RangeError(`problems: expected names, groups (${[...new Set(all.map((t) => t.group))].join(', ')}) or a beginning with *, got ${idle}`);
  return all.filter((t) => wanted.some((w) => fits(t, w)));
}

function testProblem(definition: Definition, prelude: string, table: Parameters<Body>[1]): TestProblem {
  const { variables, objectives, constraints } = definition;
  // What the service gives of a cell.
  const costed = definition.body.includes('TABLE');
  const features = costed ? (point: Point): number[] => cellFeatures(variables.map((_, i) => point[`x${i}`]).join('')) : undefined;
  const space = createSearchSpace(variables.map(parameterOf), { features });
  // The bodies are our own data file, read as the formulas they are.
  const body = new Function('x', 'TABLE', `${prelude}\n${definition.body}`) as Body;
  const compute = (x: readonly number[]): { f: number[]; g: number[] } => body(x, table);
  return {
    ...definition,
    costed,
    compute,
    problem: (seed) => ({
      space, objectives, constraints, seed,
      start: startDesign(variables, seed).slice(0, objectives === 1 ? 1 : undefined).map((x) => space.encode(pointOf(x))),
    }),
    evaluate: (genes) => {
      const point = space.decode(genes);
      const { f, g } = compute(variables.map((_, i) => point[`x${i}`] as number));
      return { state: g.some((v) => v > 0) ? 'infeasible' : 'completed', objectives: f.map(finite), violations: g.map(finite) };
    },
  };
}

/** What a training takes, s. */
const TRAINING_SECONDS = 60;

/**
 * A costed problem as the service poses it: a trial tells the first objective alone, the other objectives and the constraints are computed
 * before, a trial is a training, and how many there will be is known.
 * @throws RangeError of a problem whose metrics are not costs
 */
export function computed(test: TestProblem, budget: number): TestProblem {
  if (!test.costed) throw new RangeError(`computed: expected a problem of networks, whose costs can be computed, got ${test.name}`);
  const { space } = test.problem(0);
  const seen = new Map<string, Known>();
  const known = (genes: Genes): Known => {
    const key = space.key(genes);
    let costs = seen.get(key);
    if (costs === undefined) {
      const { objectives, violations } = test.evaluate(genes);
      seen.set(key, (costs = { objectives: objectives.map((v, j) => (j === 0 ? null : v)), violations }));
    }
    return costs;
  };
  return { ...test, problem: (seed) => ({ ...test.problem(seed), known, secondsPerTrial: TRAINING_SECONDS, maxTrials: budget }) };
}

/** As the engine hands it on: what is not finite is not known. */
const finite = (v: number): number | null => (Number.isFinite(v) ? v : null);

const pointOf = (x: readonly number[]): Record<string, number> => Object.fromEntries(x.map((v, i) => [`x${i}`, v]));

function parameterOf([kind, min, max]: Variable, i: number): Parameter {
  const name = `x${i}`;
  if (kind === 'R') return { name, type: 'float', min, max };
  if (kind === 'I') return { name, type: 'int', min, max };
  return { name, type: 'categorical', values: Array.from({ length: max - min + 1 }, (_, k) => min + k) };
}

/**
 * Latin hypercube of min(2(n+1), 20) points that peers in other languages can draw alike: variable by variable a Fisher-Yates shuffle
 * from the end, then one draw a point within its stratum.
 */
export function startDesign(variables: readonly Variable[], seed: number): number[][] {
  const next = uniform((1000003 * seed + 12345) | 0);
  const k = Math.min(2 * (variables.length + 1), 20);
  const points = Array.from({ length: k }, (): number[] => []);
  for (const [kind, low, high] of variables) {
    const order = points.map((_, i) => i);
    for (let i = k - 1; i >= 1; i--) {
      const q = Math.floor(next() * (i + 1));
      [order[i], order[q]] = [order[q]!, order[i]!];
    }
    points.forEach((point, i) => {
      const u = (order[i]! + next()) / k;
      point.push(kind === 'R' ? low + u * (high - low) : Math.min(high, low + Math.floor(u * (high - low + 1))));
    });
  }
  return points;
}

/** Uniform on [0, 1) from 32 bits of state, easily written in any language. */
export function uniform(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rows of NAS-Bench-201 by the six operations; parameters in millions computed from the cell (73,306 + 243,040 a 3×3, 28,000 a 1×1 convolution). */
function readCells(): Parameters<Body>[1] {
  const lines = gunzipSync(readFileSync(join(projectRoot(), 'libs/train/data/nas-bench-201.csv.gz'))).toString('utf8').trimEnd().split('\n');
  const columns = lines.map((line) => {
    const [name, ...values] = line.split(',');
    return [name!, Float64Array.from(values, Number)] as const;
  });
  return (x) => {
    const row = x.reduce((r, digit) => 5 * r + digit, 0);
    const count = (digit: number): number => x.filter((d) => d === digit).length;
    return { ...Object.fromEntries(columns.map(([name, values]) => [name, values[row]!])), params_M: 0.073306 + 0.24304 * count(3) + 0.028 * count(2) };
  };
}

/** The nearest folder above this file, source or build, that has the data. */
export function projectRoot(): string {
  let dir = import.meta.dirname;
  while (!existsSync(join(dir, 'bench/data')) || !existsSync(join(dir, 'package.json'))) {
    if (dir === dirname(dir)) throw new Error(`expected a folder with bench/data above ${import.meta.dirname}, got none`);
    dir = dirname(dir);
  }
  return dir;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
