import { isPieced } from '@app/graph';
import type { Genes, Point, SearchSpace } from '@app/space';
import { costingOf } from './costing.js';
import type { Features } from './outcome-kernel.js';
import type { StudyDefinition } from './records.js';

/** Categories above which a parameter is taken by its position. */
const MOST_CATEGORIES = 32;

/** Genes in the unit cube, [d]; categories one-hot. */
export function codeOf(space: SearchSpace): (genes: Genes) => Float64Array {
  const hot = space.parameters.map((p) => (p.type === 'categorical' && p.values.length > 2 && p.values.length <= MOST_CATEGORIES ? p.values.length : 0));
  // two categories are as far apart as the ends of a range
  return (genes) => Float64Array.from([...space.toUnit(genes)].flatMap((u, i) => (hot[i] === 0 ? [u] : Array.from({ length: hot[i]! }, (_, k) => (Math.floor(u * hot[i]!) === k ? Math.SQRT1_2 : 0)))));
}

/** Logarithms of multiply-accumulates, parameters and layers of a point's network, [3]; [0] where points have none. @throws DecodeError, GraphError */
export function analyticOf(definition: StudyDefinition, point: Point): Float64Array {
  if (definition.space.family === 'none') return new Float64Array(0);
  const network = costingOf(definition).network(point);
  const { macs, params } = costingOf(definition).price(network, []);
  const layers = isPieced(network) ? network.sections.reduce((sum, { pieces }) => pieces.reduce((more, { operators }) => more + operators, sum), 0) : network.nodes.length;
  return Float64Array.of(Math.log(macs + 1), Math.log(params + 1), Math.log(layers + 1));
}

/** Points in the form a model takes: their code, and what is computed of their network. */
export function featuresOf(definition: StudyDefinition, space: SearchSpace): (genes: Genes) => Features {
  const code = codeOf(space);
  return (genes) => ({ genes: code(genes), analytic: analyticOf(definition, space.decode(genes)) });
}
