import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { FrontView, SeriesView, StudyDetail, StudyEvent } from '@app/contracts';
import { getFront, getSeries, getStudy } from '../api/endpoints.js';
import { followStudy, type LinkState } from '../api/events.js';
import { plotData, type PlotData } from '../charts/plot-data.js';
import { useResource, type Resource } from './resource.js';

export interface StudyData {
  readonly study: Resource<StudyDetail>;
  readonly series: Resource<SeriesView>;
  readonly front: Resource<FrontView>;
  readonly plot: PlotData | null;
  /** null: the study is over, nothing more will come */
  readonly link: LinkState | null;
  /** grows when trials have settled; tables that page on the server ask again */
  readonly tick: number;
  /** grows when running trials have reported progress */
  readonly pulse: number;
}

const REFRESH_MS = 1500;
const PULSE_MS = 700;
const TERMINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled']);

/** All the study page shows, kept up to date: the head by events at once, the charts' columns at most every 1.5 s. */
export function useStudyData(id: string): StudyData {
  const study = useResource(`study:${id}`, useCallback((signal: AbortSignal) => getStudy(id, signal), [id]));
  const series = useResource(`series:${id}`, useCallback((signal: AbortSignal) => getSeries(id, signal), [id]));
  const front = useResource(`front:${id}`, useCallback((signal: AbortSignal) => getFront(id, signal), [id]));
  const [patch, setPatch] = useState<{ id: string; fields: Partial<StudyDetail> }>({ id, fields: {} });
  const [link, setLink] = useState<LinkState>('connecting');
  const [tick, setTick] = useState(0);
  const [pulse, setPulse] = useState(0);

  const reloads = useRef({ study: study.reload, series: series.reload, front: front.reload });
  useEffect(() => {
    reloads.current = { study: study.reload, series: series.reload, front: front.reload };
  });

  const detail = useMemo(() => (study.data ? { ...study.data, ...(patch.id === id && (patch.fields.revision ?? 0) > study.data.revision ? patch.fields : {}) } : null), [study.data, patch, id]);
  const over = detail !== null && TERMINAL.has(detail.state);

  useEffect(() => {
    if (detail === null || over) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let pulseTimer: ReturnType<typeof setTimeout> | undefined;
    const pulseSoon = (): void => {
      pulseTimer ??= setTimeout(() => {
        pulseTimer = undefined;
        setPulse((p) => p + 1);
      }, PULSE_MS);
    };
    let seen = 0;
    let refreshed = -Infinity;
    const refreshSoon = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        refreshed = performance.now();
        reloads.current.series();
        reloads.current.front();
        setTick((t) => t + 1);
      }, Math.max(0, refreshed + REFRESH_MS - performance.now()));
    };
    const merge = (revision: number, fields: Partial<StudyDetail>): void => setPatch((p) => ({ id, fields: { ...(p.id === id ? p.fields : {}), ...fields, revision: Math.max(revision, p.id === id ? p.fields.revision ?? 0 : 0) } }));
    const onEvent = (event: StudyEvent): void => {
      merge(event.revision, fieldsOf(event));
      if (event.type === 'study.state') {
        reloads.current.study();
        refreshSoon();
      }
      if (event.type === 'trial.progress') pulseSoon();
      if (event.type === 'trial.finished' || event.type === 'front.changed') refreshSoon();
      if (event.type === 'snapshot') {
        if (seen !== 0 && event.revision !== seen) refreshSoon();
        seen = event.revision;
      }
    };
    const stop = followStudy(id, { onEvent, onLink: setLink, poll: () => { reloads.current.study(); refreshSoon(); } });
    return () => {
      clearTimeout(timer);
      clearTimeout(pulseTimer);
      stop();
    };
  }, [id, detail === null, over]);

  // the last events of a study may come after the stream has ended: one look at the final figures
  useEffect(() => {
    if (!over) return;
    reloads.current.series();
    reloads.current.front();
    setTick((t) => t + 1);
  }, [over]);

  const plot = useMemo(() => (series.data && detail ? plotData(series.data, detail) : null), [series.data, detail?.objectives, detail?.constraints, detail?.parameters]);
  return { study: { ...study, data: detail }, series, front, plot, link: over ? null : link, tick, pulse };
}

function fieldsOf(event: StudyEvent): Partial<StudyDetail> {
  switch (event.type) {
    case 'snapshot': return event.data;
    case 'study.state': return event.data;
    case 'trial.finished': return { counts: event.data.counts };
    case 'front.changed': return { frontSize: event.data.size, hypervolume: event.data.hypervolume };
    case 'progress': return { progress: event.data };
    case 'trial.progress': return {};
  }
}
