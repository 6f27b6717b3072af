import type { Known } from '@app/optim';
import type { Genes, SearchSpace } from '@app/space';
import type { AccuracyEvaluator } from './accuracy.js';
import { costingOf } from './costing.js';
import { computedMetrics } from './evaluate.js';
import { hasNoNetwork } from './no-network.js';
import { objectiveValues, violationValues, type StudyTerms } from './problem.js';
import type { StudyDefinition } from './records.js';

/** Points whose values are remembered at a time; a few hundred bytes each. */
const REMEMBERED = 20_000;

/**
 * What decoding and pricing tell of a point before any evaluation: device metrics, parameters, multiply-accumulates; exactly as they will be told.
 * What the evaluator answers, be it measured or from a table, is not among it. A point that can't be decoded is not known; its trial says why.
 *
 * @returns undefined: no objective and no limit of the study can be computed
 */
export function knownOf(definition: StudyDefinition, terms: StudyTerms, space: SearchSpace, evaluator: Pick<AccuracyEvaluator, 'metrics'>): ((genes: Genes) => Known) | undefined {
  const answered = new Set(evaluator.metrics);
  const computable = (key: string, target: string | null): boolean => !answered.has(key) && (target !== null || key === 'macs' || key === 'params');
  if (definition.space.family === 'none' || ![...terms.objectives, ...terms.constraints].some((t) => computable(t.key, t.target))) return undefined;
  const nothing: Known = { objectives: terms.objectives.map(() => null), violations: terms.constraints.map(() => null) };
  const finite = (values: readonly (number | null)[]): (number | null)[] => values.map((v) => (v !== null && Number.isFinite(v) ? v : null));
  const compute = (genes: Genes): Known => {
    try {
      const network = costingOf(definition).network(space.decode(genes));
      const metrics = Object.fromEntries(Object.entries(computedMetrics({ definition, terms, evaluator }, () => network)).filter(([key]) => !answered.has(key)));
      return { objectives: finite(objectiveValues(terms, metrics)), violations: finite(violationValues(terms, metrics)) };
    } catch (error) {
      if (hasNoNetwork(error)) return nothing;
      throw error;
    }
  };
  const remembered = new Map<string, Known>();
  return (genes) => {
    const key = space.key(genes);
    const known = remembered.get(key);
    if (known) return known;
    if (remembered.size >= REMEMBERED) remembered.clear();
    const fresh = compute(genes);
    remembered.set(key, fresh);
    return fresh;
  };
}
