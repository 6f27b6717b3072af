import { useEffect, useState } from 'react';
import { Link, Loading } from '../components/basics.js';
import { fileNameOf, saveText } from '../format/save.js';
import type { TabProps } from './study-page.js';

/** The specification as accepted, defaults filled in. */
export function SpecTab({ detail }: TabProps): React.JSX.Element {
  const [yaml, setYaml] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    let live = true;
    void import('../format/yaml.js').then(({ toYaml }) => { if (live) setYaml(toYaml(detail.spec)); });
    return () => { live = false; };
  }, [detail.spec]);
  if (yaml === null) return <Loading what="specification" />;
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(yaml);
    setCopied(true);
  };
  return (
    <section className="panel" aria-label="Specification">
      <header className="panel-head">
        <h2>Specification</h2>
        <span className="dim">as accepted, defaults filled in; durations in seconds</span>
        <div className="panel-tools">
          {'clipboard' in navigator && <button type="button" className="button button-small" onClick={() => void copy()}>{copied ? 'Copied' : 'Copy'}</button>}
          <button type="button" className="button button-small" onClick={() => saveText(yaml, `${fileNameOf(detail.name)}.yaml`, 'application/yaml')}>Download</button>
          <Link to={`/studies/new?from=${detail.id}`} className="button button-small">Clone</Link>
        </div>
      </header>
      <pre className="code" tabIndex={0} aria-label="Specification as YAML"><code>{yaml}</code></pre>
    </section>
  );
}
