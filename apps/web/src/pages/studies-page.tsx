import { useCallback, useEffect, useMemo, useState } from 'react';
import type { StudyState, StudySummary } from '@app/contracts';
import { listStudies } from '../api/endpoints.js';
import { Empty, Failure, Link, Loading, Progress, StateChip } from '../components/basics.js';
import { columnLabel } from '../format/names.js';
import { formatAge, formatCount, formatDuration, formatNumber, formatRange } from '../format/number.js';
import { useNow } from '../state/clock.js';
import { setQuery, usePlace } from '../state/location.js';
import { useResource } from '../state/resource.js';

const REFRESH_MS = 4000;
const GROUPS: readonly { readonly key: string; readonly label: string; readonly states: readonly StudyState[] }[] = [
  { key: 'active', label: 'Active', states: ['queued', 'running', 'paused', 'stopping'] },
  { key: 'completed', label: 'Completed', states: ['completed'] },
  { key: 'ended', label: 'Failed or cancelled', states: ['failed', 'cancelled'] },
  { key: 'draft', label: 'Drafts', states: ['draft'] },
];

export function StudiesPage(): React.JSX.Element {
  const { query } = usePlace();
  const [pages, setPages] = useState(1);
  const list = useResource(`studies:${pages}`, useCallback(async (signal: AbortSignal) => {
    let cursor = '';
    const items: StudySummary[] = [];
    for (let i = 0; i < pages; i++) {
      const page = await listStudies(cursor, signal);
      items.push(...page.items);
      cursor = page.nextCursor;
      if (cursor === '') break;
    }
    return { items, more: cursor !== '' };
  }, [pages]));
  const { reload } = list;
  useEffect(() => {
    const timer = setInterval(reload, REFRESH_MS);
    return () => clearInterval(timer);
  }, [reload]);
  useEffect(() => {
    document.title = 'Studies · Caddis';
  }, []);

  const search = query['q'] ?? '';
  const group = query['state'] ?? '';
  const all = list.data?.items;
  const shown = useMemo(() => (all ?? []).filter((s) => matches(s, search) && (group === '' || GROUPS.find((g) => g.key === group)?.states.includes(s.state))), [all, search, group]);

  return (
    <div className="page">
      <div className="page-head">
        <h1>Studies</h1>
        <div className="filters" role="search">
          <input type="search" aria-label="Search studies by name, label, objective or device" placeholder="Search name, label, objective…" value={search} onChange={(e) => setQuery({ q: e.target.value })} />
          <div className="segments" role="group" aria-label="Filter by state">
            <button type="button" aria-pressed={group === ''} onClick={() => setQuery({ state: undefined })}>All</button>
            {GROUPS.map((g) => <button type="button" key={g.key} aria-pressed={group === g.key} onClick={() => setQuery({ state: g.key })}>{g.label}</button>)}
          </div>
        </div>
        <Link to="/studies/new" className="button button-primary">New study</Link>
      </div>
      {list.error && <Failure error={list.error} at={list.at} retry={reload} what="list of studies" />}
      {!all && !list.error && <Loading what="studies" />}
      {all?.length === 0 && <NoStudies />}
      {all && all.length > 0 && shown.length === 0 && (
        <Empty title="The filter hides all studies" action={<button type="button" className="button" onClick={() => setQuery({ q: undefined, state: undefined })}>Clear the filter</button>}>
          <p>{formatCount(all.length)} {all.length === 1 ? 'study is' : 'studies are'} hidden.</p>
        </Empty>
      )}
      {shown.length > 0 && <StudyTable studies={shown} />}
      {list.data?.more === true && <p className="more"><button type="button" className="button" onClick={() => setPages((p) => p + 1)}>Load more</button></p>}
    </div>
  );
}

function matches(study: StudySummary, search: string): boolean {
  const text = [study.name, study.space, study.algorithm, study.state, ...Object.entries(study.labels).flat(), ...study.objectives.map((o) => columnLabel(o.key))].join(' ').toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function StudyTable({ studies }: { readonly studies: readonly StudySummary[] }): React.JSX.Element {
  const now = useNow(10_000);
  return (
    <div className="table-wrap panel" tabIndex={0} role="region" aria-label="Studies">
      <table className="table studies">
        <thead><tr><th scope="col">Study</th><th scope="col">State</th><th scope="col">Progress</th><th scope="col">Objectives</th><th scope="col" className="num">Front</th><th scope="col" className="num">Hypervolume</th><th scope="col" className="num">Created</th></tr></thead>
        <tbody>{studies.map((s) => <StudyRow key={s.id} study={s} now={now} />)}</tbody>
      </table>
    </div>
  );
}

function StudyRow({ study: s, now }: { readonly study: StudySummary; readonly now: number }): React.JSX.Element {
  const settled = s.counts.completed + s.counts.infeasible + s.counts.failed + s.counts.cancelled;
  const eta = s.state === 'running' && s.progress.etaSeconds ? `${formatRange(s.progress.etaSeconds)} left` : s.state === 'queued' ? 'waiting for a worker' : s.startedAt ? `ran ${formatDuration(s.runningSeconds)}` : 'not started';
  return (
    <tr>
      <td>
        <Link to={`/studies/${s.id}`} className="study-name">{s.name}</Link>
        <div className="sub">{s.space} · {s.algorithm}{Object.entries(s.labels).map(([k, v]) => <span key={k} className="tag">{k}: {v}</span>)}</div>
      </td>
      <td><StateChip state={s.state} />{s.state === 'failed' && s.message !== null && <div className="sub clip" title={s.message}>{s.message}</div>}</td>
      <td className="cell-progress">
        <Progress fraction={s.progress.fraction} state={s.state} label={`Progress of ${s.name}`} text={eta} />
        <div className="sub">{Math.round(s.progress.fraction * 100)}&nbsp;% of {s.progress.binding} · {formatCount(settled)} settled · {eta}</div>
      </td>
      <td><ul className="objectives">{s.objectives.map((o) => <li key={o.key}><span aria-label={o.direction}>{o.direction === 'minimize' ? '↓' : '↑'}</span> {columnLabel(o.key)}</li>)}</ul></td>
      <td className="num">{formatCount(s.frontSize)}</td>
      <td className="num">{formatNumber(s.hypervolume, 4)}</td>
      <td className="num"><time dateTime={s.createdAt} title={new Date(s.createdAt).toLocaleString()}>{formatAge(s.createdAt, now)}</time></td>
    </tr>
  );
}

function NoStudies(): React.JSX.Element {
  const curl = `curl -X POST ${location.origin}/v1/studies -H 'content-type: application/json' -d '{
  "name": "first look",
  "searchSpace": "nas-bench-201",
  "task": {"numClasses": 10},
  "accuracy": {"method": "table", "dataset": "cifar10"},
  "objectives": [
    {"metric": "accuracy"},
    {"metric": "latency", "target": "pixel-3", "unit": "ms"}
  ],
  "budget": {"maxTrials": 200}
}'`;
  return (
    <Empty title="No studies yet" action={<Link to="/studies/new" className="button button-primary">Start from an example</Link>}>
      <p>A study says what to search, on which device, for which objectives. Send one:</p>
      <pre className="code" tabIndex={0} aria-label="Command that starts a study"><code>{curl}</code></pre>
    </Empty>
  );
}
