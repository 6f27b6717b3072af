import { useSyncExternalStore } from 'react';
import { DARK, LIGHT, type Palette } from '../charts/palette.js';

const query = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');
const subscribe = (listener: () => void): (() => void) => {
  const media = query();
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
};

/** Colours of the charts, following the system's scheme as the style sheet does. */
export const usePalette = (): Palette => useSyncExternalStore(subscribe, () => (query().matches ? DARK : LIGHT));
