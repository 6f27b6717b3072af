import { OpFault } from '../errors.js';
import { UNARY, singleNode, weightInitializer, type OnnxInitializer, type OpDefinition } from '../op.js';
import { elements, expectInt, showShape, tensor } from '../shape.js';
import type { Tensor } from '../types.js';
import { add, matmul, reshape, sum } from '../tape/arithmetic.js';

function transposed({ shape, data }: Tensor): Float32Array {
  const [rows, columns] = shape as [number, number];
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** y = x Wᵀ + b over the last axis: x [N, …, I], weight [O, I], bias [O]. */
export const linear: OpDefinition<'linear'> = {
  arity: UNARY,
  inferShape: ({ outFeatures }, [x]) => {
    expectInt('outFeatures', outFeatures, 1);
    if (x!.length < 2) throw new OpFault(`expected an input [N, …, features], got shape ${showShape(x!)}`);
    return [...x!.slice(0, -1), outFeatures];
  },
  weights: ({ outFeatures, bias }, [x]) => {
    const fanIn = x!.at(-1)!;
    const weight = { name: 'weight', shape: [outFeatures, fanIn], trainable: true, init: 'kaiming-normal', fanIn } as const;
    return bias ? [weight, { name: 'bias', shape: [outFeatures], trainable: true, init: 'zeros', fanIn }] : [weight];
  },
  work: (_attrs, [x], output) => {
    const macs = elements(output) * x!.at(-1)!;
    return { macs, elementOps: 0, madds: macs };
  },
  evaluate: ({ bias, outFeatures }, [x], weights, output) => {
    const weight = weights['weight']!.data;
    const features = x!.shape.at(-1)!;
    const y = tensor(output);
    for (let i = 0; i < y.data.length; i++) {
      const o = i % outFeatures;
      const row = Math.floor(i / outFeatures) * features;
      let sum = bias ? weights['bias']!.data[o]! : 0;
      for (let k = 0; k < features; k++) sum += x!.data[row + k]! * weight[o * features + k]!;
      y.data[i] = sum;
    }
    return y;
  },
  onnx: (site) => {
    const names = site.attrs.bias ? ['weight', 'bias'] : ['weight'];
    if (site.inputs[0]!.shape.length === 2) return singleNode(site, 'Gemm', { transB: { int: 1 } }, names.map((n) => weightInitializer(site.id, n, site.weights)));
    const w = site.weights['weight']!;
    const weight: OnnxInitializer = { name: `${site.id}.weight`, type: 'float', shape: [w.shape[1]!, w.shape[0]!], data: transposed(w) };
    if (!site.attrs.bias) return singleNode(site, 'MatMul', {}, [weight]);
    const bias = weightInitializer(site.id, 'bias', site.weights);
    return {
      nodes: [
        { opType: 'MatMul', inputs: [site.inputs[0]!.name, weight.name], outputs: [`${site.id}.product`] },
        { opType: 'Add', inputs: [`${site.id}.product`, bias.name], outputs: [site.id] },
      ],
      initializers: [weight, bias],
    };
  },
  differentiate: ({ tape, attrs, inputs: [x], weights, output }) => {
    const [weight, features] = [weights['weight']!, x!.shape.at(-1)!];
    const rows = reshape(tape, x!, [elements(x!.shape) / features, features]);
    const product = reshape(tape, matmul(tape, rows, weight, { b: true }), output);
    return {
      output: attrs.bias ? add(tape, product, weights['bias']!) : product,
      backward: (dy) => {
        const dRows = reshape(tape, dy, [rows.shape[0]!, attrs.outFeatures]);
        const own = { weight: matmul(tape, dRows, rows, { a: true }) };
        return {
          inputs: [reshape(tape, matmul(tape, dRows, weight), x!.shape)],
          weights: attrs.bias ? { ...own, bias: reshape(tape, sum(tape, dRows, [0]), [attrs.outFeatures]) } : own,
        };
      },
    };
  },
  label: ({ outFeatures }) => `linear, ${outFeatures}`,
};
