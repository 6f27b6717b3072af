import { describe, expect, it } from 'vitest';
import { graphBuilder, samePadding, type Graph, type Pair } from '@app/graph';
import { planExecution } from '../plan.js';
import type { DeviceProfile } from '../types.js';
import { cubeAiTerms, isCubeAi } from './cube-ai.js';
import { weightFlashBytes } from './flash.js';
import { memoryRuleOf, memorySchedule, runtimeMemory } from './runtime-memory.js';
import { cmsisNnScratch, tflmArena } from './tflm.js';
import { tflmNetworkOf } from './tflm-lowering.js';

const REFERENCE = { bytesPerElement: 1, kernels: 'reference' } as const;

/** Keyword spotting DS-CNNs of MicroNets (arXiv 2010.11267, table 5): one 10×4 convolution, then depthwise and pointwise pairs. */
function dsCnn(first: number, pairs: readonly (readonly [channels: number, stride: number])[]): Graph {
  const b = graphBuilder('ds-cnn');
  const same = (h: number, w: number, kernel: Pair, stride: number): readonly [number, number, number, number] => samePadding([h, w], kernel, [stride, stride], [1, 1]) as [number, number, number, number];
  let [h, w, channels] = [49, 10, first];
  let x = b.activation(b.conv2d(b.input([1, 1, h, w]), { outChannels: first, kernel: [10, 4], padding: same(h, w, [10, 4], 1), bias: true }), 'relu');
  for (const [out, stride] of pairs) {
    x = b.activation(b.conv2d(x, { outChannels: channels, kernel: 3, stride, padding: same(h, w, [3, 3], stride), groups: channels, bias: true }), 'relu');
    [h, w] = [Math.ceil(h / stride), Math.ceil(w / stride)];
    x = b.activation(b.conv2d(x, { outChannels: out, kernel: 1, bias: true }), 'relu');
    channels = out;
  }
  b.output(b.linear(b.flatten(b.avgPool(x, { kernel: [h, w], stride: 1 })), 12));
  return b.build();
}

// measured with tflite-micro 90b983c built for 32 bit, reference kernels: bench/data/memory/tflm_memory.json.gz
const KWS = [
  { name: 'MicroNet-KWS-L', graph: dsCnn(276, [[248, 2], [276, 1], [276, 1], [248, 1], [248, 1], [248, 1], [248, 1]]), nonPersistent: 169_760, persistent: 34_140, weights: 512_028 },
  { name: 'MicroNet-KWS-M', graph: dsCnn(140, [[140, 2], [140, 1], [140, 1], [112, 1], [196, 1]]), nonPersistent: 86_112, persistent: 14_716, weights: 116_640 },
];

describe('an arena of TensorFlow Lite Micro', () => {
  it.each(KWS)('of $name is the measured one to the byte', ({ graph, nonPersistent, persistent }) => {
    expect(tflmArena(tflmNetworkOf(graph, REFERENCE))).toMatchObject({ nonPersistent, persistent, total: nonPersistent + persistent });
  });

  it.each(KWS)('holds weights of $name that are the measured ones to the byte', ({ graph, weights }) => {
    expect(weightFlashBytes(graph, 'int8')).toBe(weights);
  });

  it('has holes where the greedy planner leaves them: 73,728 B for a live set of 55,296', () => {
    // MobileNet v1 0.25, 96×96×3: the planner's own worst case among the measured networks
    const b = graphBuilder('mobilenet');
    const conv = (x: string, outChannels: number, kernel: number, stride: number, groups: number, size: number): string =>
      b.conv2d(x, { outChannels, kernel, stride, padding: samePadding([size, size], [kernel, kernel], [stride, stride], [1, 1]), groups, bias: true });
    let [x, c, size] = [conv(b.input([1, 3, 96, 96]), 8, 3, 2, 1, 96), 8, 48];
    for (const [out, stride] of [[16, 1], [32, 2], [32, 1], [64, 2], [64, 1], [128, 2], [128, 1], [128, 1], [128, 1], [128, 1], [128, 1], [256, 2], [256, 1]] as const) {
      x = conv(x, c, 3, stride, c, size);
      size = Math.ceil(size / stride);
      x = conv(x, out, 1, 1, 1, size);
      c = out;
    }
    b.output(b.linear(b.flatten(b.avgPool(x, { kernel: 3 })), 5));
    expect(tflmArena(tflmNetworkOf(b.build(), REFERENCE))).toMatchObject({ nonPersistent: 73_728, lowerBound: 55_296, persistent: 26_844 });
  });
});

