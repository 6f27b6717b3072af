import { useCallback, useEffect, useMemo, useState } from 'react';
import { studySpec, type DeviceView, type DryRunReport, type SpaceView } from '@app/contracts';
import { ApiError, type FieldErrors } from '../api/client.js';
import { createStudy, getStudy, idempotencyKey, listDevices, listSpaces, validateStudy } from '../api/endpoints.js';
import { Failure, Loading } from '../components/basics.js';
import { DryRun } from '../components/dry-run.js';
import { SpecForm } from '../components/spec-form.js';
import { fromYaml, lineOfPointer, toYaml } from '../format/yaml.js';
import { go, setQuery, usePlace } from '../state/location.js';
import { useResource } from '../state/resource.js';
import { EMPTY_DRAFT, examplesOf, pointerOf, type Draft } from '../state/draft.js';

interface Loaded { readonly spaces: readonly SpaceView[]; readonly devices: readonly DeviceView[]; readonly origin: Draft | null }

export function NewStudyPage({ from }: { readonly from: string | undefined }): React.JSX.Element {
  const loaded = useResource<Loaded>(`new:${from ?? ''}`, useCallback(async (signal: AbortSignal) => {
    const [spaces, devices, study] = await Promise.all([listSpaces(signal), listDevices(signal), from === undefined ? null : getStudy(from, signal)]);
    return { spaces, devices, origin: study ? { ...study.spec, name: `${study.name} (copy)` } : null };
  }, [from]));
  useEffect(() => {
    document.title = 'New study · Caddis';
  }, []);
  if (!loaded.data) return <div className="page">{loaded.error ? <Failure error={loaded.error} retry={loaded.reload} what="form" /> : <Loading what="form" />}</div>;
  return <Editor loaded={loaded.data} />;
}

