import { CLASS_LABEL, POINT_CLASSES, type PointClass } from '../charts/palette.js';
import { formatCount } from '../format/number.js';
import { Mark } from './basics.js';

/** Signs, names and counts; a click hides a class. */
export function Legend({ counts, hidden, onToggle }: { readonly counts: Readonly<Record<PointClass, number>>; readonly hidden: ReadonlySet<PointClass>; readonly onToggle: (kind: PointClass) => void }): React.JSX.Element {
  return (
    <ul className="legend" aria-label="Legend">
      {POINT_CLASSES.map((kind) => (
        <li key={kind}>
          <button type="button" className="legend-item" aria-pressed={!hidden.has(kind)} disabled={counts[kind] === 0} onClick={() => onToggle(kind)} title={hidden.has(kind) ? 'Show' : 'Hide'}>
            <Mark kind={kind} /> {CLASS_LABEL[kind]} <span className="count">{formatCount(counts[kind])}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