describe('a graph as a TensorFlow Lite model', () => {
  const kinds = (graph: Graph): string[] => tflmNetworkOf(graph, REFERENCE).operators.map((op) => op.kind);

  it('runs relu inside the operator before it, and other activations on their own', () => {
    const b = graphBuilder('activations');
    const x = b.input([1, 4, 8, 8]);
    const sum = b.activation(b.add(b.activation(b.conv2d(x, { outChannels: 4, kernel: 1 }), 'hswish'), x), 'relu');
    b.output(sum);
    expect(kinds(b.build())).toEqual(['conv', 'elementwise', 'add']);
  });

  it('keeps a relu whose operand something else reads too', () => {
    const b = graphBuilder('read twice');
    const x = b.input([1, 4, 8, 8]);
    const sum = b.add(x, b.maxPool(x, { kernel: 1 }));
    b.output(b.mul(b.activation(sum, 'relu'), sum));
    expect(kinds(b.build())).toEqual(['max_pool', 'add', 'relu', 'mul']);
  });

  it('copies the input with its padding where that is neither SAME nor VALID, as symmetric padding at stride 2', () => {
    const b = graphBuilder('pad');
    b.output(b.conv2d(b.input([1, 3, 8, 8]), { outChannels: 4, kernel: 3, stride: 2, padding: [1, 1, 1, 1] }));
    const network = tflmNetworkOf(b.build(), REFERENCE);
    expect(network.operators.map((op) => op.kind)).toEqual(['pad', 'conv']);
    expect(network.program.tensors).toEqual([192, 300, 64]);
  });

  it('asks for 32-bit sums while a mean runs, if it is quantised', () => {
    const b = graphBuilder('mean');
    b.output(b.globalAvgPool(b.input([1, 5, 4, 4])));
    expect(tflmNetworkOf(b.build(), REFERENCE).program.ops[0]!.scratch).toEqual([20]);
    expect(tflmNetworkOf(b.build(), { bytesPerElement: 4, kernels: 'reference' }).program.ops[0]!.scratch).toEqual([]);
  });

  it('means, scores, gates and multiplies where a network pays attention', () => {
    const b = graphBuilder('attention');
    b.output(b.channelAttention(b.input([1, 8, 4, 4]), { kernel: 3, statistics: 'mean-variance', excitation: 'sigmoid', heads: 1, temperature: 1 }));
    expect(kinds(b.build())).toEqual(['mean', 'sub', 'mean', 'concat', 'conv', 'elementwise', 'mul']);
  });

  it('gives the kernels of CMSIS-NN their columns, none for a 1×1 convolution', () => {
    const call = { inputChannels: 16, outputElements: 64, kernelArea: 9, direct: false } as const;
    expect(cmsisNnScratch({ ...call, kind: 'conv' }, true)).toEqual([2 * 2 * 16 * 9]);
    expect(cmsisNnScratch({ ...call, kind: 'dwconv' }, true)).toEqual([2 * 16 * 9]);
    expect(cmsisNnScratch({ ...call, kind: 'conv', kernelArea: 1, direct: true }, true)).toEqual([]);
    expect(cmsisNnScratch({ ...call, kind: 'conv' }, false)).toEqual([]);
  });
});

describe('the memory of a runtime', () => {
  it('of STM32Cube.AI grows with operators and channels: code of MobileNet v1 0.5 is 81.46 KiB in the model zoo', () => {
    // 29 operators, 5,477 output channels; README table of STM32Cube.AI 9.1
    const b = graphBuilder('mobilenet 0.5');
    let x = b.conv2d(b.input([1, 3, 224, 224]), { outChannels: 16, kernel: 3, stride: 2, bias: true });
    let c = 16;
    for (const [out, stride] of [[32, 1], [64, 2], [64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [256, 1], [256, 1], [256, 1], [256, 1], [512, 2], [512, 1]] as const) {
      x = b.conv2d(b.conv2d(x, { outChannels: c, kernel: 3, stride, groups: c, bias: true }), { outChannels: out, kernel: 1, bias: true });
      c = out;
    }
    b.output(b.linear(b.flatten(b.globalAvgPool(x)), 5));
    expect(Math.abs(cubeAiTerms(b.build()).flash / 1024 / 81.46 - 1)).toBeLessThan(0.05);
    expect(['STM32Cube.AI 9.1.0', 'X-CUBE-AI 8.0', 'X-CUBE-AI 10.2', 'X-CUBE-AI 7.3', 'TinyEngine'].map(isCubeAi)).toEqual([true, true, true, false, false]);
  });

  it('goes by the runtime a profile names', () => {
    expect(['TensorFlow Lite Micro with CMSIS-NN', 'TensorFlow Lite Micro', 'X-CUBE-AI 7.3', 'TinyEngine', 'TensorFlow Lite', 'PyTorch', 'CMSIS-NN'].map(memoryRuleOf)).toEqual(['tflm-cmsis-nn', 'tflm', 'cube-ai-7', 'tinyengine', 'live-set', 'live-set', 'tflm-cmsis-nn']);
  });

  it('of generated code runs a depthwise convolution in place, with one plane to spare', () => {
    const b = graphBuilder('in place');
    const x = b.conv2d(b.input([1, 1, 8, 8]), { outChannels: 16, kernel: 1 });
    b.output(b.globalAvgPool(b.conv2d(x, { outChannels: 16, kernel: 3, padding: 'same', groups: 16 })));
    expect(runtimeMemory(planExecution(b.build()), 'overlay', 'int8')).toMatchObject({ ram: 64 + 16 * 64 });
    expect(runtimeMemory(planExecution(b.build()), 'live-set', 'int8')).toBeNull();
  });

  it('is never more in the order of its schedule, whose working set is bounded from below', () => {
    const b = graphBuilder('two wide branches');
    const x = b.input([1, 4, 8, 8]);
    const wide = [0, 1].map(() => b.conv2d(x, { outChannels: 64, kernel: 1, bias: true }));
    const narrow = wide.map((w) => b.conv2d(w, { outChannels: 2, kernel: 1, bias: true }));
    b.output(b.concat(narrow));
    const device = { id: 'board', defaultPrecision: 'int8', runtime: { name: 'TensorFlow Lite Micro' } } as DeviceProfile;
    // both wide maps and the input against one wide map, the input and a narrow map
    expect(memorySchedule(b.build(), device)).toMatchObject({ rule: 'tflm', workingSet: 256 + 2 * 4096, reorderedWorkingSet: 256 + 4096 + 128, lowerBound: 4480, optimal: true, activations: 8448, reordered: 4480, planned: 4480 });
  });
});
