/**
 * How long Bayesian optimisation thinks: milliseconds of processor time for fit and ask at n told points of a smooth synthetic problem.
 *
 *   npm run bench:bo -- [--json] [--points 100,200,500,1000] [--objectives 2,3] [--dimension 20] [--settings JSON]
 *
 * `first`: an ask by a run that was just told all n points, so that every model is fitted from nothing. `next`: the asks that follow
 * one by one, hyperparameters carried on; mean, median and the longest.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { optimizerNamed } from '@app/optim';
import { thinkingTime } from './bo/thinking-time.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    points: { type: 'string', default: '100,200,500,1000' },
    objectives: { type: 'string', default: '2,3' },
    dimension: { type: 'string', default: '20' },
    asks: { type: 'string', default: '20' },
    settings: { type: 'string', default: '{}' },
  },
});

function counts(name: 'points' | 'objectives' | 'dimension' | 'asks'): number[] {
  return options[name].split(',').map((text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name}: expected integers from 1, got ${options[name]}`);
    return value;
  });
}

const [dimension, asks] = [counts('dimension')[0]!, counts('asks')[0]!];
const settings = JSON.parse(options.settings) as Record<string, unknown>;
const bo = optimizerNamed('bo');
// Once around, so that the first row is not the compiler's.
thinkingTime(bo, { points: 60, objectives: 2, dimension, asks: 5, settings });
const times = counts('points').flatMap((points) => counts('objectives').map((objectives) => thinkingTime(bo, { points, objectives, dimension, asks, settings })));
if (options.json) {
  process.stdout.write(`${JSON.stringify({ cpu: cpus()[0]?.model, node: process.version, dimension, asks, times }, null, 2)}\n`);
} else {
  const line = (cells: readonly (string | number)[]): string => cells.map((c) => String(typeof c === 'number' ? Math.round(c) : c).padStart(8)).join('');
  const table = [line(['n', 'm', 'first', 'mean', 'median', 'longest']), ...times.map((t) => line([t.points, t.objectives, t.firstMs, t.nextMs.mean, t.nextMs.median, t.nextMs.longest]))];
  process.stdout.write(`milliseconds of processor time an ask, ${dimension} variables\n${table.join('\n')}\n`);
}
