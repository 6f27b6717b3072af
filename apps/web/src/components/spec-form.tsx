import { METRICS, metricDefinition, unitsOf, type DeviceView, type SpaceView } from '@app/contracts';
import type { FieldErrors } from '../api/client.js';
import { columnLabel } from '../format/names.js';
import { formatNumber } from '../format/number.js';
import { at, fieldValue, pointerOf, put, type Draft } from '../state/draft.js';
import { Field } from './field.js';

interface Props {
  readonly draft: Draft;
  readonly spaces: readonly SpaceView[];
  readonly devices: readonly DeviceView[];
  readonly errors: FieldErrors;
  readonly onChange: (draft: Draft) => void;
}

type Path = readonly (string | number)[];
const ALGORITHMS: readonly (readonly [string, string])[] = [['auto', 'auto: the service chooses'], ['mads', 'MADS: mesh adaptive direct search'], ['bo', 'Bayesian optimisation'], ['tpe', 'TPE: tree-structured Parzen estimator'], ['nsga2', 'NSGA-II: genetic'], ['evolution', 'regularised evolution'], ['sobol', 'Sobol: even coverage'], ['random', 'random: the baseline']];

export function SpecForm(props: Props): React.JSX.Element {
  const { draft, spaces, devices, errors, onChange } = props;
  const space = at(draft, ['searchSpace']);
  const base = typeof space === 'string' ? space : at(space, ['base']);
  const chosen = spaces.find((s) => s.name === base);
  const method = String(at(draft, ['accuracy', 'method']) ?? 'table');
  const text = (path: Path, label: string, options: { numeric?: boolean; hint?: string; wide?: boolean; placeholder?: string } = {}): React.JSX.Element => <TextField {...props} path={path} label={label} {...options} />;
  return (
    <form className="form panel" onSubmit={(e) => e.preventDefault()} noValidate>
      <fieldset>
        <legend>Study</legend>
        {text(['name'], 'Name', { wide: true })}
      </fieldset>
      <fieldset>
        <legend>What to search</legend>
        <Field pointer="/searchSpace" label="Search space" errors={errors} wide {...(chosen ? { hint: `${chosen.description.split('. ')[0]!.replace(/\.$/, '')}. ${chosen.cardinality === null ? 'Continuous' : `${formatNumber(chosen.cardinality)} points`}, ${chosen.parameters.length} parameters.` } : typeof space === 'object' ? { hint: 'An own or narrowed space: edit it as YAML.' } : {})}>
          {(a) => <select {...a} value={typeof base === 'string' ? base : ''} onChange={(e) => onChange(put(draft, ['searchSpace'], e.target.value))}>
            {!chosen && <option value={typeof base === 'string' ? base : ''}>{typeof base === 'string' && base !== '' ? base : '(own space)'}</option>}
            {spaces.map((s) => <option key={s.name} value={s.name}>{s.title}</option>)}
          </select>}
        </Field>
        <Field pointer="/accuracy/method" label="Accuracy from" errors={errors} hint={method === 'table' ? 'trained once, looked up' : method === 'surrogate' ? 'estimated, with an interval' : method === 'command' ? 'your own program: set it as YAML' : 'hardware cost only'}>
          {(a) => <select {...a} value={method} onChange={(e) => onChange(put(draft, ['accuracy'], { method: e.target.value }))}>
            {[...new Set([...(chosen?.accuracy ?? ['table', 'surrogate']), 'none', method])].map((m) => <option key={m} value={m}>{m}</option>)}
          </select>}
        </Field>
        {method === 'table' && (
          <Field pointer="/accuracy/dataset" label="Data set" errors={errors}>
            {(a) => <select {...a} value={String(at(draft, ['accuracy', 'dataset']) ?? 'cifar10')} onChange={(e) => onChange(put(draft, ['accuracy', 'dataset'], e.target.value))}>{['cifar10', 'cifar100', 'imagenet16-120'].map((d) => <option key={d}>{d}</option>)}</select>}
          </Field>
        )}
        {text(['task', 'numClasses'], 'Classes', { numeric: true, placeholder: String(chosen?.task.numClasses ?? 1000) })}
      </fieldset>
      <TermRows {...props} list="objectives" legend="Objectives" add="Add objective" />
      <TermRows {...props} list="constraints" legend="Limits" add="Add limit" />
      <fieldset>
        <legend>Also priced on</legend>
        <div className="check-grid">{devices.map((d) => <DeviceCheck key={d.id} {...props} device={d} />)}</div>
      </fieldset>
      <fieldset>
        <legend>How to search</legend>
        <Field pointer="/algorithm/name" label="Algorithm" errors={errors}>
          {(a) => <select {...a} value={String(at(draft, ['algorithm', 'name']) ?? 'auto')} onChange={(e) => onChange(put(draft, ['algorithm', 'name'], e.target.value))}>{ALGORITHMS.map(([v, l]) => <option key={v} value={v}>{l}</option>)}</select>}
        </Field>
        {text(['budget', 'maxTrials'], 'Trials at most', { numeric: true })}
        {text(['budget', 'maxDuration'], 'Time at most', { placeholder: 'e.g. 30 min' })}
        {text(['budget', 'maxParallelTrials'], 'In parallel', { numeric: true, placeholder: '1' })}
        {text(['budget', 'maxFailedTrials'], 'Failures at most', { numeric: true, placeholder: 'no limit' })}
        {text(['seed'], 'Seed', { numeric: true, hint: 'same seed, same trials', placeholder: '0' })}
      </fieldset>
    </form>
  );
}

