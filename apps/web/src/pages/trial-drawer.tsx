import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { StudyDetail, TrialView } from '@app/contracts';
import { getNetwork, getTrial, listDevices } from '../api/endpoints.js';
import { ApiError } from '../api/client.js';
import { Exports } from '../components/exports.js';
import { Failure, Loading, TrialChip } from '../components/basics.js';
import { LayerTable } from '../components/layer-table.js';
import { MemoryView } from '../components/memory-view.js';
import { MetricTable, Slack } from '../components/metric-table.js';
import { TrialCurve } from '../components/trial-curve.js';
import { NetworkDrawing } from '../components/network-drawing.js';
import { formatDuration, formatShare } from '../format/number.js';
import { useResource } from '../state/resource.js';
import { closeDrawer, togglePin, type Selection } from '../state/selection.js';
import type { StudyData } from '../state/study-data.js';

interface Props {
  readonly number: number;
  readonly data: StudyData;
  readonly detail: StudyDetail;
  readonly selection: Selection;
}

export function TrialDrawer({ number, data, detail, selection }: Props): React.JSX.Element {
  const row = data.plot?.rowOf.get(number);
  const id = row === undefined ? undefined : data.series.data?.id[row];
  const drawer = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    drawer.current?.focus();
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus(); };
  }, []);
  const pinned = selection.pinned.includes(number);
  return (
    <aside className="drawer" ref={drawer} tabIndex={-1} role="dialog" aria-label={`Trial ${number}`}>
      <header className="drawer-head">
        <h2>Trial {number}</h2>
        <div className="panel-tools">
          <button type="button" className="button button-small" aria-pressed={pinned} onClick={() => togglePin(selection, number)}>{pinned ? '◆ Pinned' : '◇ Pin'}</button>
          <CopyLink />
          <button type="button" className="button button-small" onClick={closeDrawer}>Close <kbd>Esc</kbd></button>
        </div>
      </header>
      {id === undefined
        ? (data.series.data ? <p className="note note-bad">This study has no trial {number}.</p> : <Loading what="trial" />)
        : <TrialBody id={id} data={data} detail={detail} />}
    </aside>
  );
}

function CopyLink(): React.JSX.Element {
  const [copied, setCopied] = useState(false);
  const [shown, setShown] = useState(false);
  const copy = async (): Promise<void> => {
    // the clipboard needs a secure context; elsewhere the link is shown to be copied by hand
    if (!('clipboard' in navigator)) return setShown(true);
    await navigator.clipboard.writeText(location.href).then(() => setCopied(true), () => setShown(true));
  };
  if (shown) return <input className="link-text" aria-label="Link to this view" readOnly value={location.href} autoFocus onFocus={(e) => e.target.select()} />;
  return <button type="button" className="button button-small" onClick={() => void copy()}>{copied ? 'Link copied' : 'Copy link'}</button>;
}

function TrialBody({ id, data, detail }: { readonly id: string; readonly data: StudyData; readonly detail: StudyDetail }): React.JSX.Element {
  const trial = useResource(`trial:${id}`, useCallback((signal: AbortSignal) => getTrial(id, signal), [id]));
  const { reload } = trial;
  const open = trial.data?.state === 'running' || trial.data?.state === 'pending';
  useEffect(() => {
    if (open) reload();
  }, [data.tick, data.pulse, open, reload]);
  const t = trial.data;
  if (!t) return trial.error ? <Failure error={trial.error} retry={reload} what="trial" /> : <Loading what="trial" />;
  const frontEntry = data.front.data?.trials.find((f) => f.id === id);
  return (
    <div className="drawer-body">
      <p className="trial-line">
        <TrialChip state={t.state} onFront={t.onFront} />
        {frontEntry?.knee === true && <span className="tag">knee</span>}
        {t.rank !== null && t.rank > 0 && <span className="tag">rank {t.rank}</span>}
        {t.fidelity < 1 && <span className="tag" title="not a full evaluation: it is learned from and comes on no front">{formatShare(t.fidelity)} of a full evaluation</span>}
        <span className="dim">proposed by {t.proposedBy}{t.durationSeconds !== null && <> · took {formatDuration(t.durationSeconds)}</>}{t.attempts > 1 && <> · attempt {t.attempts}</>}</span>
      </p>
      {t.message !== null && <p className={t.state === 'failed' ? 'note note-bad' : 'note'}>{t.reason !== null && <strong>{t.reason}: </strong>}{t.message}</p>}
      <section><h3>Metrics</h3><MetricTable trial={t} detail={detail} /></section>
      <TrialCurve trial={t} objectives={detail.objectives} />
      {detail.constraints.length > 0 && <section><h3>Limits</h3><Slack trial={t} detail={detail} /></section>}
      <section><h3>Parameters</h3><Parameters trial={t} detail={detail} /></section>
      {(t.state === 'completed' || t.state === 'infeasible') && <NetworkSections trial={t} />}
    </div>
  );
}

function Parameters({ trial, detail }: { readonly trial: TrialView; readonly detail: StudyDetail }): React.JSX.Element {
  const order = detail.parameters.map((p) => p.name);
  const names = [...new Set([...order, ...Object.keys(trial.parameters)])];
  return (
    <dl className="parameters">
      {names.map((name) => <div key={name} title={detail.parameters.find((p) => p.name === name)?.description ?? undefined}><dt>{name}</dt><dd>{trial.parameters[name] === undefined ? <span className="dim">inactive</span> : String(trial.parameters[name])}</dd></div>)}
    </dl>
  );
}

function NetworkSections({ trial }: { readonly trial: TrialView }): React.JSX.Element {
  const network = useResource(`network:${trial.id}`, useCallback((signal: AbortSignal) => getNetwork(trial.id, signal), [trial.id]));
  const devices = useResource('devices', useCallback((signal: AbortSignal) => listDevices(signal), []));
  const [chosen, setChosen] = useState(0);
  const n = network.data;
  const device = n?.devices[Math.min(chosen, n.devices.length - 1)];
  const ram = useMemo(() => {
    const figure = devices.data?.find((d) => d.id === device?.device)?.ram;
    return figure?.unit === 'B' ? figure.value : null;
  }, [devices.data, device]);
  if (!n) {
    const none = network.error instanceof ApiError && network.error.problem.status < 500;
    if (none) return <section><h3>Network</h3><p className="dim">{network.error?.message ?? 'This trial has no network.'}</p></section>;
    return network.error ? <Failure error={network.error} retry={network.reload} what="network" /> : <Loading what="network" />;
  }
  return (
    <>
      <section><h3>Export</h3><Exports trialId={trial.id} /></section>
      <section>
        <div className="section-head">
          <h3>Network</h3>
          {n.devices.length > 0 && <label className="inline-field">priced on<select value={chosen} onChange={(e) => setChosen(Number(e.target.value))}>{n.devices.map((d, i) => <option key={`${d.device}${d.precision}`} value={i}>{d.device}, {d.precision}</option>)}</select></label>}
        </div>
        <NetworkDrawing key={device?.device ?? ''} network={n} device={device} />
      </section>
      {device && <section><h3>Memory over time</h3><MemoryView device={device} nodes={n.nodes} ram={ram} /></section>}
      {device && <section><h3>Cost by layer</h3><LayerTable network={n} device={device} /></section>}
    </>
  );
}
