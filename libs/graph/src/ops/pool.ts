import { OpFault } from '../errors.js';
import { expectInt, expectRank, slide, tensor } from '../shape.js';
import type { OpAttrs, Padding, Pair, Shape, Tensor } from '../types.js';

type PoolAttrs = OpAttrs['maxPool'];

export function poolShape(attrs: PoolAttrs, x: Shape): Shape {
  expectRank(x, 4, '[N, C, H, W]');
  // a window that lies in the padding altogether would have nothing to pool
  attrs.padding.forEach((p, side) => {
    expectInt(`kernel ${side % 2 === 0 ? 'height' : 'width'}`, attrs.kernel[side % 2]!, 1);
    if (p >= attrs.kernel[side % 2]!) throw new OpFault(`expected padding smaller than the kernel, got padding ${p} for kernel ${attrs.kernel[side % 2]}`);
  });
  const [h, w] = slide({ ...attrs, dilation: [1, 1] }, x[2]!, x[3]!);
  return [x[0]!, x[1]!, h, w];
}

/** Folds every window's cells inside the input; `finish` gets the fold and how many cells there were. */
export function pool(attrs: PoolAttrs, x: Tensor, output: Shape, start: number, fold: (a: number, b: number) => number, finish: (a: number, cells: number) => number): Tensor {
  const [, , ih, iw] = x.shape as [number, number, number, number];
  const [, , oh, ow] = output as [number, number, number, number];
  const y = tensor(output);
  for (let i = 0; i < y.data.length; i++) {
    const from = Math.floor(i / (oh * ow)) * ih * iw;
    const top = Math.floor((i % (oh * ow)) / ow) * attrs.stride[0] - attrs.padding[0];
    const left = (i % ow) * attrs.stride[1] - attrs.padding[1];
    let value = start;
    let cells = 0;
    for (let r = Math.max(0, top); r < Math.min(ih, top + attrs.kernel[0]); r++) {
      for (let c = Math.max(0, left); c < Math.min(iw, left + attrs.kernel[1]); c++) {
        value = fold(value, x.data[from + r * iw + c]!);
        cells++;
      }
    }
    y.data[i] = finish(value, cells);
  }
  return y;
}

export function poolLabel(name: string, kernel: Pair, stride: Pair, padding: Padding): string {
  const padded = padding.some((p) => p > 0) ? ' padded' : '';
  return `${name} ${kernel[0]}×${kernel[1]} s${stride[0]}${stride[0] === stride[1] ? '' : `×${stride[1]}`}${padded}`;
}

export function poolAttributes(attrs: PoolAttrs): { kernel_shape: { ints: Pair }; strides: { ints: Pair }; pads: { ints: Padding } } {
  return { kernel_shape: { ints: attrs.kernel }, strides: { ints: attrs.stride }, pads: { ints: attrs.padding } };
}
