import type { KeyboardEvent } from 'react';
import { createStore } from './store.js';
import { setQuery, type Place } from './location.js';

/** Closed range of a column; a categorical column's values are positions in its declared order. */
export type Range = readonly [number, number];
export type Brush = Readonly<Record<string, Range>>;

/** What is selected, everywhere at once. Trials are known by their number. */
export interface Selection {
  readonly selected: number | null;
  readonly drawer: boolean;
  readonly pinned: readonly number[];
  readonly brush: Brush;
}

const MAX_PINNED = 6;

/** Under the pointer; changes too often for the address bar. */
export const hovered = createStore<number | null>(null);

const wholeNumber = (text: string | undefined): number | null => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null);

export function selectionOf(query: Place['query']): Selection {
  const selected = wholeNumber(query['trial']);
  return {
    selected,
    drawer: selected !== null && query['open'] === '1',
    pinned: (query['pin'] ?? '').split(',').flatMap((t) => wholeNumber(t) ?? []).slice(0, MAX_PINNED),
    brush: parseBrush(query['brush'] ?? ''),
  };
}

/** `latency@pixel-3:0.1..2.5,width:1..3` */
export function parseBrush(text: string): Brush {
  const brush: Record<string, Range> = {};
  for (const part of text.split(',')) {
    const match = /^(.+):(-?[\d.eE+-]+?)\.\.(-?[\d.eE+-]+)$/.exec(part);
    if (!match) continue;
    const low = Number(match[2]);
    const high = Number(match[3]);
    if (Number.isFinite(low) && Number.isFinite(high) && low <= high) brush[match[1]!] = [low, high];
  }
  return brush;
}

const short = (x: number): string => String(Number(x.toPrecision(6)));
export const formatBrush = (brush: Brush): string => Object.entries(brush).map(([key, [low, high]]) => `${key}:${short(low)}..${short(high)}`).join(',');

export const select = (number: number | null): void => setQuery({ trial: number === null ? undefined : String(number), ...(number === null ? { open: undefined } : {}) });
export const openTrial = (number: number): void => setQuery({ trial: String(number), open: '1' });
export const closeDrawer = (): void => setQuery({ open: undefined });
export const setBrush = (brush: Brush): void => setQuery({ brush: formatBrush(brush) });

export function togglePin(selection: Selection, number: number): void {
  const rest = selection.pinned.filter((n) => n !== number);
  const next = rest.length < selection.pinned.length ? rest : [...selection.pinned, number].slice(-MAX_PINNED);
  setQuery({ pin: next.join(',') });
}

/** Arrow keys move along an order of trials, Home and End to its ends; Enter opens, Space pins. */
export function walk(event: KeyboardEvent, order: readonly number[], selection: Selection): void {
  const at = selection.selected === null ? -1 : order.indexOf(selection.selected);
  const last = order.length - 1;
  const to = event.key === 'ArrowRight' || event.key === 'ArrowUp' ? (at < 0 ? 0 : Math.min(last, at + 1))
    : event.key === 'ArrowLeft' || event.key === 'ArrowDown' ? (at < 0 ? last : Math.max(0, at - 1))
      : event.key === 'Home' ? 0 : event.key === 'End' ? last : null;
  if (to !== null && order.length > 0) {
    event.preventDefault();
    select(order[to]!);
  } else if (selection.selected !== null && event.key === 'Enter') {
    event.preventDefault();
    openTrial(selection.selected);
  } else if (selection.selected !== null && event.key === ' ') {
    event.preventDefault();
    togglePin(selection, selection.selected);
  }
}
