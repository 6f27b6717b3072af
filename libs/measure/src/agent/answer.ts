import { convert, unitsOf } from '@app/contracts';
import { EvaluatorError } from '@app/study';
import { parseLenient } from '@app/train';
import { summarize } from '../statistics.js';

/** What an agent measured, in s, J or B. */
export interface Reading {
  readonly value: number;
  /** 90 % of the runs lie within, where the agent says so or sends its samples */
  readonly interval?: readonly [number, number];
  /** runs behind it, where known */
  readonly runs?: number;
}

/** Metric name → reading. */
export type Readings = Partial<Record<'latency' | 'energy' | 'peakRam', Reading>>;

/** Fields of an answer: the metric each gives and its canonical unit. */
const FIELDS = { latency: { metric: 'latency', unit: 's' }, energy: { metric: 'energy', unit: 'J' }, memory: { metric: 'peakRam', unit: 'B' } } as const;
type Field = keyof typeof FIELDS;

/** Longest piece of an answer that a message shows, in characters. */
const SHOWN = 200;

/** JSON object or not; undefined: no answer at all. */
export function answerObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parseLenient(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/**
 * `{"id": 7, "latency": {"median": 3.1, "unit": "ms", "low": 3.0, "high": 3.4}}`, or `"samples": [3.0, 3.1, …]` instead of the median,
 * likewise `energy` and `memory`; or `{"id": 7, "error": "why"}`. Other fields are ignored, fields of a measurement are not.
 *
 * @param id  of the request
 * @throws EvaluatorError `agent-wrong-id`, `agent-error` (the agent's own word), `invalid-measurement` naming field, what came and what was due
 */
export function readAnswer(answer: Readonly<Record<string, unknown>>, id: number): Readings {
  if (answer['id'] !== id) throw new EvaluatorError('agent-wrong-id', `id: expected ${id}, got ${show(answer['id'])}`);
  const { error } = answer;
  if (error !== undefined && error !== null) throw new EvaluatorError('agent-error', typeof error === 'string' ? error.slice(0, 2000) : show(error));
  const readings: Readings = {};
  for (const field of Object.keys(FIELDS) as Field[]) {
    if (answer[field] === undefined || answer[field] === null) continue;
    readings[FIELDS[field].metric] = reading(field, answer[field]);
  }
  return readings;
}

function reading(field: Field, given: unknown): Reading {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw invalid(field, 'an object with median (or samples) and unit', given);
  const { median, samples, low, high, unit, ...rest } = given as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalid(`${field}.${unknown}`, 'median or samples, unit, low and high only', rest[unknown]);
  const canonical = FIELDS[field].unit;
  const units = unitsOf(canonical);
  if (unit === undefined) throw invalid(`${field}.unit`, `one of ${units.join(', ')}`, undefined);
  if (typeof unit !== 'string' || !units.includes(unit)) throw invalid(`${field}.unit`, `one of ${units.join(', ')}`, unit);
  const si = (name: string, value: unknown): number => {
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw invalid(`${field}.${name}`, 'a positive finite number', value);
    return convert(value, unit, canonical);
  };
  if ((median === undefined) === (samples === undefined)) throw invalid(field, 'either median or samples', given);
  if (samples !== undefined) {
    if (!Array.isArray(samples) || samples.length === 0 || samples.length > 100_000) throw invalid(`${field}.samples`, '1 to 100000 numbers', samples);
    if (low !== undefined || high !== undefined) throw invalid(field, 'low and high beside a median only, samples tell them', given);
    const summary = summarize(samples.map((x, i) => si(`samples[${i}]`, x)));
    return { value: summary.median, runs: summary.count, ...(summary.count < 5 ? {} : { interval: [summary.low, summary.high] }) };
  }
  const value = si('median', median);
  if (low === undefined && high === undefined) return { value };
  const interval = [si('low', low), si('high', high)] as const;
  if (!(interval[0] <= value && value <= interval[1])) throw invalid(field, 'low ≤ median ≤ high', given);
  return { value, interval };
}

const invalid = (field: string, due: string, got: unknown): EvaluatorError => new EvaluatorError('invalid-measurement', `${field}: expected ${due}, got ${show(got)}`);

/** As the agent wrote it: the words that `parseLenient` made texts of stand bare. */
function show(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value) ? value : JSON.stringify(value).slice(0, SHOWN);
}
