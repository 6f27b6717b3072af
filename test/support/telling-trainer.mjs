// Tells of each of six epochs; what it ends at is 100·x.
import { createInterface } from 'node:readline';

for await (const line of createInterface({ input: process.stdin })) {
  const { id, parameters } = JSON.parse(line);
  const accuracy = [];
  for (let epoch = 1; epoch <= 6; epoch++) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    accuracy.push(100 * parameters.x * (1 - 0.5 ** epoch));
    if (epoch < 6) console.log(JSON.stringify({ id, epochs: 6, curves: { accuracy } }));
  }
  console.log(JSON.stringify({ id, metrics: { accuracy: accuracy.at(-1) }, curves: { accuracy } }));
}
