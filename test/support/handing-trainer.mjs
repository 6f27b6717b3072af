// A trainer that "trains" a network to seeded weights and hands them back where it is asked to, with inputs to calibrate on. `--truncated` hands back half a file.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { initialWeights } from '../../dist/libs/graph/src/index.js';
import { encodeTrainedWeights } from '../../dist/libs/train/src/index.js';

for await (const line of createInterface({ input: process.stdin })) {
  const { id, network, weights, parameters } = JSON.parse(line);
  const graph = JSON.parse(readFileSync(network.graph, 'utf8'));
  const accuracy = 50 + 40 * parameters.width;
  if (weights !== undefined) {
    const [, ...shape] = graph.nodes.find((n) => n.kind === 'input').attrs.shape;
    const data = Float32Array.from({ length: 20 * shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i));
    const file = encodeTrainedWeights({ about: {}, weights: initialWeights(graph, 99), calibration: { shape: [20, ...shape], data } });
    writeFileSync(weights, process.argv.includes('--truncated') ? file.subarray(0, file.length / 2) : file);
  }
  console.log(JSON.stringify({ id, metrics: { accuracy } }));
}
