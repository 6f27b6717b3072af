import { foldBatchNorm, fusedInto, isKind, pruneDead, verifyGraph, type Graph, type LayerQuantization, type Node, type OnnxNodeForm, type OnnxSite, type Quantization, type Tensor, type Weights } from '@app/graph';
import { OnnxError } from './errors.js';
import { plainForm, writeModel, type ExportOptions, type WrittenForm } from './export.js';
import { DATA_TYPE, type TensorProto } from './proto.js';
import { fitByte, inputRange, scaledCodes, weightCodes, weightsOfCodes, type Codes, type Range } from './quantize-values.js';

/** Codes an unsigned byte has. */
const BYTE_LEVELS = 256;
/** Levels of weights and of inputs from which a bias may have the scale of the products. */
const BIAS_LEVELS = 255;
/** Cells that a bias may have. */
const MOST_BIAS_CELLS = 2 ** 30;

/**
 * The quantised network as an ONNX model with QuantizeLinear and DequantizeLinear about its layers (QDQ form): weights int8 a channel at a
 * time, what enters a layer uint8 by its range, and where both have 8 bits the bias int32. It computes what training's quantisers do, up to the rounding of biases and
 * of products. Batch norms behind a layer go into scales and bias, which changes no code: w·a has the code of w, or its negative.
 *
 * Weights of levels that no signed byte holds (more than 128 if even, more than 255 if odd) are written as the floats they are rounded to.
 *
 * @param weights  as of `toOnnx`; of layers whose input has an affine quantiser `inputLow` and `inputHigh` too
 * @throws OnnxError on inputs of more than 256 levels, or without a range; else as `toOnnx`
 */
export function toQuantizedOnnx(graph: Graph, weights: ReadonlyMap<string, Weights>, layers: Quantization, options: ExportOptions = {}): Uint8Array {
  const live = pruneDead(verifyGraph(graph));
  const factors = normFactors(live, weights);
  const folded = foldBatchNorm(live, weights);
  const inputs = new SharedInputs();
  return writeModel(folded.graph, folded.weights, options, (node, site) => {
    const layer = layers.get(node.id);
    if (layer === undefined || (!isKind(node, 'conv2d') && !isKind(node, 'linear'))) return plainForm(node, site);
    return layerForm(node, site, layer, weights.get(node.id)!, factors.get(node.id) ?? null, inputs);
  });
}

/** What the batch norm behind a layer multiplies its channels by. */
function normFactors(graph: Graph, weights: ReadonlyMap<string, Weights>): ReadonlyMap<string, Float64Array> {
  const fused = fusedInto(graph);
  return new Map(graph.nodes.flatMap((node) => {
    const root = fused.get(node.id);
    const norm = weights.get(node.id);
    if (!isKind(node, 'batchNorm') || root === undefined || norm === undefined) return [];
    return [[root, Float64Array.from(norm['scale']!.data, (s, c) => s / Math.sqrt(norm['variance']!.data[c]! + node.attrs.epsilon))] as const];
  }));
}

/** @param own  weights before the batch norm went in */
function layerForm(node: Node<'conv2d'> | Node<'linear'>, site: OnnxSite<never>, layer: LayerQuantization, own: Weights, factors: Float64Array | null, inputs: SharedInputs): WrittenForm {
  const { id } = site;
  const [first, ...rest] = site.inputs;
  const range = layer.input === null ? null : rangeOf(node, layer, own);
  const input = range === null ? null : inputs.read(id, first!.name, range, layer.input!.kind === 'relu');
  const values = layer.weights === null ? null : codesOf(layer.weights, own['weight']!, factors);
  const codes = values !== null && fitByte(layer.weights!) ? values : null;
  const weight = codes !== null ? codes.codes : values !== null ? weightsOfCodes(values) : site.weights['weight']!;
  const bias = biasForm(node, site.weights['bias'], codes, range, layer);
  const form = plainForm(node, { ...site, attrs: { ...node.attrs, bias: bias.kind === 'inside' }, weights: { ...site.weights, weight }, inputs: [{ ...first!, name: input?.name ?? first!.name }, ...rest] } as unknown as OnnxSite<never>);
  const coded = codes === null ? null : weightForm(id, form, codes, node.kind === 'linear' && first!.shape.length !== 2);
  const replaced = new Set([...(coded === null ? [] : [`${id}.weight`]), ...(bias.form === null ? [] : [`${id}.bias`])]);
  const product = bias.kind === 'behind' ? form.nodes.map((n) => ({ ...n, outputs: n.outputs.map((o) => (o === id ? `${id}.product` : o)) })) : form.nodes;
  const sum: OnnxNodeForm[] = bias.kind === 'behind' ? [{ opType: 'Add', inputs: [`${id}.product`, `${id}.bias`], outputs: [id] }] : [];
  return {
    nodes: [...(input?.nodes ?? []), ...(coded?.nodes ?? []), ...(bias.form?.nodes ?? []), ...product, ...sum],
    initializers: [...(input?.initializers ?? []), ...(coded?.initializers ?? []), ...(bias.form?.initializers ?? []), ...form.initializers.filter(({ name }) => !replaced.has(name!))],
  };
}

function weightForm(id: string, form: WrittenForm, { scales }: Codes, transposed: boolean): WrittenForm {
  const written = form.initializers.find(({ name }) => name === `${id}.weight`)!;
  const part = (what: string): string => `${id}.weight_${what}`;
  return {
    nodes: [{ opType: 'DequantizeLinear', inputs: [part('codes'), part('scale'), part('zero')], outputs: [`${id}.weight`], attributes: { axis: { int: transposed ? 1 : 0 } } }],
    initializers: [bytes(part('codes'), written.dims, 'int8', Int8Array.from(floatsOf(written))), floats(part('scale'), scales), bytes(part('zero'), [scales.length], 'int8', new Int8Array(scales.length))],
  };
}

