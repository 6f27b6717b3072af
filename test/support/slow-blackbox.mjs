import { createInterface } from 'node:readline';

// Two bowls, 15 ms an answer: a user's evaluator for tests that catch one in the middle.
for await (const line of createInterface({ input: process.stdin })) {
  const { id, parameters: { x, n, c } } = JSON.parse(line);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ id, metrics: { f: (x - 0.3) ** 2 + (c === 'a' ? 0.1 : 0), g: (x - 0.7) ** 2 + (n - 20) ** 2 / 400 } })}\n`);
  }, 15);
}
