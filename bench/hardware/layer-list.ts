import { graphBuilder, type ActivationFn, type Graph } from '@app/graph';

/** One layer of the lists that published models come with; sizes are [H, W, C] or [C], without the batch. */
export interface ListedLayer {
  readonly op: string;
  readonly in: readonly number[];
  readonly out: readonly number[];
  readonly k?: readonly number[];
  readonly s?: readonly number[];
  readonly pad?: string | null;
  readonly act?: string | null;
  readonly inputs: readonly number[];
  readonly output: number;
}

export interface ListedModel {
  readonly name: string;
  readonly macs: number;
  readonly tensors: readonly { readonly shape: readonly number[] }[];
  readonly graph_inputs: readonly number[];
  readonly layers: readonly ListedLayer[];
}

const ACTIVATIONS: Readonly<Record<string, ActivationFn>> = { relu: 'relu', relu6: 'relu6', hswish: 'hswish', hard_swish: 'hswish', hard_sigmoid: 'hsigmoid', sigmoid: 'sigmoid' };

/** @throws Error naming model and layer if the list holds something we cannot build or the sizes disagree */
export function graphOfLayers(model: ListedModel): Graph {
  const b = graphBuilder(model.name);
  const ids = new Map<number, string>();
  /** real sizes, [H, W]: an explicit PAD is not a layer of ours but padding of the convolution behind it */
  const sizes = new Map<string, readonly number[]>();
  const flat = new Set<string>();
  for (const t of model.graph_inputs) {
    const id = b.input(batched(model.tensors[t]!.shape));
    ids.set(t, id);
    sizes.set(id, model.tensors[t]!.shape);
  }
  model.layers.forEach((layer, i) => {
    try {
      const inputs = layer.inputs.map((t) => ids.get(t) ?? fail(`tensor ${t} is read before it is made`));
      const id = append(layer, inputs);
      ids.set(layer.output, id);
      if (!sizes.has(id)) sizes.set(id, layer.out);
    } catch (error) {
      throw new Error(`${model.name}, layer ${i} (${layer.op}): ${(error as Error).message}`);
    }
  });
  b.output(ids.get(model.layers.at(-1)!.output)!);
  return b.build();

  function append(layer: ListedLayer, inputs: readonly string[]): string {
    const [x] = inputs as [string];
    switch (layer.op) {
      case 'conv':
      case 'dwconv': {
        const [kh, kw] = layer.k as [number, number];
        const [sh, sw] = layer.s as [number, number];
        const outChannels = layer.out[2]!;
        const groups = layer.op === 'dwconv' ? layer.in[2]! : 1;
        return activated(layer, b.conv2d(x, { outChannels, kernel: [kh, kw], stride: [sh, sw], padding: padding(layer, sizes.get(x)!, [kh, kw], [sh, sw]), groups, bias: true }));
      }
      case 'fc': {
        const features = flat.has(x) || layer.in.length === 1 ? x : b.flatten(x);
        const y = activated(layer, b.linear(features, layer.out.at(-1)!));
        flat.add(y);
        return y;
      }
      case 'avg_pool':
      case 'max_pool': {
        const kernel = layer.k as [number, number];
        const stride = layer.s as [number, number];
        if (layer.op === 'avg_pool' && layer.out[0] === 1 && layer.out[1] === 1 && kernel[0] === layer.in[0] && kernel[1] === layer.in[1]) return b.globalAvgPool(x);
        const settings = { kernel, stride, padding: padding(layer, sizes.get(x)!, kernel, stride) };
        return layer.op === 'max_pool' ? b.maxPool(x, settings) : b.avgPool(x, settings);
      }
      case 'mean':
        // over height and width one after the other: the first does it all
        return layer.in.length === 3 ? b.globalAvgPool(x) : x;
      case 'add':
        return activated(layer, b.add(x, inputs[1]!));
      case 'mul':
        return b.mul(x, inputs[1]!);
      case 'concat':
        return b.concat(inputs);
      case 'reshape': {
        const y = b.flatten(x);
        flat.add(y);
        return y;
      }
      case 'softmax':
        return b.softmax(x);
      case 'quantize':
      case 'dequantize':
      case 'pad':
      case 'transpose':
        return x;
      default:
        return fail(`unknown operator`);
    }
  }

  function activated({ act }: ListedLayer, y: string): string {
    if (act === undefined || act === null) return y;
    if (act === 'softmax') return b.softmax(y);
    return b.activation(y, ACTIVATIONS[act] ?? fail(`unknown activation "${act}"`));
  }
}

/** SAME, or VALID behind an explicit PAD: what the outputs need, the odd cell behind; VALID: none. [top, left, bottom, right] */
function padding({ pad, in: listed, out }: ListedLayer, real: readonly number[], [kh, kw]: readonly [number, number], [sh, sw]: readonly [number, number]): [number, number, number, number] {
  if (pad !== 'SAME' && real[0] === listed[0]) return [0, 0, 0, 0];
  const h = Math.max(0, (out[0]! - 1) * sh + kh - real[0]!);
  const w = Math.max(0, (out[1]! - 1) * sw + kw - real[1]!);
  return [h >> 1, w >> 1, h - (h >> 1), w - (w >> 1)];
}

/** [H, W, C] → [1, C, H, W]; [C] → [1, C] */
function batched(shape: readonly number[]): number[] {
  return shape.length === 3 ? [1, shape[2]!, shape[0]!, shape[1]!] : [1, ...shape];
}

function fail(message: string): never {
  throw new Error(message);
}
