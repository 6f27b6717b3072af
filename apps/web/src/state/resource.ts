import { useCallback, useEffect, useRef, useState } from 'react';

export interface Resource<T> {
  readonly data: T | null;
  /** the latest failure; `data` is then from `at` */
  readonly error: Error | null;
  readonly loading: boolean;
  readonly at: number | null;
  readonly reload: () => void;
}

/**
 * Loads, keeps what was there while it loads again, and never lets an older answer overwrite a newer one.
 * `load` may change from render to render; `key` says when it asks for something else.
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const [state, setState] = useState<{ key: string; data: T | null; error: Error | null; loading: boolean; at: number | null }>({ key, data: null, error: null, loading: true, at: null });
  const [turn, setTurn] = useState(0);
  const loader = useRef(load);
  useEffect(() => {
    loader.current = load;
  });

  useEffect(() => {
    const controller = new AbortController();
    setState((s) => (s.key === key ? { ...s, loading: true } : { key, data: null, error: null, loading: true, at: null }));
    loader.current(controller.signal).then(
      (data) => { if (!controller.signal.aborted) setState({ key, data, error: null, loading: false, at: Date.now() }); },
      (error: unknown) => { if (!controller.signal.aborted) setState((s) => ({ ...s, error: error instanceof Error ? error : new Error(String(error)), loading: false })); },
    );
    return () => controller.abort();
  }, [key, turn]);

  const reload = useCallback(() => setTurn((t) => t + 1), []);
  const current = state.key === key ? state : { data: null, error: null, loading: true, at: null };
  return { data: current.data, error: current.error, loading: current.loading, at: current.at, reload };
}
