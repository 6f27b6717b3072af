import type { SeriesView } from '@app/contracts';

/** All trials as CSV (RFC 4180): number, state, feasible, on the front, then every column with its unit in the head. */
export function seriesCsv(series: SeriesView): string {
  const keys = Object.keys(series.columns);
  const head = ['number', 'state', 'feasible', 'onFront', ...keys.map((k) => (series.columns[k]!.unit === null ? k : `${k} [${series.columns[k]!.unit}]`))];
  const rows = series.number.map((number, i) => [number, series.state[i]!, series.feasible[i]!, series.onFront[i]!, ...keys.map((k) => series.columns[k]!.values[i]!)]);
  return [head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(value: string | number | boolean | null): string {
  if (value === null) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Hands the reader a file made here. */
export function saveText(text: string, fileName: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export const fileNameOf = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'study';
