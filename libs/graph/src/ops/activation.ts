import { OpFault } from '../errors.js';
import { UNARY, floatInitializer, singleNode, weightInitializer, type Differentiated, type OnnxForm, type OnnxSite, type OpDefinition, type TapeSite, type Weights } from '../op.js';
import { erf } from '../erf.js';
import { elements, expectPositive, tensor } from '../shape.js';
import { add, div, exp, min, mul, neg, reshape, scale, shift, sigmoid as sigmoidOf, sqrt, step, sub, sum } from '../tape/arithmetic.js';
import type { Tape, Value } from '../tape/tape.js';
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

type Slope = (tape: Tape, x: Value, y: Value, alpha: number) => Value;

/** Slope of a hard function between its corners: 1 for low < x ≤ high, else 0. */
const between = (t: Tape, x: Value, low: number, high: number): Value => sub(t, step(t, shift(t, x, -low)), step(t, shift(t, x, -high)));

/** y's derivative by x. */
const SLOPES: Record<Exclude<ActivationFn, 'prelu-shared'>, Slope> = {
  relu: (t, x) => step(t, x),
  relu6: (t, x) => between(t, x, 0, 6),
  // v = (2x + 3) / 6 between the corners −3 and 3, where v is −½ and 1½; 0 before and 1 behind
  hswish: (t, x) => {
    const v = shift(t, scale(t, x, 1 / 3), 0.5);
    return sub(t, t.op('ThresholdedRelu', [v], v.shape, { alpha: { float: -0.5 } }), t.op('ThresholdedRelu', [shift(t, v, -1)], v.shape, { alpha: { float: 0.5 } }));
  },
  hsigmoid: (t, x) => scale(t, between(t, x, -3, 3), 1 / 6),
  sigmoid: (t, _x, y) => sub(t, y, mul(t, y, y)),
  tanh: (t, _x, y) => sub(t, t.scalar(1), mul(t, y, y)),
  // s + y·(1 − s)
  silu: (t, x, y) => {
    const s = sigmoidOf(t, x);
    return add(t, s, sub(t, y, mul(t, y, s)));
  },
  // Φ(x) + x·φ(x)
  gelu: (t, x) => add(t, normalShare(t, x), mul(t, x, scale(t, exp(t, scale(t, mul(t, x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI)))),
  'leaky-relu': (t, x, _y, alpha) => shift(t, scale(t, step(t, x), 1 - alpha), alpha),
  // 1 or alpha·exp(x) = y + alpha
  elu: (t, x, y, alpha) => add(t, step(t, x), mul(t, step(t, neg(t, x)), shift(t, y, alpha))),
  exp: (_t, _x, y) => y,
  sqrt: (t, _x, y) => div(t, t.scalar(0.5), y),
  neg: (t) => t.scalar(-1),
  abs: (t, x) => sub(t, step(t, x), step(t, neg(t, x))),
};

/** Φ(x), the normal distribution function. */
const normalShare = (t: Tape, x: Value): Value => scale(t, shift(t, t.op('Erf', [scale(t, x, Math.SQRT1_2)], x.shape), 1), 0.5);

const VALUES: Record<Exclude<ActivationFn, 'prelu-shared'>, (tape: Tape, x: Value, alpha: number) => Value> = {
  relu: (t, x) => t.op('Relu', [x], x.shape),
  relu6: (t, x) => t.op('Clip', [x, t.scalar(0), t.scalar(6)], x.shape),
  hswish: (t, x) => t.op('HardSwish', [x], x.shape),
  hsigmoid: (t, x) => t.op('HardSigmoid', [x], x.shape, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  sigmoid: sigmoidOf,
  tanh: (t, x) => t.op('Tanh', [x], x.shape),
  silu: (t, x) => mul(t, x, sigmoidOf(t, x)),
  gelu: (t, x) => mul(t, x, normalShare(t, x)),
  'leaky-relu': (t, x, alpha) => t.op('LeakyRelu', [x], x.shape, { alpha: { float: alpha } }),
  elu: (t, x, alpha) => t.op('Elu', [x], x.shape, { alpha: { float: alpha } }),
  exp,
  sqrt,
  neg,
  abs: (t, x) => t.op('Abs', [x], x.shape),
};

/** One slope for all elements that are below 0; its gradient is Σ dy·min(x, 0). */
function learnedSlope({ tape: t, inputs: [x], weights }: TapeSite<'activation'>): Differentiated {
  const slope = weights[LEARNED_SLOPE]!;
  return {
    output: t.op('PRelu', [x!, slope], x!.shape),
    backward: (dy) => {
      const share = add(t, step(t, x!), mul(t, sub(t, t.scalar(1), step(t, x!)), slope));
      const below = mul(t, dy, min(t, x!, t.scalar(0)));
      return { inputs: [mul(t, dy, share)], weights: { [LEARNED_SLOPE]: reshape(t, sum(t, below, x!.shape.map((_, i) => i)), [1]) } };
    },
  };
}

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
  differentiate: (site) => {
    const { tape, attrs, inputs: [x] } = site;
    if (attrs.fn === 'prelu-shared') return learnedSlope(site);
    const { fn } = attrs;
    const alpha = alphaOf(attrs);
    const y = VALUES[fn](tape, x!, alpha);
    return { output: y, backward: (dy) => ({ inputs: [mul(tape, dy, SLOPES[fn](tape, x!, y, alpha))] }) };
  },
  label: ({ fn }) => fn,
};
