import { graphBuilder, type Graph } from '@app/graph';

const EDGES = [[1, 0], [2, 0], [2, 1], [3, 0], [3, 1], [3, 2]] as const;

/** NAS-Bench-201 with one cell a stage: the code's digits are none, skip, 1×1, 3×3, pool on the edges 1←0, 2←0, 2←1, 3←0, 3←1, 3←2. */
export function cellNetwork(code: string): Graph {
  const b = graphBuilder(`cell ${code}`);
  const convolution = (x: string, outChannels: number, kernel: number, stride = 1): string => b.batchNorm(b.conv2d(x, { outChannels, kernel, stride }));
  const edge = (digit: string, x: string, channels: number): string => {
    if (digit === '0') return b.zeros(x);
    if (digit === '1') return x;
    if (digit === '4') return b.avgPool(x, { kernel: 3, stride: 1, padding: 1 });
    return convolution(b.activation(x, 'relu'), channels, digit === '2' ? 1 : 3);
  };
  let x = convolution(b.input([1, 3, 32, 32]), 16, 3);
  for (const channels of [16, 32, 64]) {
    if (channels > 16) {
      const main = convolution(b.activation(convolution(b.activation(x, 'relu'), channels, 3, 2), 'relu'), channels, 3);
      x = b.add(main, b.conv2d(b.avgPool(x, { kernel: 2, stride: 2 }), { outChannels: channels, kernel: 1 }));
    }
    const nodes = [x];
    for (let target = 1; target <= 3; target++) {
      const arriving = EDGES.flatMap(([t, source], e) => (t === target ? [edge(code[e]!, nodes[source]!, channels)] : []));
      nodes.push(arriving.reduce((sum, a) => b.add(sum, a)));
    }
    x = nodes[3]!;
  }
  b.output(b.linear(b.flatten(b.globalAvgPool(b.activation(b.batchNorm(x), 'relu'))), 10));
  return b.build();
}
