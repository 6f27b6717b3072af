import { completePoint, loadCatalog } from '@app/catalog';
import { decode } from '@app/decode';
import { graphBuilder, type Graph } from '@app/graph';

export interface BenchNetwork {
  readonly name: string;
  readonly graph: Graph;
  readonly what: string;
}

/** A FlyNet of the catalogue's defaults at a width and resolution. */
export function flynet(width: number, resolution: number): Graph {
  const space = loadCatalog().space('flynet');
  return decode(space, completePoint(space.parameters, { width, resolution }), { numClasses: 10, inputChannels: 1 });
}

/** Plain 3×3 convolutions as ResNets stack them: six of them, 32 to 128 channels, batch norm and ReLU behind each. */
export function dense(resolution: number): Graph {
  const g = graphBuilder('dense');
  let x = g.input([1, 1, resolution, resolution]);
  for (const [outChannels, stride] of [[32, 1], [32, 1], [64, 2], [64, 1], [128, 2], [128, 1]] as const) {
    x = g.activation(g.batchNorm(g.conv2d(x, { outChannels, kernel: 3, stride })), 'relu');
  }
  g.output(g.linear(g.flatten(g.globalAvgPool(x)), 10));
  return g.build();
}

const SIZES = [['small', 0.3, 32], ['middle', 0.5, 48], ['large', 1, 64]] as const;

export const NETWORKS: readonly BenchNetwork[] = [
  ...SIZES.map(([name, width, resolution]) => ({ name, graph: flynet(width, resolution), what: `FlyNet ${width.toFixed(1)}×, ${resolution} px` })),
  { name: 'dense', graph: dense(28), what: 'dense 3×3, 28 px' },
];
