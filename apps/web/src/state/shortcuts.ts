import { createStore } from './store.js';

const KEY = 'caddis.shortcuts';

function remembered(): boolean {
  try {
    return localStorage.getItem(KEY) !== 'off';
  } catch {
    return true;
  }
}

/** Single-key shortcuts can be switched off (WCAG 2.1.4): speech input sets them off by accident. */
export const shortcutsOn = createStore<boolean>(typeof localStorage === 'undefined' ? true : remembered());

export function setShortcuts(on: boolean): void {
  shortcutsOn.set(on);
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off');
  } catch {
    // storage refused: the choice holds for this visit
  }
}

export const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
