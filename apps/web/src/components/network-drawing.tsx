import { useMemo, useState } from 'react';
import type { NetworkView } from '@app/contracts';
import { foldableBlocks, layoutNetwork, shapeText, type Box, type CostMetric, type LayerCost } from '../charts/network-layout.js';
import { cividis, inkOnCividis } from '../charts/palette.js';
import { formatQuantity, formatShare } from '../format/number.js';

const METRICS: readonly (readonly [CostMetric, string, string])[] = [
  ['latency', 'Latency', 's'], ['energy', 'Energy', 'J'], ['liveBytes', 'Live RAM', 'B'], ['weightBytes', 'Weights', 'B'], ['macs', 'MACs', '1'], ['params', 'Parameters', '1'],
];

interface Props {
  readonly network: NetworkView;
  readonly device: NetworkView['devices'][number] | undefined;
}

export function NetworkDrawing({ network, device }: Props): React.JSX.Element {
  const [metric, setMetric] = useState<CostMetric>(device ? 'latency' : 'macs');
  const [unfolded, setUnfolded] = useState<ReadonlySet<string>>(new Set());
  const [focus, setFocus] = useState<string | null>(null);
  const layers = useMemo(() => new Map(device?.layers.map((l) => [l.node, l])), [device]);
  const layout = useMemo(() => layoutNetwork(network, layers, metric, unfolded), [network, layers, metric, unfolded]);
  const foldable = useMemo(() => foldableBlocks(network.nodes), [network]);
  const [, metricLabel, unit] = METRICS.find(([m]) => m === metric)!;
  const most = Math.max(...layout.boxes.map((b) => b.share), 1e-9);
  const focused = layout.boxes.find((b) => b.id === focus);
  const toggle = (box: Box): void => {
    const next = new Set(unfolded);
    for (const block of box.blocks) {
      if (box.folded) next.add(block);
      else next.delete(block);
    }
    if (box.blocks.some((b) => foldable.includes(b))) setUnfolded(next);
  };
  return (
    <div className="network">
      <div className="network-tools">
        <label className="inline-field">Colour and height
          <select value={metric} onChange={(e) => setMetric(e.target.value as CostMetric)}>{METRICS.filter(([m]) => device || m === 'macs' || m === 'params').map(([m, label]) => <option key={m} value={m}>{label}</option>)}</select>
        </label>
        {foldable.length > 0 && <>
          <button type="button" className="button button-small" disabled={unfolded.size === foldable.length} onClick={() => setUnfolded(new Set(foldable))}>Unfold all</button>
          <button type="button" className="button button-small" disabled={unfolded.size === 0} onClick={() => setUnfolded(new Set())}>Fold all</button>
        </>}
        <span className="ramp-key"><span>0</span><i className="ramp" aria-hidden="true" /><span>{formatShare(most)} of {metric === 'liveBytes' ? 'peak' : metricLabel.toLowerCase()}</span></span>
      </div>
      <div className="network-body">
        <div className="network-scroll" tabIndex={0} role="region" aria-label="Network, layer by layer">
          <svg width={layout.width} height={layout.height} viewBox={`0 0 ${layout.width} ${layout.height}`} role="group" aria-label={`${layout.boxes.length} boxes from input to output, coloured by ${metricLabel.toLowerCase()}`}>
            {layout.frames.map((f) => <g key={f.block}><rect className="block-frame" x={f.x} y={f.y} width={f.width} height={f.height} rx="6" /><title>{f.block}</title></g>)}
            {layout.edges.map((e) => <path key={`${e.from}>${e.to}`} className={`edge${focus === e.from || focus === e.to ? ' on' : ''}${e.long ? ' skip' : ''}`} d={e.path} />)}
            {layout.boxes.map((box) => <BoxView key={box.id} box={box} t={box.share / most} unit={unit} on={focus === box.id} canFold={box.blocks.some((b) => foldable.includes(b))} onFocus={setFocus} onToggle={toggle} />)}
          </svg>
        </div>
        <LayerDetail box={focused} network={network} layers={layers} />
      </div>
    </div>
  );
}

