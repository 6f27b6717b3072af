import type { PlotData } from '../charts/plot-data.js';
import { CLASS_LABEL } from '../charts/palette.js';
import { formatQuantity } from '../format/number.js';

const escape = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

/** What a chart says of the trial under the pointer: class names only, no inline style, as the content security policy wants it. */
export function trialTip(data: PlotData, number: number, keys: readonly string[]): string {
  const row = data.rowOf.get(number);
  if (row === undefined) return '';
  const lines = [...new Set(keys)].flatMap((key) => {
    const column = data.columns.get(key);
    if (!column) return [];
    const v = column.values[row]!;
    const text = v === null ? '–' : column.categories ? column.categories[v] ?? '–' : formatQuantity(v, column.unit);
    return [`<tr><th>${escape(column.label)}</th><td>${escape(text)}</td></tr>`];
  });
  return `<div class="tip"><strong>Trial ${number}</strong> <span>${CLASS_LABEL[data.classes[row]!]}</span><table>${lines.join('')}</table></div>`;
}

export const plainTip = (title: string, value: string): string => `<div class="tip"><strong>${escape(title)}</strong><div>${escape(value)}</div></div>`;
