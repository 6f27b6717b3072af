export interface Throttled<T> {
  readonly push: (value: T) => void;
  /** what waits is dropped */
  readonly stop: () => void;
}

/** Hands values on one at a time: the first at once, then the latest, `everyMs` after the one before was taken. Those between are dropped; so are refusals. */
export function throttled<T>(send: (value: T) => Promise<unknown>, everyMs: number): Throttled<T> {
  let latest: { readonly value: T } | null = null;
  let resting = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const next = (): void => {
    resting = latest !== null && !stopped;
    if (latest === null || stopped) return;
    const { value } = latest;
    latest = null;
    const rest = (): void => {
      if (!stopped) timer = setTimeout(next, everyMs);
    };
    send(value).then(rest, rest);
  };
  return {
    push: (value) => {
      latest = { value };
      if (!resting) next();
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
