import type { ActivationFn } from '@app/graph';
import type { Operator } from './operators-layers.js';
import { Unsupported, tensorOf, type Scope } from './scope.js';

const activation = (fn: ActivationFn): Operator => (scope) => scope.define(scope.activation(fn, scope.x()));

const binary = (kind: 'add' | 'sub' | 'maximum'): Operator => (scope) => scope.define(scope.add(kind, [scope.x(0), scope.x(1)], {}));

/** Max and Sum take any number of inputs. */
const chain = (kind: 'add' | 'maximum'): Operator => (scope) => {
  let result = scope.x(0);
  for (let i = 1; i < scope.node.inputs.length; i++) result = scope.add(kind, [result, scope.x(i)], {});
  scope.define(result);
};

function mul(scope: Scope): void {
  for (const [x, factor] of [[0, 1], [1, 0]] as const) {
    const stored = scope.constant(factor);
    if (stored !== null && stored.data.length === 1 && stored.shape.length <= scope.shape(x).length && stored.data[0] === 0) {
      return scope.define(scope.add('zeros', [scope.x(x)], {}));
    }
  }
  scope.define(scope.add('mul', [scope.x(0), scope.x(1)], {}));
}

/** Division by stored values is a product with their reciprocals. */
function div(scope: Scope): void {
  const { shape, data } = scope.stored(1, 'the divisor');
  const reciprocal = scope.add('constant', [], { shape }, { value: { shape, data: Float32Array.from(data, (v) => 1 / v) } });
  scope.define(scope.add('mul', [scope.x(0), reciprocal], {}));
}

function pow(scope: Scope): void {
  const exponent = scope.stored(1, 'the exponent');
  if (exponent.data.length === 1 && exponent.data[0] === 2) return scope.define(scope.add('mul', [scope.x(), scope.x()], {}));
  if (exponent.data.length === 1 && exponent.data[0] === 0.5) return scope.define(scope.activation('sqrt', scope.x()));
  throw new Unsupported('a power other than 2 and ½', scope.shape());
}

function clip(scope: Scope): void {
  const bound = (name: string, index: number, fallback: number): number => (scope.has(index) ? scope.stored(index, name).data[0]! : scope.number(name, fallback));
  const low = bound('min', 1, -Infinity);
  const high = bound('max', 2, Infinity);
  if (low === 0 && high === 6) return scope.define(scope.activation('relu6', scope.x()));
  let y = scope.x();
  if (low === 0) y = scope.activation('relu', y);
  else if (low > -3e38) y = scope.add('maximum', [y, scope.scalar(low)], {});
  if (high < 3e38) y = scope.activation('neg', scope.add('maximum', [scope.activation('neg', y), scope.scalar(-high)], {}));
  scope.define(y === scope.x() ? scope.add('identity', [y], {}) : y);
}

/** max(0, min(1, αx + β)): with the usual slope our own op, else by way of ReLU6. */
function hardSigmoid(scope: Scope): void {
  const alpha = scope.number('alpha', 0.2);
  const beta = scope.number('beta', 0.5);
  if (Math.abs(alpha - 1 / 6) < 1e-4 && beta === 0.5) return scope.define(scope.activation('hsigmoid', scope.x()));
  const scaled = scope.add('mul', [scope.x(), scope.scalar(6 * alpha)], {});
  const clipped = scope.activation('relu6', scope.add('add', [scaled, scope.scalar(6 * beta)], {}));
  scope.define(scope.add('mul', [clipped, scope.scalar(1 / 6)], {}));
}

/** One learned slope is our own op; one per channel is relu(x) − slope · relu(−x). */
function prelu(scope: Scope): void {
  const slope = scope.stored(1, 'the slope');
  if (slope.data.length === 1) return scope.define(scope.add('activation', [scope.x()], { fn: 'prelu-shared' }, { slope: tensorOf(slope, [1]) }));
  const negative = scope.activation('relu', scope.activation('neg', scope.x()));
  scope.define(scope.add('sub', [scope.activation('relu', scope.x()), scope.add('mul', [negative, scope.x(1)], {})], {}));
}

function gelu(scope: Scope): void {
  if (scope.text('approximate', 'none') !== 'none') throw new Unsupported('GELU by tanh', scope.shape());
  scope.define(scope.activation('gelu', scope.x()));
}

const identity: Operator = (scope) => scope.define(scope.add('identity', [scope.x()], {}));

/** Softmax along one axis; before opset 13 over all axes from `axis` on, seen as one. */
function softmax(scope: Scope): void {
  const x = scope.shape();
  const axis = scope.number('axis', scope.opset >= 13 ? -1 : 1);
  const at = axis < 0 ? axis + x.length : axis;
  if (scope.opset >= 13 || at === x.length - 1) return scope.define(scope.add('softmax', [scope.x()], { axis }));
  const rows = x.slice(0, at).reduce((a, b) => a * b, 1);
  const flat = scope.add('reshape', [scope.x()], { shape: [rows, -1] });
  scope.define(scope.add('reshape', [scope.add('softmax', [flat], { axis: 1 })], { shape: x }));
}

/**
 * Activations and arithmetic. Rounding to integers and back on activations (QuantizeLinear, DequantizeLinear) passes the value
 * on, so a quantised model is priced by its operators and computes without the rounding.
 */
export const ELEMENTWISE: Readonly<Record<string, Operator>> = {
  Relu: activation('relu'),
  HardSwish: activation('hswish'),
  Sigmoid: activation('sigmoid'),
  Tanh: activation('tanh'),
  Silu: activation('silu'),
  Swish: activation('silu'),
  Exp: activation('exp'),
  Sqrt: activation('sqrt'),
  Neg: activation('neg'),
  Abs: activation('abs'),
  LeakyRelu: (scope) => scope.define(scope.activation('leaky-relu', scope.x(), scope.number('alpha', 0.01))),
  Elu: (scope) => scope.define(scope.activation('elu', scope.x(), scope.number('alpha', 1))),
  Gelu: gelu,
  PRelu: prelu,
  Clip: clip,
  HardSigmoid: hardSigmoid,
  Add: binary('add'),
  Sub: binary('sub'),
  Mul: mul,
  Div: div,
  Pow: pow,
  Max: chain('maximum'),
  Sum: chain('add'),
  Softmax: softmax,
  Identity: identity,
  Dropout: identity,
  QuantizeLinear: identity,
  DequantizeLinear: identity,
  Cast: (scope) => {
    const to = scope.number('to', 1);
    if (![1, 10, 11, 16].includes(to)) throw new Unsupported('a cast of an activation to a type other than float', scope.shape());
    identity(scope);
  },
};
