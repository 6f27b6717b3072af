/** Problems with known properties on which every optimizer is examined. */
import { createSearchSpace, type Genes, type Parameter, type SearchSpace } from '@app/space';
import type { Candidate, SearchProblem, Told } from '../contract.js';

type Outcome = Pick<Told, 'state' | 'objectives' | 'violations'>;

export interface Blackbox {
  readonly name: string;
  readonly problem: SearchProblem;
  evaluate(genes: Genes): Outcome;
}

const operations = ['none', 'skip', 'conv1', 'conv3'];
const cell: Parameter[] = Array.from({ length: 4 }, (_, i) => ({ name: `op${i}`, type: 'categorical', values: operations }));
const mixed: Parameter[] = [
  { name: 'x', type: 'float', min: -2, max: 2 },
  { name: 'lr', type: 'float', min: 1e-4, max: 1, scale: 'log' },
  { name: 'drop', type: 'float', min: 0, max: 0.5, step: 0.05 },
  { name: 'depth', type: 'int', min: 1, max: 4 },
  { name: 'width', type: 'ordinal', values: [8, 16, 32, 64], when: { depth: [2, 3, 4] } },
  { name: 'act', type: 'categorical', values: ['relu', 'hswish', 'gelu'] },
  { name: 'slope', type: 'float', min: 0, max: 1, when: { act: 'hswish' } },
];

/** m smooth objectives that pull to m different corners of the unit cube, categories taken as a fixed shuffle. */
function pulls(space: SearchSpace, m: number, genes: Genes): number[] {
  const u = space.toUnit(genes);
  return Array.from({ length: m }, (_, j) => {
    let sum = 0;
    space.parameters.forEach((p, i) => {
      const position = p.type === 'categorical' ? ((genes[i]! * 7 + 3 * j + i) % p.values.length) / p.values.length : u[i]!;
      sum += (position - (j + 1) / (m + 1 + (i % 2))) ** 2;
    });
    return sum;
  });
}

function box(name: string, parameters: readonly Parameter[], objectives: number, constraints: number, outcome?: (own: Outcome, genes: Genes) => Outcome, more: Partial<SearchProblem> = {}): Blackbox {
  const space = createSearchSpace(parameters);
  return {
    name,
    problem: { space, objectives, constraints, seed: 11, maxTrials: 60, ...more },
    evaluate(genes) {
      const f = pulls(space, objectives, genes);
      const g = Array.from({ length: constraints }, (_, k) => f[0]! - 0.8 - 0.3 * k);
      const own: Outcome = { state: g.some((v) => v > 0) ? 'infeasible' : 'completed', objectives: f, violations: g };
      return outcome ? outcome(own, genes) : own;
    },
  };
}

const hash = (genes: Genes): number => Math.abs(Math.round(genes.reduce((h, g) => (h * 31 + g * 1e4) % 9973, 17)));

export function mixedBox(objectives: number, constraints: number): Blackbox {
  return box(`mixed and conditional, ${objectives} objectives, ${constraints} constraints`, mixed, objectives, constraints);
}
export function cellBox(objectives: number): Blackbox {
  return box(`all categorical, ${objectives} objectives`, cell, objectives, 0);
}
export function continuousBox(): Blackbox {
  return box('continuous, one objective', [{ name: 'x', type: 'float', min: 0, max: 1 }, { name: 'y', type: 'float', min: -5, max: 5 }], 1, 0);
}
export function neverFeasibleBox(): Blackbox {
  return box('constraints never feasible', mixed, 2, 2, (own) => ({ ...own, state: 'infeasible', violations: own.violations.map((v) => Math.abs(v ?? 0) + 0.5) }));
}
/** A third of the points fails, others lack an objective or a violation. */
export function brokenBox(): Blackbox {
  return box('failures and partial results', mixed, 2, 1, (own, genes) => {
    const h = hash(genes) % 6;
    if (h < 2) return { state: 'failed', objectives: [null, null], violations: [null] };
    if (h === 2) return { ...own, objectives: [own.objectives[0]!, null] };
    if (h === 3) return { ...own, violations: [null] };
    if (h === 4 && own.state === 'infeasible') return { ...own, objectives: [null, own.objectives[1]!] };
    return own;
  });
}
export function allFailBox(): Blackbox {
  return box('everything fails', mixed, 2, 1, () => ({ state: 'failed', objectives: [null, null], violations: [null] }));
}
export function constantBox(): Blackbox {
  return box('all points equal', mixed, 2, 0, (own) => ({ ...own, objectives: [1, 1] }));
}
/** 1 + 3·2·… points, conditional: 27 in all. */
export function smallBox(objectives = 2): Blackbox {
  return box('small and conditional', [
    { name: 'a', type: 'int', min: 0, max: 2 },
    { name: 'b', type: 'categorical', values: ['u', 'v', 'w'] },
    { name: 'c', type: 'ordinal', values: [1, 2, 4, 8], when: { b: ['v', 'w'] } },
  ], objectives, 0);
}
export function singlePointBox(): Blackbox {
  return box('a single point', [{ name: 'a', type: 'int', min: 3, max: 3 }, { name: 'b', type: 'categorical', values: ['only'] }], 1, 0);
}

/**
 * The first objective and the limits are computed beforehand, the second objective is not. The limits are met by about half of the points
 * (`some`), one in two thousand, seldom one of the first 64 draws (`few`), or by none.
 */
export function computedBox(share: 'some' | 'few' | 'none'): Blackbox {
  const radius = { some: 0.45, few: 0.02, none: -1 }[share];
  const own = box(`limits computed beforehand, ${share} of the points meet them`, mixed, 2, 2);
  const { space } = own.problem;
  const computed = (genes: Genes): { objective: number; violations: number[] } => {
    const u = space.toUnit(genes);
    return { objective: pulls(space, 1, genes)[0]!, violations: [Math.abs(u[0]! - 0.7) - radius, Math.abs(u[1]! - 0.2) + (genes[5] === 2 ? 0.3 : 0) - 2 * Math.max(radius, 0.01)] };
  };
  return {
    ...own,
    problem: { ...own.problem, known: (genes) => ({ objectives: [computed(genes).objective, null], violations: computed(genes).violations }) },
    evaluate(genes) {
      const { objective, violations } = computed(genes);
      return { state: violations.some((g) => g > 0) ? 'infeasible' : 'completed', objectives: [objective, pulls(space, 2, genes)[1]!], violations };
    },
  };
}
/** 27 points, of which 7 meet a limit that is computed beforehand: those with b = u, and with a = 2 and b = w. */
export function computedSmallBox(): Blackbox {
  const own = smallBox();
  const violation = (genes: Genes): number => ((genes[0]! === 2 && genes[1]! === 2) || genes[1]! === 0 ? -1 : 1);
  return {
    ...own,
    name: 'small, limit computed beforehand',
    problem: { ...own.problem, constraints: 1, known: (genes) => ({ objectives: [null, null], violations: [violation(genes)] }) },
    evaluate: (genes) => ({ ...own.evaluate(genes), state: violation(genes) > 0 ? 'infeasible' : 'completed', violations: [violation(genes)] }),
  };
}

export function tell(blackbox: Blackbox, candidate: Candidate): Told {
  return { ...candidate, ...blackbox.evaluate(candidate.genes) };
}
