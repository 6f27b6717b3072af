import { metricDefinition, type MetricValue, type Metrics, type TrialProgress } from '@app/contracts';
import { EvaluatorError } from '@app/study';

export type CommandId = number | string;

/** A line of the command's standard output. */
export type Answer =
  | { readonly kind: 'metrics'; readonly id: CommandId; readonly metrics: Readonly<Record<string, unknown>>; readonly curves?: Readonly<Record<string, unknown>> | undefined }
  /** curves of an evaluation that goes on */
  | { readonly kind: 'progress'; readonly id: CommandId; readonly curves: Readonly<Record<string, unknown>>; /** as it came */ readonly epochs?: unknown }
  | { readonly kind: 'error'; readonly id: CommandId; readonly message: string }
  | { readonly kind: 'invalid'; readonly id: CommandId; readonly message: string }
  | { readonly kind: 'stray' };

/** Reads one line. Anything that is no JSON object with an id is stray. */
export const readAnswer = (line: string): Answer => answerOf(parseLenient(line), line);

/** @param line  to be shown */
export function answerOf(value: unknown, line: string): Answer {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('id' in value)) return { kind: 'stray' };
  const { id, metrics, error, curves, epochs } = value as { id: unknown; metrics?: unknown; error?: unknown; curves?: unknown; epochs?: unknown };
  if (typeof id !== 'number' && typeof id !== 'string') return { kind: 'stray' };
  if (error !== undefined && error !== null) return { kind: 'error', id, message: typeof error === 'string' ? error : JSON.stringify(error) };
  if (metrics === undefined && typeof curves === 'object' && curves !== null && !Array.isArray(curves)) return { kind: 'progress', id, curves: curves as Record<string, unknown>, ...(epochs !== undefined && { epochs }) };
  if (typeof metrics !== 'object' || metrics === null || Array.isArray(metrics)) {
    return { kind: 'invalid', id, message: `expected {"id": …, "metrics": {…}} or {"id": …, "error": "…"}, got ${line.slice(0, 200)}` };
  }
  if (curves !== undefined && curves !== null && (typeof curves !== 'object' || Array.isArray(curves))) return { kind: 'invalid', id, message: `curves: expected {"metric": [ … ]}, got ${JSON.stringify(curves).slice(0, 200)}` };
  return { kind: 'metrics', id, metrics: metrics as Record<string, unknown>, curves: (curves ?? undefined) as Record<string, unknown> | undefined };
}

/** JSON, and what many writers make of numbers JSON has no word for: bare NaN, Infinity and -Infinity become texts. Undefined: neither. */
export function parseLenient(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // texts are matched first, so that a word within one stays
    const quoted = line.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (token) => (token.startsWith('"') ? token : `"${token}"`));
    try {
      return JSON.parse(quoted);
    } catch {
      return undefined;
    }
  }
}

/**
 * The finite numbers of an answer.
 *
 * @param due  names that must be there; others are passed on if they are numbers
 * @throws EvaluatorError `invalid-metric` naming metric and value, with the metrics that are numbers
 */
export function numbersOf(metrics: Readonly<Record<string, unknown>>, due: readonly string[], toMetric: (name: string, value: number) => MetricValue): Record<string, number> {
  const numbers: Record<string, number> = {};
  const faults: string[] = [];
  for (const [name, value] of Object.entries(metrics)) {
    if (typeof value === 'number' && Number.isFinite(value)) numbers[name] = value;
    else faults.push(`metric "${name}" is ${show(value)}; a finite number is due`);
  }
  for (const name of due) if (!(name in metrics)) faults.push(`metric "${name}" is missing; the answer has ${Object.keys(metrics).join(', ') || 'none'}`);
  if (faults.length > 0) {
    const known: Metrics = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, toMetric(name, value)]));
    throw new EvaluatorError('invalid-metric', faults.join('; '), { metrics: known });
  }
  return numbers;
}

/**
 * Metrics of an answer as a trial keeps them, with the learning curves that came along.
 *
 * @throws EvaluatorError as `numbersOf`; `invalid-answer` on a curve of no metric, or that holds anything but finite numbers
 */
export function metricsOf({ metrics, curves = {} }: Extract<Answer, { kind: 'metrics' }>, due: readonly string[], source: string): Metrics {
  const toMetric = reportedMetric(source);
  const known = Object.fromEntries(Object.entries(numbersOf(metrics, due, toMetric)).map(([name, value]) => [name, toMetric(name, value)]));
  for (const [name, curve] of Object.entries(curves)) {
    const fault = (text: string): EvaluatorError => new EvaluatorError('invalid-answer', `curves.${name}: ${text}`, { metrics: known });
    const metric = known[name];
    if (metric === undefined) throw fault(`expected a curve of a metric of the answer, ${Object.keys(known).join(', ')}`);
    if (!Array.isArray(curve) || curve.length > MOST_CURVE) throw fault(`expected at most ${MOST_CURVE} numbers, got ${show(curve)}`);
    const wrong = curve.find((v) => typeof v !== 'number' || !Number.isFinite(v)) as unknown;
    if (wrong !== undefined) throw fault(`expected finite numbers, got ${show(wrong)}`);
    known[name] = { ...metric, curve: curve as number[] };
  }
  return known;
}

/** Curves of an evaluation that goes on. They decide nothing: what is no curve is left out. */
export function progressOf({ curves, epochs }: Extract<Answer, { kind: 'progress' }>): TrialProgress {
  const sound = Object.entries(curves).filter((entry): entry is [string, number[]] => Array.isArray(entry[1]) && entry[1].length <= MOST_CURVE && entry[1].every((v) => typeof v === 'number' && Number.isFinite(v)));
  return { epochs: Number.isSafeInteger(epochs) && (epochs as number) > 0 ? (epochs as number) : null, curves: Object.fromEntries(sound.map(([name, values]) => [name, { unit: metricDefinition(name)?.unit ?? '1', values }])) };
}

/** Epochs of a learning curve that are kept. */
const MOST_CURVE = 10_000;

/** As the program wrote it: the words that `parseLenient` made texts of stand bare. */
const show = (value: unknown): string => (typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value) ? value : JSON.stringify(value).slice(0, 200));

/** A number the command reported, in the unit Caddis has for the name or none. */
export function reportedMetric(source: string): (name: string, value: number) => MetricValue {
  return (name, value) => ({ value, unit: metricDefinition(name)?.unit ?? '1', provenance: 'reported', source });
}
