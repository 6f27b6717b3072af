import { useMemo, useState } from 'react';
import type { NetworkView } from '@app/contracts';
import { shapeText } from '../charts/network-layout.js';
import { displayUnit, formatNumber, formatShare } from '../format/number.js';

type Key = 'order' | 'macs' | 'params' | 'latency' | 'energy' | 'liveBytes' | 'weightBytes';
const COLUMNS: readonly (readonly [Exclude<Key, 'order'>, string, string])[] = [['latency', 'Latency', 's'], ['energy', 'Energy', 'J'], ['liveBytes', 'Live RAM', 'B'], ['weightBytes', 'Weights', 'B'], ['macs', 'MACs', '1'], ['params', 'Params', '1']];

export function LayerTable({ network, device }: { readonly network: NetworkView; readonly device: NetworkView['devices'][number] }): React.JSX.Element {
  const [sort, setSort] = useState<Key>('order');
  const rows = useMemo(() => {
    const nodes = new Map(network.nodes.map((n) => [n.id, n]));
    const joined = device.layers.flatMap((l, order) => {
      const node = nodes.get(l.node);
      return node ? [{ order, node, bound: l.bound, latency: l.latency, energy: l.energy, liveBytes: l.liveBytes, weightBytes: l.weightBytes, macs: node.macs, params: node.params }] : [];
    });
    return sort === 'order' ? joined : joined.sort((a, b) => b[sort] - a[sort] || a.order - b.order);
  }, [network, device, sort]);
  const total = rows.reduce((s, r) => s + r.latency, 0);
  const units = COLUMNS.map(([key, , unit]) => displayUnit(unit, Math.max(...rows.map((r) => r[key]), 0)));
  const head = (key: Key, label: string, numeric: boolean): React.JSX.Element => (
    <th key={key} scope="col" className={numeric ? 'num' : undefined} aria-sort={sort === key ? (key === 'order' ? 'ascending' : 'descending') : 'none'}><button type="button" className="sort" onClick={() => setSort(key)}>{label}<i aria-hidden="true">{sort === key ? (key === 'order' ? '▲' : '▼') : ''}</i></button></th>
  );
  return (
    <div className="table-wrap tall" tabIndex={0} role="region" aria-label="Cost of each layer">
      <table className="table layers">
        <thead><tr>{head('order', 'Layer', false)}<th scope="col">Output</th>{COLUMNS.map(([key, label], i) => head(key, units[i]!.unit === '' ? label : `${label} (${units[i]!.unit})`, true))}<th scope="col" className="num">Share</th><th scope="col">Bound</th></tr></thead>
        <tbody>
          {rows.map((r) => (
            <tr key={r.node.id}>
              <td><span className="dim">{r.order + 1}</span> {r.node.label}{r.node.block !== null && <span className="dim"> {r.node.block}</span>}</td>
              <td className="nowrap">{shapeText(r.node.shape)}</td>
              {COLUMNS.map(([key], i) => <td key={key} className="num">{formatNumber(r[key] / units[i]!.divisor)}</td>)}
              <td className="num">{formatShare(total > 0 ? r.latency / total : null)}</td>
              <td className="dim">{r.bound}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
