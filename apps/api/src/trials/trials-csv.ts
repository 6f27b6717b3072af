import { studyTerms, type StudyRecord } from '@app/study';
import type { TrialView } from '@app/contracts';

const FIXED = ['number', 'id', 'state', 'reason', 'proposedBy', 'fidelity', 'feasible', 'onFront', 'rank', 'attempts', 'createdAt', 'settledAt', 'durationSeconds'] as const;

/** Metric columns of a study's table: those it searches for first, then what else its devices and the first trials report. */
export function metricColumns(study: StudyRecord, first: readonly TrialView[]): string[] {
  const terms = studyTerms(study.spec);
  return [...new Set([...terms.objectives, ...terms.constraints].map((t) => t.key).concat(first.flatMap((t) => Object.keys(t.metrics))))];
}

/**
 * Trials as CSV (RFC 4180, CRLF). A metric has two columns: its value, with the unit in the head, and how the value was had.
 */
export class TrialsCsv {
  private readonly parameters: readonly string[];

  constructor(study: StudyRecord, private readonly metrics: readonly string[], private readonly units: ReadonlyMap<string, string>) {
    this.parameters = study.space.parameters.map((p) => p.name);
  }

  static of(study: StudyRecord, first: readonly TrialView[]): TrialsCsv {
    const terms = studyTerms(study.spec);
    const units = new Map(first.flatMap((t) => Object.entries(t.metrics).map(([key, m]) => [key, m.unit] as const)));
    for (const t of [...terms.constraints, ...terms.objectives]) units.set(t.key, t.shownUnit);
    return new TrialsCsv(study, metricColumns(study, first), units);
  }

  head(): string {
    const metrics = this.metrics.flatMap((key) => {
      const unit = this.units.get(key);
      return [unit === undefined || unit === '1' ? key : `${key} [${unit}]`, `${key} provenance`];
    });
    return csvLine([...FIXED, ...this.parameters, ...metrics]);
  }

  rows(trials: readonly TrialView[]): string {
    return trials.map((t) => csvLine([
      ...FIXED.map((name) => t[name]),
      ...this.parameters.map((name) => t.parameters[name]),
      ...this.metrics.flatMap((key) => [t.metrics[key]?.value, t.metrics[key]?.provenance]),
    ])).join('');
  }
}

type Cell = string | number | boolean | null | undefined;

/** Cells as a line of CSV (RFC 4180): quoted where they hold a quote, a comma, a line break or space at an end. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cell).join(',')}\r\n`;

function cell(value: Cell): string {
  const text = value == null ? '' : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
