import { useMemo, useState } from 'react';
import type { NetworkView } from '@app/contracts';
import { memoryStrip } from '../charts/memory-strip.js';
import { formatQuantity } from '../format/number.js';

const WIDTH = 640;
const HEIGHT = 110;

export function MemoryView({ device, nodes, ram }: { readonly device: NetworkView['devices'][number]; readonly nodes: NetworkView['nodes']; readonly ram: number | null }): React.JSX.Element | null {
  const strip = useMemo(() => memoryStrip(device.layers.map((l) => l.liveBytes), ram, WIDTH, HEIGHT), [device, ram]);
  const [at, setAt] = useState<number | null>(null);
  if (!strip) return null;
  const index = at ?? strip.peak.index;
  const layer = device.layers[index]!;
  const label = nodes.find((n) => n.id === layer.node)?.label ?? layer.node;
  return (
    <figure className="memory">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`Live activation memory over ${device.layers.length} layers; peak ${formatQuantity(strip.peak.bytes, 'B')} at layer ${strip.peak.index + 1}`} onMouseMove={(e) => { const box = e.currentTarget.getBoundingClientRect(); setAt(Math.min(device.layers.length - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * device.layers.length)))); }} onMouseLeave={() => setAt(null)}>
        <path className="memory-area" d={strip.area} />
        <rect className="memory-at" x={index * strip.barWidth} y={0} width={Math.max(1, strip.barWidth)} height={HEIGHT} />
        {strip.limitY !== null && <line className="memory-limit" x1="0" x2={WIDTH} y1={strip.limitY} y2={strip.limitY} />}
      </svg>
      <figcaption>
        {at === null ? 'Peak' : 'Layer'} <strong>{formatQuantity(layer.liveBytes, 'B')}</strong> while layer {index + 1} of {device.layers.length} ({label}) runs
        {ram !== null && <>; {device.device} has {formatQuantity(ram, 'B')}{strip.limitY !== null ? ' (dashed)' : ''}</>}.
      </figcaption>
    </figure>
  );
}
