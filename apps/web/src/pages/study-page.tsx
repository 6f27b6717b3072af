import { useEffect } from 'react';
import type { StudyDetail } from '@app/contracts';
import { Empty, Failure, Loading } from '../components/basics.js';
import { Foresight } from '../components/foresight.js';
import { StudyCurves } from '../components/study-curves.js';
import { StudyHead } from '../components/study-head.js';
import { setQuery, usePlace, type Place } from '../state/location.js';
import { closeDrawer, openTrial, select, selectionOf } from '../state/selection.js';
import { isTyping, shortcutsOn } from '../state/shortcuts.js';
import { useStudyData, type StudyData } from '../state/study-data.js';
import { FrontTab } from './front-tab.js';
import { ProgressTab } from './progress-tab.js';
import { SpecTab } from './spec-tab.js';
import { TradeOffTab } from './trade-off-tab.js';
import { TrialDrawer } from './trial-drawer.js';
import { TrialsTab } from './trials-tab.js';

const TABS = [['front', 'Front'], ['trade-off', 'Trade-off'], ['progress', 'Progress'], ['trials', 'Trials'], ['spec', 'Spec']] as const;
type Tab = (typeof TABS)[number][0];

export interface TabProps {
  readonly data: StudyData;
  readonly detail: StudyDetail;
  readonly place: Place;
}

export function StudyPage({ id }: { readonly id: string }): React.JSX.Element {
  const data = useStudyData(id);
  const place = usePlace();
  const detail = data.study.data;
  const selection = selectionOf(place.query);
  const tab: Tab = TABS.find(([key]) => key === place.query['tab'])?.[0] ?? 'front';
  useStudyKeys(data);
  useEffect(() => {
    document.title = detail ? `${detail.name} · Caddis` : 'Caddis';
  }, [detail?.name]);

  if (!detail) return <div className="page">{data.study.error ? <Failure error={data.study.error} retry={data.study.reload} what="study" /> : <Loading what="study" />}</div>;
  const dataError = data.series.error ?? data.front.error ?? data.study.error;
  const props: TabProps = { data, detail, place };
  return (
    <div className={selection.drawer ? 'page with-drawer' : 'page'}>
      <StudyHead detail={detail} data={data} />
      {dataError && <Failure error={dataError} at={data.series.at} retry={() => { data.study.reload(); data.series.reload(); data.front.reload(); }} what="study" />}
      <div className="tabs" role="tablist" aria-label="Views of the study">
        {TABS.map(([key, label]) => (
          <button key={key} id={`tab-${key}`} type="button" role="tab" aria-selected={tab === key} aria-controls="tab-panel" tabIndex={tab === key ? 0 : -1} onClick={() => setQuery({ tab: key === 'front' ? undefined : key })} onKeyDown={moveTab}>
            {label}{key === 'front' && <span className="count">{detail.frontSize}</span>}{key === 'trials' && <span className="count">{detail.counts.total}</span>}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === 'spec' ? <SpecTab {...props} /> : data.plot === null && dataError === null ? <Loading what="trials" /> : (
          <>
            {(tab === 'front' || tab === 'trade-off' || tab === 'progress') && (noTrials(detail) ?? (
              <>
                {tab === 'front' && <FrontTab {...props} />}
                {tab === 'trade-off' && <TradeOffTab {...props} />}
                {tab === 'progress' && <ProgressTab {...props} />}
              </>
            ))}
            {tab === 'progress' && <><StudyCurves data={data} detail={detail} selection={selection} /><Foresight data={data} detail={detail} /></>}
            {tab === 'trials' && <TrialsTab {...props} />}
          </>
        )}
      </div>
      {selection.drawer && selection.selected !== null && <TrialDrawer key={selection.selected} number={selection.selected} data={data} detail={detail} selection={selection} />}
    </div>
  );
}

/** Empty states before there is anything to draw, each saying which one it is. */
function noTrials(detail: StudyDetail): React.JSX.Element | null {
  const { counts, state } = detail;
  if (counts.completed + counts.infeasible > 0) return null;
  if (state === 'draft') return <Empty title="This study is a draft"><p>Nothing runs until it is started.</p></Empty>;
  if (state === 'queued') return <Empty title="Waiting in the queue"><p>The study starts as soon as a worker is free. If none is running, start one with <code>caddis worker</code>.</p></Empty>;
  if (counts.failed > 0) return <Empty title={`${counts.failed} ${counts.failed === 1 ? 'trial' : 'trials'} failed, none finished`}><p>{detail.message ?? 'The Trials tab has the reason of each.'}</p></Empty>;
  if (state === 'running') return <Empty title="Running, no trial has finished yet"><p>{counts.running} running, {counts.pending} waiting. The first result shows here by itself.</p></Empty>;
  return <Empty title="No trial was evaluated"><p>{detail.message ?? detail.reason ?? 'The study ended before its first trial.'}</p></Empty>;
}

function moveTab(event: React.KeyboardEvent<HTMLButtonElement>): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const tabs = [...(event.currentTarget.parentElement?.querySelectorAll<HTMLButtonElement>('[role="tab"]') ?? [])];
  const next = tabs[(tabs.indexOf(event.currentTarget) + step + tabs.length) % tabs.length];
  next?.focus();
  next?.click();
}

/** Escape closes, `[` and `]` walk the front. */
function useStudyKeys(data: StudyData): void {
  const plot = data.plot;
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
      const selection = selectionOf(Object.fromEntries(new URLSearchParams(location.search)));
      if (event.key === 'Escape') {
        if (selection.drawer) closeDrawer();
        else if (!isTyping(event.target)) select(null);
        return;
      }
      if (isTyping(event.target) || !shortcutsOn.get() || !plot) return;
      const step = event.key === ']' ? 1 : event.key === '[' ? -1 : 0;
      if (step === 0) return;
      const front = frontAlongFirstObjective(plot);
      if (front.length === 0) return;
      const at = selection.selected === null ? (step > 0 ? -1 : 0) : front.indexOf(selection.selected);
      const next = front[(at + step + front.length) % front.length]!;
      if (selection.drawer) openTrial(next);
      else select(next);
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [plot]);
}

function frontAlongFirstObjective(plot: NonNullable<StudyData['plot']>): number[] {
  const values = plot.columns.get(plot.objectives[0] ?? '')?.values;
  return plot.number.map((_, i) => i).filter((i) => plot.classes[i] === 'front').sort((a, b) => (values?.[a] ?? 0) - (values?.[b] ?? 0)).map((i) => plot.number[i]!);
}
