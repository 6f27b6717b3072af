import { createInterface } from 'node:readline';

// A user's evaluator with moods: silent never answers, gone ends the process; otherwise one bowl, `delay` ms an answer.
const delay = Number(process.argv[2] ?? 20);
for await (const line of createInterface({ input: process.stdin })) {
  const { id, parameters: { x, mood } } = JSON.parse(line);
  if (mood === 'silent') continue;
  if (mood === 'gone') process.exit(3);
  setTimeout(() => process.stdout.write(`${JSON.stringify({ id, metrics: { f: (x - 0.4) ** 2 } })}\n`), delay);
}
