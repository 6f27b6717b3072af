import type { Step, StepKind } from './latency-steps.js';

/** One cause of time: `work` of a step in `unit`; the coefficient fitted for it is the time (s) or energy (J) of one unit. */
export interface Term {
  readonly id: string;
  readonly unit: 'inference' | 'launch' | 'MAC' | 'element' | 'row';
  readonly meaning: string;
  work(step: Step): number;
}

const macsOf = (kind: StepKind, when: (step: Step) => boolean = () => true) => (step: Step): number => (step.kind === kind && when(step) ? step.macs : 0);
const launchesOf = (...kinds: StepKind[]) => (step: Step): number => (kinds.includes(step.kind) ? 1 : 0);
const traffic = (step: Step): number => step.inputElements + step.outputElements;
const isConvolution = (step: Step): boolean => step.kind === 'dense' || step.kind === 'pointwise' || step.kind === 'depthwise' || step.kind === 'grouped';

/** Rows of taps a convolution gathers: one for each output row, input channel and tap. Short rows cost as much as long ones. */
const gatheredRows = (step: Step): number => (step.kind === 'dense' ? step.outHeight * step.inChannels * step.taps : 0);

/** Channels a kernel that works on four at a time leaves over. */
const misaligned = (step: Step): boolean => step.inChannels % 4 !== 0;

/** In a fixed order: a model holds one coefficient for each, most of them 0. */
export const TERMS: readonly Term[] = [
  { id: 'inference', unit: 'inference', meaning: 'starting one inference', work: () => 0 },
  { id: 'launchDense', unit: 'launch', meaning: 'starting a convolution with a window', work: launchesOf('dense', 'grouped') },
  { id: 'launchPointwise', unit: 'launch', meaning: 'starting a 1×1 convolution or linear layer', work: launchesOf('pointwise', 'linear') },
  { id: 'launchDepthwise', unit: 'launch', meaning: 'starting a depthwise convolution', work: launchesOf('depthwise') },
  { id: 'launchPool', unit: 'launch', meaning: 'starting a pooling', work: launchesOf('pool', 'globalPool') },
  { id: 'launchElementwise', unit: 'launch', meaning: 'starting an addition, product or copy', work: launchesOf('elementwise', 'copy') },
  { id: 'launchActivation', unit: 'launch', meaning: 'starting an activation or batch norm of its own', work: launchesOf('activation') },
  { id: 'macDense', unit: 'MAC', meaning: 'product of a convolution with a window', work: macsOf('dense') },
  { id: 'rowDense', unit: 'row', meaning: 'gathering one row of one tap of such a convolution', work: gatheredRows },
  { id: 'macPointwise', unit: 'MAC', meaning: 'product of a 1×1 convolution', work: macsOf('pointwise') },
  { id: 'macMisaligned', unit: 'MAC', meaning: 'extra for a product of a convolution whose input channels are no multiple of 4', work: (s) => ((s.kind === 'pointwise' || s.kind === 'dense') && misaligned(s) ? s.macs : 0) },
  { id: 'macDepthwise', unit: 'MAC', meaning: 'product of a depthwise convolution', work: macsOf('depthwise') },
  { id: 'macDepthwiseLarge', unit: 'MAC', meaning: 'extra for a product of a depthwise convolution beyond 3×3', work: macsOf('depthwise', (s) => s.taps > 9) },
  { id: 'macGrouped', unit: 'MAC', meaning: 'product of a grouped convolution', work: macsOf('grouped') },
  { id: 'macLinear', unit: 'MAC', meaning: 'product of a linear layer', work: macsOf('linear') },
  { id: 'tapPool', unit: 'element', meaning: 'one cell of one pooling window', work: (s) => (s.kind === 'pool' ? s.outputElements * s.taps : s.kind === 'globalPool' ? s.inputElements : 0) },
  { id: 'elementConvolution', unit: 'element', meaning: 'element read or written by a convolution', work: (s) => (isConvolution(s) ? traffic(s) : 0) },
  { id: 'outputConvolution', unit: 'element', meaning: 'output of a convolution over all channels (requantisation, bias, activation)', work: (s) => (s.kind === 'dense' || s.kind === 'pointwise' ? s.outputElements : 0) },
  { id: 'outputDepthwise', unit: 'element', meaning: 'output of a depthwise convolution', work: (s) => (s.kind === 'depthwise' ? s.outputElements : 0) },
  { id: 'outputLinear', unit: 'element', meaning: 'output of a linear layer', work: (s) => (s.kind === 'linear' ? s.outputElements : 0) },
  { id: 'elementElementwise', unit: 'element', meaning: 'element read or written by an addition or product', work: (s) => (s.kind === 'elementwise' ? traffic(s) : 0) },
  { id: 'elementActivation', unit: 'element', meaning: 'element read or written by an activation or batch norm of its own', work: (s) => (s.kind === 'activation' ? traffic(s) : 0) },
  { id: 'elementCopy', unit: 'element', meaning: 'element read or written by a copy, concatenation or resize', work: (s) => (s.kind === 'copy' ? traffic(s) : 0) },
  { id: 'weight', unit: 'element', meaning: 'weight read from its store', work: (s) => s.weightElements },
];

export const TERM_IDS: readonly string[] = TERMS.map((term) => term.id);

/** Work of a network in every term, [TERMS.length]; the first is one inference. */
export function workOfSteps(steps: readonly Step[]): Float64Array {
  const work = new Float64Array(TERMS.length);
  work[0] = 1;
  for (const step of steps) addWork(step, work);
  return work;
}

function addWork(step: Step, work: Float64Array): void {
  for (let k = 1; k < TERMS.length; k++) work[k]! += TERMS[k]!.work(step);
}

/** Work of each step in every term, [steps, TERMS.length] row-major; the first column is 0. */
export function workOfEachStep(steps: readonly Step[]): Float64Array {
  const work = new Float64Array(steps.length * TERMS.length);
  steps.forEach((step, i) => addWork(step, work.subarray(i * TERMS.length, (i + 1) * TERMS.length)));
  return work;
}
