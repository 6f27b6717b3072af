import { useEffect, useRef } from 'react';
import { setShortcuts, shortcutsOn } from '../state/shortcuts.js';
import { useStore } from '../state/store.js';

const KEYS: readonly (readonly [string, string])[] = [
  ['?', 'This list'],
  ['/', 'Search the list of studies'],
  ['g l', 'List of studies'],
  ['g n', 'New study'],
  ['g f', 'Front of the study'],
  ['← →', 'In a chart: along the front (Home, End: its ends)'],
  ['Enter', 'In a chart or table row: open the trial'],
  ['Space', 'In a chart: pin the trial'],
  ['[ ]', 'Previous or next trial on the front'],
  ['j k', 'In the table: next or previous row'],
  ['Esc', 'Close the drawer, then clear the selection'],
];

export function Shortcuts({ onClose }: { readonly onClose: () => void }): React.JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const on = useStore(shortcutsOn);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="shortcuts-title" onClose={onClose}>
      <h2 id="shortcuts-title">Keyboard</h2>
      <table className="keys"><tbody>
        {KEYS.map(([key, does]) => <tr key={key}><th scope="row">{key.split(' ').map((k) => <kbd key={k}>{k}</kbd>)}</th><td>{does}</td></tr>)}
      </tbody></table>
      <label className="check"><input type="checkbox" checked={on} onChange={(e) => setShortcuts(e.target.checked)} /> Single-key shortcuts</label>
      <div className="dialog-actions"><button type="button" className="button" onClick={() => dialog.current?.close()}>Close</button></div>
    </dialog>
  );
}
