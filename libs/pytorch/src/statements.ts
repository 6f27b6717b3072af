import { elements, type ActivationFn, type Node, type OpAttrs, type OpKind, type Padding, type Shape } from '@app/graph';

export interface Site {
  /** Python names of the inputs, and their shapes */
  readonly inputs: readonly string[];
  readonly shapes: readonly Shape[];
  readonly output: Shape;
  readonly name: string;
  /** where its layer is kept */
  readonly layer: string;
}

export interface Statement {
  /** constructor of what holds its weights */
  readonly layer?: string;
  readonly value: string;
  readonly uses?: readonly Helper[];
}

export type Helper = 'ChannelAttention' | 'QuantizationNoise' | 'avg_pool_counted';

/** What PyTorch has no one word for. */
export const HELPERS: Readonly<Record<Helper, readonly string[]>> = {
  ChannelAttention: [
    'class ChannelAttention(nn.Module):',
    '    """Efficient channel attention on the mean, or mean and variance, of each channel; sigmoid, or softmax over the heads of a channel."""',
    '',
    '    def __init__(self, kernel, statistics, heads, temperature):',
    '        super().__init__()',
    '        self.conv = nn.Conv1d(statistics, 1, kernel, padding=kernel // 2, bias=False)',
    '        self.statistics, self.heads, self.temperature = statistics, heads, temperature',
    '',
    '    def forward(self, x):',
    '        flat = x.flatten(2)',
    '        mean = flat.mean(2)',
    '        rows = [mean] if self.statistics == 1 else [mean, flat.var(2, unbiased=False)]',
    '        score = self.conv(torch.stack(rows, 1)).squeeze(1)',
    '        if self.temperature is None:',
    '            gate = torch.sigmoid(score)',
    '        else:',
    '            gate = torch.softmax(score.unflatten(1, (-1, self.heads)) / self.temperature, 2).flatten(1)',
    '        return x * gate[:, :, None, None]',
  ],
  QuantizationNoise: [
    'class QuantizationNoise(nn.Module):',
    '    """In training, rounds to levels between the tensor\'s own ends; the gradient passes straight through."""',
    '',
    '    def __init__(self, levels):',
    '        super().__init__()',
    '        self.levels = levels',
    '',
    '    def forward(self, x):',
    '        if not self.training:',
    '            return x',
    '        low = x.detach().min()',
    '        cell = (x.detach().max() - low).clamp(min=1e-30) / (self.levels - 1)',
    '        return x + (torch.round((x - low) / cell) * cell + low - x).detach()',
  ],
  avg_pool_counted: [
    'def avg_pool_counted(x, kernel, stride, pad):',
    '    """Mean over the cells of each window that lie in the image; pad is left, right, top, bottom."""',
    '    ones = torch.ones_like(x[:1, :1])',
    '    return F.avg_pool2d(F.pad(x, pad), kernel, stride) / F.avg_pool2d(F.pad(ones, pad), kernel, stride)',
  ],
};

type Writer<K extends OpKind> = (attrs: OpAttrs[K], site: Site) => Statement;

const tuple = (values: readonly number[]): string => `(${values.join(', ')}${values.length === 1 ? ',' : ''})`;
/** One number where all sides are alike. */
const sides = (values: readonly number[]): string => (values.every((v) => v === values[0]) ? String(values[0]) : tuple(values));
const isSymmetric = ([top, left, bottom, right]: Padding): boolean => top === bottom && left === right;
/** PyTorch's order: last axis first. */
const padOrder = ([top, left, bottom, right]: Padding): string => tuple([left, right, top, bottom]);

const ACTIVATIONS: Readonly<Record<Exclude<ActivationFn, 'prelu-shared'>, (x: string, alpha: number | undefined) => string>> = {
  relu: (x) => `F.relu(${x})`,
  relu6: (x) => `F.relu6(${x})`,
  hswish: (x) => `F.hardswish(${x})`,
  hsigmoid: (x) => `F.hardsigmoid(${x})`,
  sigmoid: (x) => `torch.sigmoid(${x})`,
  tanh: (x) => `torch.tanh(${x})`,
  silu: (x) => `F.silu(${x})`,
  gelu: (x) => `F.gelu(${x})`,
  'leaky-relu': (x, alpha = 0.01) => `F.leaky_relu(${x}, ${alpha})`,
  elu: (x, alpha = 1) => `F.elu(${x}, ${alpha})`,
  exp: (x) => `torch.exp(${x})`,
  sqrt: (x) => `torch.sqrt(${x})`,
  neg: (x) => `-${x}`,
  abs: (x) => `${x}.abs()`,
};

function conv(attrs: OpAttrs['conv2d'], { inputs: [x], shapes: [shape], layer }: Site): Statement {
  const { outChannels, kernel, stride, padding, dilation, groups, bias } = attrs;
  const symmetric = isSymmetric(padding);
  const options = [
    ...(sides(stride) === '1' ? [] : [`stride=${sides(stride)}`]),
    ...(!symmetric || sides(padding) === '0' ? [] : [`padding=${sides([padding[0], padding[1]])}`]),
    ...(sides(dilation) === '1' ? [] : [`dilation=${sides(dilation)}`]),
    ...(groups === 1 ? [] : [`groups=${groups}`]),
    ...(bias ? [] : ['bias=False']),
  ];
  return { layer: `nn.Conv2d(${[shape![1]!, outChannels, sides(kernel), ...options].join(', ')})`, value: `${layer}(${symmetric ? x! : `F.pad(${x!}, ${padOrder(padding)})`})` };
}