function TextField({ draft, errors, onChange, path, label, numeric = false, hint, wide, placeholder }: Props & { readonly path: Path; readonly label: string; readonly numeric?: boolean; readonly hint?: string; readonly wide?: boolean; readonly placeholder?: string }): React.JSX.Element {
  const value = at(draft, path);
  return (
    <Field pointer={pointerOf(path)} label={label} errors={errors} {...(hint === undefined ? {} : { hint })} {...(wide === undefined ? {} : { wide })}>
      {(a) => <input {...a} type="text" inputMode={numeric ? 'decimal' : undefined} value={value === undefined || value === null ? '' : String(value)} placeholder={placeholder} onChange={(e) => onChange(put(draft, path, path.length === 1 && path[0] === 'name' ? e.target.value : fieldValue(e.target.value, numeric || (path.at(-1) === 'maxDuration' && /^\d+$/.test(e.target.value)))))} />}
    </Field>
  );
}

/** Objectives or limits: metric, device where the metric needs one, unit, and what is wanted of it. */
function TermRows({ list, legend, add, ...props }: Props & { readonly list: 'objectives' | 'constraints'; readonly legend: string; readonly add: string }): React.JSX.Element {
  const { draft, devices, errors, onChange } = props;
  const found = at(draft, [list]);
  const terms: readonly unknown[] = Array.isArray(found) ? (found as readonly unknown[]) : [];
  const own = errors.filter((e) => e.pointer === `/${list}`);
  const fresh = list === 'objectives' ? { metric: 'params', unit: 'M' } : { metric: 'params', op: '<=', value: 1, unit: 'M' };
  return (
    <fieldset className="terms">
      <legend>{legend}</legend>
      {own.map((e) => <span key={e.message} className="field-error">{e.message}</span>)}
      {terms.length === 0 && <p className="hint">None. {list === 'constraints' && 'Every trial that runs is feasible.'}</p>}
      {terms.map((term, i) => {
        const metric = String(at(term, ['metric']) ?? '');
        const definition = metricDefinition(metric);
        const path = (key: string): Path => [list, i, key];
        const setMetric = (name: string): void => {
          const next = metricDefinition(name);
          let changed = put(draft, path('metric'), name);
          changed = put(changed, path('unit'), undefined);
          changed = put(changed, path('target'), next?.onDevice ? at(term, ['target']) ?? devices[0]?.id : undefined);
          onChange(changed);
        };
        return (
          <div className="term" key={i}>
            <Field pointer={pointerOf(path('metric'))} label={`${legend} ${i + 1}: metric`} errors={[...errors, ...errors.filter((e) => e.pointer === `/${list}/${i}`).map((e) => ({ ...e, pointer: pointerOf(path('metric')) }))]} hideLabel>
              {(a) => <select {...a} value={metric} onChange={(e) => setMetric(e.target.value)}>
                {!definition && <option value={metric}>{metric === '' ? 'choose…' : metric}</option>}
                {METRICS.map((m) => <option key={m.name} value={m.name}>{columnLabel(m.name)}</option>)}
              </select>}
            </Field>
            {list === 'objectives' && (
              <Field pointer={pointerOf(path('direction'))} label={`${legend} ${i + 1}: direction`} errors={errors} hideLabel>
                {(a) => <select {...a} value={String(at(term, ['direction']) ?? (definition?.better === 'higher' ? 'maximize' : 'minimize'))} onChange={(e) => onChange(put(draft, path('direction'), e.target.value))}><option value="minimize">↓ minimize</option><option value="maximize">↑ maximize</option></select>}
              </Field>
            )}
            {list === 'constraints' && (
              <div className="limit">
                <Field pointer={pointerOf(path('op'))} label={`${legend} ${i + 1}: comparison`} errors={errors} hideLabel>{(a) => <select {...a} value={String(at(term, ['op']) ?? '<=')} onChange={(e) => onChange(put(draft, path('op'), e.target.value))}><option value="<=">≤</option><option value=">=">≥</option></select>}</Field>
                <Field pointer={pointerOf(path('value'))} label={`${legend} ${i + 1}: value`} errors={errors} hideLabel>{(a) => <input {...a} type="text" inputMode="decimal" value={String(at(term, ['value']) ?? '')} onChange={(e) => onChange(put(draft, path('value'), fieldValue(e.target.value, true)))} />}</Field>
              </div>
            )}
            <Field pointer={pointerOf(path('unit'))} label={`${legend} ${i + 1}: unit`} errors={errors} hideLabel>
              {(a) => <select {...a} value={String(at(term, ['unit']) ?? '')} onChange={(e) => onChange(put(draft, path('unit'), e.target.value === '' ? undefined : e.target.value))}>
                <option value="">{definition ? (definition.unit === '1' ? 'count' : definition.unit) : 'no unit'}</option>
                {definition && unitsOf(definition.unit).filter((u) => u !== definition.unit).map((u) => <option key={u} value={u}>{u}</option>)}
              </select>}
            </Field>
            {definition?.onDevice === true
              ? <Field pointer={pointerOf(path('target'))} label={`${legend} ${i + 1}: device`} errors={errors} hideLabel>{(a) => <select {...a} value={String(at(term, ['target']) ?? '')} onChange={(e) => onChange(put(draft, path('target'), e.target.value))}>{!devices.some((d) => d.id === at(term, ['target'])) && <option value={String(at(term, ['target']) ?? '')}>{String(at(term, ['target']) ?? 'choose a device…')}</option>}{devices.map((d) => <option key={d.id} value={d.id}>{d.title}</option>)}</select>}</Field>
              : <span className="hint device-none">no device</span>}
            <button type="button" className="button button-small button-quiet" aria-label={`Remove ${legend.toLowerCase()} ${i + 1}`} onClick={() => onChange(put(draft, [list, i], undefined))}>✕</button>
          </div>
        );
      })}
      <button type="button" className="button button-small" onClick={() => onChange(put(draft, [list], [...terms, fresh]))}>{add}</button>
    </fieldset>
  );
}

function DeviceCheck({ draft, device, onChange }: Props & { readonly device: DeviceView }): React.JSX.Element {
  const found = at(draft, ['devices']);
  const listed: readonly unknown[] = Array.isArray(found) ? (found as readonly unknown[]) : [];
  const on = listed.some((d) => at(d, ['id']) === device.id);
  const next = on ? listed.filter((d) => at(d, ['id']) !== device.id) : [...listed, { id: device.id }];
  return <label className="check" title={device.description ?? undefined}><input type="checkbox" checked={on} onChange={() => onChange(put(draft, ['devices'], next.length === 0 ? undefined : next))} /> {device.title} <span className="dim">{device.class}</span></label>;
}