/**
 * Where the bias goes. int32 within the layer, in cells of the products, where both sides have 8 bits; behind it as a float otherwise, since onnxruntime
 * itself rounds a float bias of a quantised layer to such cells, and of few levels they are coarse.
 */
function biasForm(node: Node<'conv2d'> | Node<'linear'>, bias: Tensor | undefined, codes: Codes | null, range: Range | null, layer: LayerQuantization): { readonly kind: 'none' | 'inside' | 'behind'; readonly form: WrittenForm | null } {
  if (!node.attrs.bias || bias === undefined) return { kind: 'none', form: null };
  if (codes === null || range === null) return { kind: 'inside', form: null };
  const { id } = node;
  const scales = codes.scales.map((s) => s * range.scale);
  const cells = Array.from(bias.data, (b, o) => Math.round(b / scales[o]!));
  if (Math.min(layer.weights!.levels, range.levels) < BIAS_LEVELS || !cells.every((c) => Math.abs(c) <= MOST_BIAS_CELLS)) {
    return { kind: 'behind', form: { nodes: [], initializers: [floats(`${id}.bias`, bias.data, node.kind === 'conv2d' ? [1, bias.data.length, 1, 1] : [bias.data.length])] } };
  }
  const part = (what: string): string => `${id}.bias_${what}`;
  return {
    kind: 'inside',
    form: {
      nodes: [{ opType: 'DequantizeLinear', inputs: [part('codes'), part('scale'), part('zero')], outputs: [`${id}.bias`], attributes: { axis: { int: 0 } } }],
      initializers: [bytes(part('codes'), [cells.length], 'int32', Int32Array.from(cells)), floats(part('scale'), scales), bytes(part('zero'), [cells.length], 'int32', new Int32Array(cells.length))],
    },
  };
}

function codesOf(quantizer: NonNullable<LayerQuantization['weights']>, weight: Tensor, factors: Float64Array | null): Codes {
  const codes = weightCodes(quantizer, weight);
  return factors === null ? codes : scaledCodes(codes, factors);
}

function rangeOf(node: Node, { input }: LayerQuantization, own: Weights): Range {
  if (input!.levels > BYTE_LEVELS) throw new OnnxError(`expected at most ${BYTE_LEVELS} levels of what enters "${node.id}", since ONNX has 8 bits for them, got ${input!.levels}`);
  if (input!.kind === 'relu') return inputRange(input!, 0, 1);
  const [low, high] = [own['inputLow']?.data[0], own['inputHigh']?.data[0]];
  if (low === undefined || high === undefined) throw new OnnxError(`expected a range of what enters "${node.id}" (inputLow, inputHigh), got none`);
  return inputRange(input!, low, high);
}

/** Quantised inputs by source and range: layers that read the same one share it. */
class SharedInputs {
  private readonly known = new Map<string, string>();

  read(id: string, source: string, { scale, zero, levels }: Range, clipped: boolean): WrittenForm & { readonly name: string } {
    const key = JSON.stringify([source, scale, zero, levels, clipped]);
    const known = this.known.get(key);
    if (known !== undefined) return { name: known, nodes: [], initializers: [] };
    const name = `${id}.input`;
    this.known.set(key, name);
    const part = (what: string): string => `${id}.input_${what}`;
    const initializers = [floats(part('scale'), Float32Array.of(scale), []), bytes(part('zero'), [], 'uint8', Uint8Array.of(zero))];
    const nodes: OnnxNodeForm[] = [];
    let from = source;
    // fewer levels than a byte has: cut off what would take the others
    if (levels < BYTE_LEVELS) {
      initializers.push(floats(part('low'), Float32Array.of(-zero * scale), []), floats(part('high'), Float32Array.of((levels - 1 - zero) * scale), []));
      nodes.push({ opType: 'Clip', inputs: [from, part('low'), part('high')], outputs: [part('clipped')] });
      from = part('clipped');
    }
    nodes.push(
      { opType: 'QuantizeLinear', inputs: [from, part('scale'), part('zero')], outputs: [part('codes')] },
      { opType: 'DequantizeLinear', inputs: [part('codes'), part('scale'), part('zero')], outputs: [name] },
    );
    return { name, nodes, initializers };
  }
}

function floatsOf({ rawData }: TensorProto): number[] {
  const view = new DataView(rawData!.buffer, rawData!.byteOffset, rawData!.byteLength);
  return Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

function floats(name: string, values: Float32Array, dims: readonly number[] = [values.length]): TensorProto {
  const raw = new Uint8Array(4 * values.length);
  const view = new DataView(raw.buffer);
  values.forEach((v, i) => view.setFloat32(4 * i, v, true));
  return { name, dims: [...dims], dataType: DATA_TYPE.float, rawData: raw };
}

function bytes(name: string, dims: readonly number[], type: 'int8' | 'uint8' | 'int32', values: Int8Array | Uint8Array | Int32Array): TensorProto {
  const size = type === 'int32' ? 4 : 1;
  const raw = new Uint8Array(size * values.length);
  const view = new DataView(raw.buffer);
  values.forEach((v, i) => (size === 4 ? view.setInt32(4 * i, v, true) : view.setInt8(i, v)));
  return { name, dims: [...dims], dataType: DATA_TYPE[type], rawData: raw };
}
