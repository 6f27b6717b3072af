import { OpFault } from '../errors.js';
import { UNARY, floatInitializer, singleNode, weightInitializer, type OnnxForm, type OnnxSite, type OpDefinition, type Weights } from '../op.js';
import { erf } from '../erf.js';
import { elements, expectPositive, tensor } from '../shape.js';
import type { ActivationFn, OpAttrs } from '../types.js';

const clamp01 = (x: number): number => Math.min(1, Math.max(0, x));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const DEFAULT_ALPHA: Partial<Record<ActivationFn, number>> = { 'leaky-relu': 0.01, elu: 1 };
const LEARNED_SLOPE = 'slope';

/** The scalar function; `alpha` is the slope or scale where there is one. `Math.max` lets NaN pass, as ONNX does. */
const FUNCTIONS: Record<ActivationFn, (x: number, alpha: number) => number> = {
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  hswish: (x) => x * clamp01(x / 6 + 0.5),
  hsigmoid: (x) => clamp01(x / 6 + 0.5),
  sigmoid,
  tanh: Math.tanh,
  silu: (x) => x * sigmoid(x),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  'leaky-relu': (x, alpha) => (x < 0 ? alpha * x : x),
  elu: (x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x),
  'prelu-shared': (x, alpha) => (x < 0 ? alpha * x : x),
  exp: Math.exp,
  sqrt: Math.sqrt,
  neg: (x) => -x,
  abs: Math.abs,
};

/** Scalar operations an element: comparisons, additions, products, and one for each exp, tanh, erf, division or root. */
const OPERATIONS: Record<ActivationFn, number> = {
  relu: 1, relu6: 2, hswish: 5, hsigmoid: 4, sigmoid: 3, tanh: 1, silu: 4, gelu: 5, 'leaky-relu': 2, elu: 3, 'prelu-shared': 2, exp: 1, sqrt: 1, neg: 1, abs: 1,
};

export function alphaOf(attrs: OpAttrs['activation'], weights?: Weights): number {
  if (attrs.fn === 'prelu-shared') return weights?.[LEARNED_SLOPE]?.data[0] ?? NaN;
  return attrs.alpha ?? DEFAULT_ALPHA[attrs.fn] ?? NaN;
}

/** Erf form of GELU: ONNX has the operator only from opset 20 on. */
function geluForm(id: string, x: string): OnnxForm {
  const at = (part: string): string => `${id}.${part}`;
  return {
    nodes: [
      { opType: 'Mul', inputs: [x, at('rsqrt2')], outputs: [at('scaled')] },
      { opType: 'Erf', inputs: [at('scaled')], outputs: [at('erf')] },
      { opType: 'Add', inputs: [at('erf'), at('one')], outputs: [at('twice_phi')] },
      { opType: 'Mul', inputs: [x, at('twice_phi')], outputs: [at('product')] },
      { opType: 'Mul', inputs: [at('product'), at('half')], outputs: [id] },
    ],
    initializers: [floatInitializer(at('rsqrt2'), [], [Math.SQRT1_2]), floatInitializer(at('one'), [], [1]), floatInitializer(at('half'), [], [0.5])],
  };
}

const FORMS: Record<ActivationFn, (site: OnnxSite<'activation'>) => OnnxForm> = {
  relu: (site) => singleNode(site, 'Relu'),
  relu6: (site) => singleNode(site, 'Clip', {}, [floatInitializer(`${site.id}.min`, [], [0]), floatInitializer(`${site.id}.max`, [], [6])]),
  hswish: (site) => singleNode(site, 'HardSwish'),
  hsigmoid: (site) => singleNode(site, 'HardSigmoid', { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  sigmoid: (site) => singleNode(site, 'Sigmoid'),
  tanh: (site) => singleNode(site, 'Tanh'),
  silu: ({ id, inputs: [x] }) => ({
    nodes: [
      { opType: 'Sigmoid', inputs: [x!.name], outputs: [`${id}.gate`] },
      { opType: 'Mul', inputs: [x!.name, `${id}.gate`], outputs: [id] },
    ],
    initializers: [],
  }),
  gelu: ({ id, inputs: [x] }) => geluForm(id, x!.name),
  'leaky-relu': (site) => singleNode(site, 'LeakyRelu', { alpha: { float: alphaOf(site.attrs) } }),
  elu: (site) => singleNode(site, 'Elu', { alpha: { float: alphaOf(site.attrs) } }),
  'prelu-shared': (site) => singleNode(site, 'PRelu', {}, [weightInitializer(site.id, LEARNED_SLOPE, site.weights)]),
  exp: (site) => singleNode(site, 'Exp'),
  sqrt: (site) => singleNode(site, 'Sqrt'),
  neg: (site) => singleNode(site, 'Neg'),
  abs: (site) => singleNode(site, 'Abs'),
};

/** Element-wise function. `alpha` belongs to leaky-relu (default 0.01) and elu (default 1) only; prelu-shared learns one slope. */
export const activation: OpDefinition<'activation'> = {
  arity: UNARY,
  inferShape: ({ fn, alpha }, [x]) => {
    if (!Object.hasOwn(FUNCTIONS, fn)) throw new OpFault(`expected fn to be one of ${Object.keys(FUNCTIONS).join(', ')}, got ${fn}`);
    if (alpha !== undefined && DEFAULT_ALPHA[fn] === undefined) throw new OpFault(`expected no alpha for ${fn}, got ${alpha}`);
    if (alpha !== undefined) expectPositive('alpha', alpha);
    return x!;
  },
  weights: ({ fn }) => (fn === 'prelu-shared' ? [{ name: LEARNED_SLOPE, shape: [1], trainable: true, init: 'prelu-slope', fanIn: 1 }] : []),
  work: ({ fn }, _inputs, output) => ({ macs: 0, elementOps: OPERATIONS[fn] * elements(output), madds: 0 }),
  evaluate: (attrs, [x], weights, output) => {
    const f = FUNCTIONS[attrs.fn];
    const alpha = alphaOf(attrs, weights);
    return tensor(output, x!.data.map((v) => f(v, alpha)));
  },
  onnx: (site) => FORMS[site.attrs.fn](site),
  label: ({ fn }) => fn,
};
