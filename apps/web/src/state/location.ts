import { createStore, useStore } from './store.js';

/** Where the reader is. Everything that makes up a view is in here, so that a link reproduces it. */
export interface Place {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

export type Route =
  | { readonly page: 'studies' }
  | { readonly page: 'new' }
  | { readonly page: 'study'; readonly id: string }
  | { readonly page: 'unknown'; readonly path: string };

export function routeOf(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  if (parts.length === 0) return { page: 'studies' };
  if (parts[0] === 'studies') {
    if (parts.length === 1) return { page: 'studies' };
    if (parts.length === 2) return parts[1] === 'new' ? { page: 'new' } : { page: 'study', id: decodeURIComponent(parts[1]!) };
  }
  return { page: 'unknown', path };
}

export function placeOf(url: { readonly pathname: string; readonly search: string }): Place {
  return { path: url.pathname, query: Object.fromEntries(new URLSearchParams(url.search)) };
}

/** The address of a place; keys with an empty value are left out. Commas, @ and : stay readable. */
export function addressOf(place: Place): string {
  const pairs = Object.entries(place.query).filter(([, value]) => value !== '');
  const query = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${readable(encodeURIComponent(value))}`).join('&');
  return query === '' ? place.path : `${place.path}?${query}`;
}

const readable = (text: string): string => text.replaceAll('%2C', ',').replaceAll('%40', '@').replaceAll('%3A', ':');

const place = createStore<Place>(typeof location === 'undefined' ? { path: '/', query: {} } : placeOf(location));
if (typeof window !== 'undefined') window.addEventListener('popstate', () => place.set(placeOf(location)));

export const usePlace = (): Place => useStore(place);

export function go(address: string, replace = false): void {
  const next = new URL(address, location.origin);
  history[replace ? 'replaceState' : 'pushState'](null, '', next);
  place.set(placeOf(next));
  if (!replace) window.scrollTo(0, 0);
}

/** Changes some keys of the query, in place: the back button steps between pages, not between every click in a chart. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, query } = place.get();
  const next: Record<string, string> = { ...query };
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined || value === '') delete next[key];
    else next[key] = value;
  }
  history.replaceState(null, '', addressOf({ path, query: next }));
  place.set({ path, query: next });
}