function avgPool({ kernel, stride, padding, countIncludePad }: OpAttrs['avgPool'], { inputs: [x] }: Site): Statement {
  const window = `${sides(kernel)}, ${sides(stride)}`;
  if (padding.every((p) => p === 0)) return { value: `F.avg_pool2d(${x!}, ${window})` };
  if (countIncludePad) return { value: `F.avg_pool2d(F.pad(${x!}, ${padOrder(padding)}), ${window})` };
  return { value: `avg_pool_counted(${x!}, ${window}, ${padOrder(padding)})`, uses: ['avg_pool_counted'] };
}

function headReduce({ heads, reduction }: OpAttrs['headReduce'], { inputs: [x, bare] }: Site): Statement {
  const headed = `${x!}.unflatten(1, (-1, ${heads}))`;
  if (reduction === 'sum-relu') return { value: `F.relu(${headed}.sum(2))` };
  return { value: reduction === 'maxout' ? `${headed}.amax(2)` : `torch.maximum(${headed}.amax(2), ${bare!})` };
}

/** The batch, which the first axis is, may be of any size. */
const anyBatch = (shape: Shape): string => tuple([-1, ...shape.slice(1)]);

const WRITERS: { readonly [K in Exclude<OpKind, 'input' | 'opaque'>]: Writer<K> } = {
  conv2d: conv,
  batchNorm: ({ epsilon }, { inputs: [x], shapes: [shape], layer }) => ({ layer: `nn.BatchNorm${shape!.length === 4 ? '2d' : '1d'}(${shape![1]!}${epsilon === 1e-5 ? '' : `, eps=${epsilon}`})`, value: `${layer}(${x!})` }),
  linear: ({ outFeatures, bias }, { inputs: [x], shapes: [shape], layer }) => ({ layer: `nn.Linear(${shape!.at(-1)!}, ${outFeatures}${bias ? '' : ', bias=False'})`, value: `${layer}(${x!})` }),
  activation: ({ fn, alpha }, { inputs: [x], layer }) => (fn === 'prelu-shared' ? { layer: 'nn.PReLU()', value: `${layer}(${x!})` } : { value: ACTIVATIONS[fn](x!, alpha) }),
  add: (_, { inputs: [a, b] }) => ({ value: `${a!} + ${b!}` }),
  sub: (_, { inputs: [a, b] }) => ({ value: `${a!} - ${b!}` }),
  mul: (_, { inputs: [a, b] }) => ({ value: `${a!} * ${b!}` }),
  maximum: (_, { inputs: [a, b] }) => ({ value: `torch.maximum(${a!}, ${b!})` }),
  concat: ({ axis }, { inputs }) => ({ value: `torch.cat([${inputs.join(', ')}], ${axis})` }),
  slice: ({ axis, start, end }, { inputs: [x] }) => ({ value: `${x!}.narrow(${axis}, ${start}, ${end - start})` }),
  padChannels: ({ before, after }, { inputs: [x], output }) => ({ value: `F.pad(${x!}, ${tuple([...new Array<number>(2 * (output.length - 2)).fill(0), before, after])})` }),
  maxPool: ({ kernel, stride, padding }, { inputs: [x] }) => {
    const padded = padding.every((p) => p === 0) ? x! : `F.pad(${x!}, ${padOrder(padding)}, value=-torch.inf)`;
    return { value: `F.max_pool2d(${padded}, ${sides(kernel)}, ${sides(stride)})` };
  },
  avgPool,
  globalAvgPool: (_, { inputs: [x] }) => ({ value: `${x!}.mean((2, 3), keepdim=True)` }),
  flatten: (_, { inputs: [x] }) => ({ value: `${x!}.flatten(1)` }),
  reshape: (_, { inputs: [x], output }) => ({ value: `${x!}.reshape(${anyBatch(output)})` }),
  transpose: ({ perm }, { inputs: [x] }) => ({ value: `${x!}.permute(${tuple(perm)})` }),
  softmax: ({ axis }, { inputs: [x] }) => ({ value: `torch.softmax(${x!}, ${axis})` }),
  headReduce,
  channelAttention: ({ kernel, statistics, excitation, heads, temperature }, { inputs: [x], layer }) => ({
    layer: `ChannelAttention(${kernel}, ${statistics === 'mean' ? 1 : 2}, ${heads}, ${excitation === 'softmax' ? temperature : 'None'})`, value: `${layer}(${x!})`, uses: ['ChannelAttention'],
  }),
  quantizationNoise: ({ levels }, { inputs: [x], layer }) => (levels === 2 ** 32 ? { value: x! } : { layer: `QuantizationNoise(${levels})`, value: `${layer}(${x!})`, uses: ['QuantizationNoise'] }),
  zeros: (_, { inputs: [x] }) => ({ value: `torch.zeros_like(${x!})` }),
  identity: (_, { inputs: [x] }) => ({ value: x! }),
  resize: ({ scale, mode }, { inputs: [x] }) => ({ value: `F.interpolate(${x!}, scale_factor=${tuple(scale)}, mode='${mode === 'nearest' ? 'nearest' : 'bilinear'}'${mode === 'linear' ? ', align_corners=False' : ''})` }),
  constant: ({ shape }, { layer }) => ({ layer: `nn.Parameter(torch.zeros${elements(shape) === 1 && shape.length === 0 ? '(())' : tuple(shape)})`, value: layer }),
};

/** @throws RangeError on an opaque operator */
export function statementOf(node: Node, site: Site): Statement {
  if (node.kind === 'opaque') throw new RangeError(`node ${node.id}: operator ${(node as Node<'opaque'>).attrs.opType} is not known, so there is no PyTorch code for it`);
  return (WRITERS as unknown as Record<string, Writer<OpKind>>)[node.kind]!(node.attrs, site);
}
