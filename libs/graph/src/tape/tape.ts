import { OpFault } from '../errors.js';
import type { OnnxAttribute, OnnxInitializer, OnnxNodeForm } from '../op.js';
import { elements, sameShape, showShape } from '../shape.js';
import type { Shape } from '../types.js';

/** A tensor of a program, by name. Static shape; float unless an operator says otherwise (indices and masks stay inside one rule). */
export interface Value {
  readonly name: string;
  readonly shape: Shape;
}

/** Operators a program is made of: inference operators of ONNX (opset 17), plus FusedMatMul of onnxruntime, which transposes for nothing. */
export const TAPE_OPS = [
  'Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Equal', 'Exp', 'Log', 'Sqrt', 'Tanh', 'Erf', 'Relu', 'Abs', 'Neg', 'Round', 'Clip',
  'LeakyRelu', 'Elu', 'PRelu', 'HardSigmoid', 'HardSwish', 'ThresholdedRelu', 'Identity', 'Cast', 'MatMul', 'FusedMatMul', 'Conv', 'ConvTranspose', 'MaxPool', 'AveragePool',
  'ScatterElements', 'ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'Reshape', 'Transpose', 'Concat', 'Slice', 'Split', 'Pad', 'Expand', 'Softmax',
  'LogSoftmax', 'BatchNormalization',
] as const;
export type TapeOp = (typeof TAPE_OPS)[number];

export interface TapeNode extends OnnxNodeForm {
  readonly opType: TapeOp;
}

/** Straight-line tensor program, as plain data: what a training step is before it becomes ONNX. */
export interface Program {
  readonly name: string;
  readonly inputs: readonly Value[];
  /** role → tensor of the program that plays it */
  readonly outputs: Readonly<Record<string, Value>>;
  readonly nodes: readonly TapeNode[];
  readonly constants: readonly OnnxInitializer[];
}

const CONTRIB = 'com.microsoft';

/** Writes a program operator by operator, working out shapes where they don't go without saying. */
export class Tape {
  readonly #inputs: Value[] = [];
  readonly #nodes: TapeNode[] = [];
  readonly #constants = new Map<string, OnnxInitializer>();
  /** what an operator with these inputs and attributes gave before */
  readonly #known = new Map<string, readonly Value[]>();
  /** of a value that is another one in a new shape: that other one */
  readonly #reshaped = new Map<string, Value>();
  #count = 0;

  input(name: string, shape: Shape): Value {
    const value = { name, shape };
    this.#inputs.push(value);
    return value;
  }

  /** @throws OpFault unless there are as many values as the shape says */
  constant(shape: Shape, values: ArrayLike<number>): Value {
    if (values.length !== elements(shape)) throw new OpFault(`expected ${elements(shape)} values for shape ${showShape(shape)}, got ${values.length}`);
    const data = Float32Array.from(values);
    // numbers and constant fills are shared: most rules need the same few
    const even = data.length > 0 && data.every((v) => v === data[0]);
    const name = even ? `fill.${shape.join('x')}:${data[0]}` : `const.${this.#constants.size}`;
    if (!this.#constants.has(name)) this.#constants.set(name, { name, type: 'float', shape, data });
    return { name, shape };
  }

  /** Constant that several rules need: made once, found by its name afterwards. */
  table(name: string, shape: Shape, make: () => ArrayLike<number>): Value {
    if (!this.#constants.has(name)) this.#constants.set(name, { name, type: 'float', shape, data: Float32Array.from(make()) });
    return { name, shape };
  }

  scalar(value: number): Value {
    return this.constant([], [value]);
  }

  /** Constant vector of integers: axes, shapes and the like. */
  ints(values: readonly number[]): Value {
    const name = `ints.${values.join('_')}`;
    if (!this.#constants.has(name)) this.#constants.set(name, { name, type: 'int64', shape: [values.length], data: values });
    return { name, shape: [values.length] };
  }

  /** One operator with one output. */
  op(opType: TapeOp, inputs: readonly Value[], shape: Shape, attributes: Readonly<Record<string, OnnxAttribute>> = {}): Value {
    return this.multi(opType, inputs, [shape], attributes)[0]!;
  }

  /** The same elements in another shape. A shape that the tensor had before costs nothing. */
  reshape(x: Value, shape: Shape): Value {
    const source = this.#reshaped.get(x.name) ?? x;
    if (sameShape(source.shape, shape)) return source;
    const result = this.op('Reshape', [source, this.ints(shape)], shape);
    this.#reshaped.set(result.name, source);
    return result;
  }

  /** One operator with several outputs. What was worked out before is not worked out again. */
  multi(opType: TapeOp, inputs: readonly Value[], shapes: readonly Shape[], attributes: Readonly<Record<string, OnnxAttribute>> = {}): readonly Value[] {
    const key = JSON.stringify([opType, inputs.map((v) => v.name), attributes]);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const outputs = shapes.map((shape) => ({ name: `t${this.#count++}`, shape }));
    this.#known.set(key, outputs);
    this.#nodes.push({
      opType, inputs: inputs.map((v) => v.name), outputs: outputs.map((v) => v.name), attributes,
      ...(opType === 'FusedMatMul' ? { domain: CONTRIB } : {}),
    });
    return outputs;
  }

  /** The program that computes these outputs, without what none of them needs; all inputs stay, they are its face. */
  program(name: string, outputs: Readonly<Record<string, Value>>): Program {
    const live = new Set(Object.values(outputs).map((v) => v.name));
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const node = this.#nodes[i]!;
      if (node.outputs.some((o) => live.has(o))) node.inputs.forEach((x) => live.add(x));
    }
    return {
      name, inputs: [...this.#inputs], outputs,
      nodes: this.#nodes.filter((n) => n.outputs.some((o) => live.has(o))),
      constants: [...this.#constants.values()].filter((c) => live.has(c.name)),
    };
  }
}
