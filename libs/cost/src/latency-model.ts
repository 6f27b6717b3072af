import type { Graph } from '@app/graph';
import type { RuntimeRules } from './latency-rules.js';
import { stepsOf, type Step } from './latency-steps.js';
import { TERM_IDS, TERMS, workOfEachStep, workOfSteps } from './latency-terms.js';
import type { FittedModel, LayerCost } from './types.js';

export interface StepPrice {
  readonly id: string;
  readonly value: number;
  readonly bound: Exclude<LayerCost['bound'], 'free'>;
}

export interface FittedPrice {
  /** s or J */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly steps: readonly StepPrice[];
  /** in what respect the network lies outside what the model was fitted on; empty: inside */
  readonly outside: readonly string[];
}

/** How far beyond the fitted sizes a network may lie before that is worth a warning. */
const SIZE_SLACK = 1.5;

/** What a fitted model says of a network: Σ terms coefficient · work, with the interval of cross-validation. */
export function fittedPrice(graph: Graph, model: FittedModel, uncertainty: number): FittedPrice {
  const { steps, work, total, extent } = workOfNetwork(graph, model.runtime);
  const coefficients = coefficientVector(model);
  const value = priceOfWork(total, coefficients);
  const outside = outsideOf(extent, model.range);
  const { low, high } = intervalOf(model, uncertainty, outside.length > 0);
  return { value, low: value * low, high: value * high, steps: steps.map((step, i) => priceStep(step.id, work, i * TERMS.length, coefficients)), outside };
}

/** s or J of a network's work, both [TERMS.length] */
export function priceOfWork(work: Float64Array, coefficients: Float64Array): number {
  let value = 0;
  for (let k = 0; k < coefficients.length; k++) value += coefficients[k]! * work[k]!;
  return value;
}

/** 90 % of measurements lie from value · low to value · high. */
export function intervalOf({ interval }: FittedModel, uncertainty: number, outside: boolean): FittedModel['interval'] {
  return outside ? { low: Math.min(interval.low, 1 / (1 + uncertainty)), high: Math.max(interval.high, 1 + uncertainty) } : interval;
}

/**
 * The price of each layer, [layers.length]: its own kernels, those of followers that have no layer (a batch norm that runs on its own),
 * and of the rest (starting the inference, operators that the plan drops) its share.
 */
export function spreadOver(graph: Graph, layers: readonly LayerCost[], { value, steps }: FittedPrice): Pick<StepPrice, 'value' | 'bound'>[] {
  const at = new Map(layers.map((l, k) => [l.node, k]));
  const byId = new Map(graph.nodes.map((node) => [node.id, node]));
  const own = layers.map(() => 0);
  const largest = layers.map((): { value: number; bound: StepPrice['bound'] } | null => null);
  let placed = 0;
  for (const step of steps) {
    let id: string | undefined = step.id;
    while (id !== undefined && !at.has(id)) id = byId.get(id)?.inputs[0];
    if (id === undefined) continue;
    const k = at.get(id)!;
    own[k]! += step.value;
    placed += step.value;
    if (step.value > (largest[k]?.value ?? 0)) largest[k] = step;
  }
  const working = layers.filter((l) => l.bound !== 'free').length;
  return layers.map((layer, k) => ({
    value: placed > 0 ? (own[k]! * value) / placed : layer.bound === 'free' ? 0 : value / working,
    bound: largest[k]?.bound ?? (layer.bound === 'free' ? 'overhead' : layer.bound),
  }));
}

/** [TERMS.length] */
export function coefficientVector(model: FittedModel): Float64Array {
  const x = new Float64Array(TERMS.length);
  for (const { term, value } of model.coefficients) {
    const k = TERM_IDS.indexOf(term);
    if (k >= 0) x[k] = value;
  }
  return x;
}

const PARTS = TERMS.map(({ unit }) => (unit === 'launch' || unit === 'inference' ? 0 : unit === 'MAC' ? 1 : 2));

function priceStep(id: string, work: Float64Array, at: number, coefficients: Float64Array): StepPrice {
  let [overhead, compute, memory] = [0, 0, 0];
  for (let k = 1; k < coefficients.length; k++) {
    const cost = coefficients[k]! * work[at + k]!;
    if (PARTS[k] === 0) overhead += cost;
    else if (PARTS[k] === 1) compute += cost;
    else memory += cost;
  }
  return { id, value: overhead + compute + memory, bound: overhead >= compute && overhead >= memory ? 'overhead' : compute >= memory ? 'compute' : 'memory' };
}

/** In what respect a network lies outside what a model was fitted on; empty: inside. */
export function outsideOf(extent: FittedModel['range'], range: FittedModel['range']): string[] {
  const outside: string[] = [];
  const [macs] = extent.macs;
  const [smallest, largest] = range.macs;
  if (isOtherSize(macs, range)) outside.push(`${count(macs)} MACs, fitted on ${count(smallest)} to ${count(largest)}`);
  for (const [kind, taps] of Object.entries(extent.taps)) {
    const seen = range.taps[kind];
    if (seen === undefined) outside.push(`${kind} operators, none among the networks fitted on`);
    else if (taps > seen) outside.push(`${kind} windows of ${taps} cells, fitted on at most ${seen}`);
  }
  return outside;
}

export function isOtherSize(macs: number, { macs: [smallest, largest] }: FittedModel['range']): boolean {
  return macs > largest * SIZE_SLACK || macs < smallest / SIZE_SLACK;
}

/** What `outsideOf` asks for, of all networks of a fit. */
export function rangeOf(networks: Iterable<readonly Step[]>): FittedModel['range'] {
  const taps: Record<string, number> = {};
  let [smallest, largest] = [Infinity, 0];
  for (const steps of networks) {
    let macs = 0;
    for (const step of steps) {
      macs += step.macs;
      taps[step.kind] = Math.max(taps[step.kind] ?? 0, step.taps);
    }
    smallest = Math.min(smallest, macs);
    largest = Math.max(largest, macs);
  }
  return { macs: [smallest, largest], taps };
}

const count = (n: number): string => (n >= 1e6 ? `${Number((n / 1e6).toPrecision(3))} M` : String(n));

export interface NetworkWork {
  readonly steps: readonly Step[];
  /** [steps, TERMS.length] */
  readonly work: Float64Array;
  /** of all steps and the inference, [TERMS.length] */
  readonly total: Float64Array;
  readonly extent: FittedModel['range'];
}

/** Steps of a graph by runtime. A graph is a value that never changes, and one network is priced on many devices. */
const remembered = new WeakMap<Graph, Map<string, NetworkWork>>();

/** What a runtime with these rules runs for a network, once a graph. */
export function workOfNetwork(graph: Graph, rules: RuntimeRules): NetworkWork {
  let ofGraph = remembered.get(graph);
  if (ofGraph === undefined) remembered.set(graph, (ofGraph = new Map()));
  const key = `${rules.zeros} ${rules.merge} ${rules.fusion}`;
  let known = ofGraph.get(key);
  if (known === undefined) {
    const steps = stepsOf(graph, rules);
    ofGraph.set(key, (known = { steps, work: workOfEachStep(steps), total: workOfSteps(steps), extent: rangeOf([steps]) }));
  }
  return known;
}