function Editor({ loaded }: { readonly loaded: Loaded }): React.JSX.Element {
  const { query } = usePlace();
  const examples = useMemo(() => examplesOf(loaded.spaces, loaded.devices), [loaded]);
  const [draft, setDraft] = useState<Draft>(() => loaded.origin ?? examples[0]?.spec ?? EMPTY_DRAFT);
  const [text, setText] = useState(() => toYaml(draft));
  const [syntax, setSyntax] = useState<string | null>(null);
  const [errors, setErrors] = useState<FieldErrors>([]);
  const [report, setReport] = useState<DryRunReport | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  const [busy, setBusy] = useState<'check' | 'start' | null>(null);
  const [key, setKey] = useState(idempotencyKey);
  const yaml = query['as'] === 'yaml';

  const changed = (): void => {
    setReport(null);
    setFailure(null);
    setKey(idempotencyKey());
  };
  const setFromForm = (next: Draft): void => {
    changed();
    setDraft(next);
    setText(toYaml(next));
    setSyntax(null);
    // errors on show go away as they are mended; new ones wait for the next check
    if (errors.length > 0) setErrors(localErrors(next));
  };
  const setFromText = (next: string): void => {
    changed();
    setText(next);
    const parsed = fromYaml(next);
    setSyntax(parsed.error);
    if (parsed.error !== null) return;
    setDraft(parsed.value as Draft);
    if (errors.length > 0) setErrors(localErrors(parsed.value as Draft));
  };

  const submit = async (what: 'check' | 'start'): Promise<void> => {
    const local = localErrors(draft);
    setErrors(local);
    setFailure(null);
    if (local.length > 0) return focusFirstError();
    setBusy(what);
    try {
      if (what === 'check') setReport(await validateStudy(draft));
      else go(`/studies/${(await createStudy(draft, key)).id}`);
    } catch (error) {
      if (error instanceof ApiError && error.problem.errors && error.problem.errors.length > 0) {
        setErrors(error.problem.errors);
        focusFirstError();
      } else setFailure(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(null);
    }
  };

  return (
    <div className="page new-study">
      <div className="page-head">
        <h1>New study</h1>
        <div className="segments" role="group" aria-label="How to write it">
          <button type="button" aria-pressed={!yaml} onClick={() => setQuery({ as: undefined })}>Form</button>
          <button type="button" aria-pressed={yaml} onClick={() => setQuery({ as: 'yaml' })}>YAML</button>
        </div>
      </div>
      {examples.length > 0 && (
        <section className="examples" aria-label="Examples">
          <h2>Start from</h2>
          {examples.map((e) => <button type="button" key={e.title} className={e.spec['name'] === draft['name'] ? 'example on' : 'example'} onClick={() => setFromForm(e.spec)}><strong>{e.title}</strong><span>{e.about}</span></button>)}
        </section>
      )}
      <div className="split">
        <div>
          <ErrorSummary errors={errors} text={text} yaml={yaml} />
          {yaml
            ? <YamlEditor text={text} syntax={syntax} onChange={setFromText} />
            : syntax === null
              ? <SpecForm draft={draft} spaces={loaded.spaces} devices={loaded.devices} errors={errors} onChange={setFromForm} />
              : <p className="note note-bad">The YAML can't be read ({syntax}). <button type="button" className="link-button" onClick={() => setQuery({ as: 'yaml' })}>Mend it</button>, then the form follows.</p>}
        </div>
        <aside className="stack sticky" aria-label="Check and start">
          <section className="panel">
            <div className="submit">
              <button type="button" className="button" disabled={busy !== null || syntax !== null} onClick={() => void submit('check')}>{busy === 'check' ? 'Checking…' : 'Check'}</button>
              <button type="button" className="button button-primary" disabled={busy !== null || syntax !== null} onClick={() => void submit('start')}>{busy === 'start' ? 'Starting…' : 'Start'}</button>
            </div>
            <p className="dim">Check samples the space and prices it: is the study possible, what will it cost? Nothing is created.</p>
            {failure && <Failure error={failure} what="answer" />}
          </section>
          {report && <DryRun report={report} />}
        </aside>
      </div>
    </div>
  );
}

/** The service's own rules, run here first: the same words without the way there and back. */
function localErrors(draft: Draft): FieldErrors {
  const result = studySpec.safeParse(draft);
  if (result.success) return [];
  return result.error.issues.map((issue) => ({ pointer: pointerOf(issue.path.map((p) => (typeof p === 'symbol' ? String(p) : p))), code: issue.code, message: issue.message }));
}

function focusFirstError(): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}

function ErrorSummary({ errors, text, yaml }: { readonly errors: FieldErrors; readonly text: string; readonly yaml: boolean }): React.JSX.Element | null {
  if (errors.length === 0) return null;
  return (
    <div className="failure" role="alert">
      <strong>{errors.length === 1 ? 'One thing' : `${errors.length} things`} to mend:</strong>
      <ul>{errors.map((e) => {
        const line = yaml ? lineOfPointer(text, e.pointer) : null;
        return <li key={`${e.pointer}${e.message}`}><code>{e.pointer === '' ? '/' : e.pointer}</code>{line !== null && <> (line {line})</>} {e.message}</li>;
      })}</ul>
    </div>
  );
}

function YamlEditor({ text, syntax, onChange }: { readonly text: string; readonly syntax: string | null; readonly onChange: (text: string) => void }): React.JSX.Element {
  return (
    <section className="panel">
      <label className="visually-hidden" htmlFor="yaml">Specification as YAML</label>
      <textarea id="yaml" className="yaml" spellCheck={false} value={text} rows={Math.max(22, text.split('\n').length + 1)} aria-invalid={syntax !== null} aria-describedby="yaml-note" onChange={(e) => onChange(e.target.value)} />
      <p id="yaml-note" className={syntax === null ? 'dim' : 'field-error'} role={syntax === null ? undefined : 'alert'}>{syntax ?? 'YAML or JSON. The form shows the same specification.'}</p>
    </section>
  );
}
