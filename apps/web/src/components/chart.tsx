import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';

type Engine = typeof import('../charts/engine.js');
export type ChartInstance = ReturnType<Engine['init']>;
export type ChartEvent = Readonly<Record<string, unknown>> & { readonly data?: unknown };

interface Props {
  readonly option: Record<string, unknown>;
  readonly height: number;
  /** one sentence: what a screen reader hears when it comes here */
  readonly summary: string;
  readonly kind: string;
  readonly onEvents?: Readonly<Record<string, (event: ChartEvent, chart: ChartInstance) => void>>;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly onReady?: (chart: ChartInstance) => void;
}

/** One canvas, one tab stop. The engine is fetched when the first chart comes up; redraws are one an animation frame at most. */
export function Chart({ option, height, summary, kind, onEvents, onKeyDown, onReady }: Props): React.JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<ChartInstance | null>(null);
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let disposed = false;
    let instance: ChartInstance | null = null;
    let observer: ResizeObserver | null = null;
    void import('../charts/engine.js').then(({ init }) => {
      if (disposed || !host.current) return;
      instance = init(host.current, null, { renderer: 'canvas' });
      observer = new ResizeObserver(() => instance?.resize());
      observer.observe(host.current);
      setChart(instance);
    }, () => setFailed(true));
    return () => {
      disposed = true;
      observer?.disconnect();
      instance?.dispose();
    };
  }, []);

  useEffect(() => {
    if (!chart || chart.isDisposed()) return undefined;
    const frame = requestAnimationFrame(() => {
      if (chart.isDisposed()) return;
      chart.setOption({ textStyle: { fontFamily: FONT }, ...option }, { notMerge: true, lazyUpdate: false });
      onReady?.(chart);
    });
    return () => cancelAnimationFrame(frame);
  }, [chart, option, onReady]);

  useEffect(() => {
    if (!chart || !onEvents) return undefined;
    const bound = Object.entries(onEvents).map(([name, handler]) => [name, (event: unknown): void => handler(event as ChartEvent, chart)] as const);
    for (const [name, handler] of bound) chart.on(name, handler);
    return () => {
      if (!chart.isDisposed()) for (const [name, handler] of bound) chart.off(name, handler);
    };
  }, [chart, onEvents]);

  if (failed) return <p className="note note-bad">The chart could not be loaded. Its table below has the same data.</p>;
  const interactive = onKeyDown !== undefined;
  return (
    <div
      className="chart"
      role={interactive ? 'application' : 'img'}
      aria-roledescription={kind}
      aria-label={summary}
      tabIndex={interactive ? 0 : -1}
      onKeyDown={onKeyDown}
      style={{ height }}
    >
      <div ref={host} className="chart-canvas" aria-hidden="true" />
      {chart === null && <div className="chart-wait">Loading chart…</div>}
    </div>
  );
}