interface BoxProps {
  readonly box: Box;
  readonly t: number;
  readonly unit: string;
  readonly on: boolean;
  readonly canFold: boolean;
  readonly onFocus: (id: string) => void;
  readonly onToggle: (box: Box) => void;
}

function BoxView({ box, t, unit, on, canFold, onFocus, onToggle }: BoxProps): React.JSX.Element {
  const ink = inkOnCividis(t);
  const cost = formatQuantity(box.cost, unit);
  const clip = (text: string, max: number): string => (text.length > max ? `${text.slice(0, max - 1)}…` : text);
  return (
    <g
      className={`layer${on ? ' on' : ''}`}
      tabIndex={0}
      role="button"
      aria-label={`${box.title}, ${box.detail}, ${cost}${canFold ? (box.folded ? ', folded' : ', unfolded') : ''}`}
      aria-expanded={canFold ? !box.folded : undefined}
      onFocus={() => onFocus(box.id)}
      onMouseEnter={() => onFocus(box.id)}
      onClick={() => onToggle(box)}
      onKeyDown={(e) => { if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); onToggle(box); } }}
    >
      {box.folded && <rect x={box.x + 4} y={box.y + 4} width={box.width} height={box.height} rx="5" fill={cividis(t)} opacity="0.45" />}
      <rect className="layer-box" x={box.x} y={box.y} width={box.width} height={box.height} rx="5" fill={cividis(t)} />
      <text x={box.x + 10} y={box.y + box.height / 2 - 3} fill={ink} className="layer-title">{canFold ? (box.folded ? '▸ ' : '') : ''}{clip(box.title, 22)}</text>
      <text x={box.x + 10} y={box.y + box.height / 2 + 10} fill={ink} className="layer-shape">{clip(box.detail, 26)}</text>
      <text x={box.x + box.width - 9} y={box.y + box.height / 2 + 4} fill={ink} className="layer-cost" textAnchor="end">{cost}</text>
    </g>
  );
}

function LayerDetail({ box, network, layers }: { readonly box: Box | undefined; readonly network: NetworkView; readonly layers: ReadonlyMap<string, LayerCost> }): React.JSX.Element {
  if (!box) return <div className="layer-detail dim"><p>Point at a layer, or Tab to it, to see what it costs. Enter unfolds a block.</p></div>;
  const nodes = network.nodes.filter((n) => box.layers.includes(n.id));
  const costs = nodes.flatMap((n) => layers.get(n.id) ?? []);
  const sum = (pick: (l: LayerCost) => number): number => costs.reduce((s, l) => s + pick(l), 0);
  const bounds = [...new Set(costs.map((l) => l.bound))];
  return (
    <div className="layer-detail" role="status">
      <h4>{box.title}</h4>
      <dl>
        <dt>Output</dt><dd>{shapeText(nodes.at(-1)!.shape)}</dd>
        <dt>MACs</dt><dd>{formatQuantity(nodes.reduce((s, n) => s + n.macs, 0), '1')}</dd>
        <dt>Parameters</dt><dd>{formatQuantity(nodes.reduce((s, n) => s + n.params, 0), '1')}</dd>
        {costs.length > 0 && <>
          <dt>Latency</dt><dd>{formatQuantity(sum((l) => l.latency), 's')}</dd>
          <dt>Energy</dt><dd>{formatQuantity(sum((l) => l.energy), 'J')}</dd>
          <dt>Live RAM</dt><dd>{formatQuantity(Math.max(...costs.map((l) => l.liveBytes)), 'B')}</dd>
          <dt>Weights</dt><dd>{formatQuantity(sum((l) => l.weightBytes), 'B')}</dd>
          <dt>Bound by</dt><dd>{bounds.join(', ')}</dd>
        </>}
      </dl>
      {box.folded && <p className="dim">{box.layers.length} layers. Enter or click unfolds.</p>}
    </div>
  );
}
