/** An agent whose answer hangs on the network it is given, by the hash of its bytes: every trial meets a mood, and the same one again. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [, , folder, ...moods] = process.argv;

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, model } = JSON.parse(line);
  const bytes = readFileSync(model.path);
  const size = bytes.length;
  const hash = createHash('sha256').update(bytes).digest();
  const seen = join(folder, hash.toString('hex'));
  const first = !existsSync(seen);
  writeFileSync(seen, first ? 'x' : `${readFileSync(seen)}x`);
  const say = (answer) => console.log(typeof answer === 'string' ? answer : JSON.stringify({ id, ...answer }));
  switch (moods[hash[0] % moods.length]) {
    case 'calm': return say({ latency: { median: size, low: size - 1, high: size + 1, unit: 'us' } });
    case 'dies-once': return first ? process.exit(9) : say({ latency: { median: size, unit: 'us' } });
    case 'dies': return process.exit(9);
    case 'silent': return undefined;
    case 'negative': return say({ latency: { median: -1, unit: 'us' } });
    case 'unitless': return say({ latency: { median: 1 } });
    case 'nan': return say(`{"id": ${id}, "latency": {"median": NaN, "unit": "us"}}`);
    case 'wrong-id': return say(`{"id": ${id + 1000}, "latency": {"median": 1, "unit": "us"}}`);
    case 'unable': return say({ error: 'does not fit' });
  }
});
