import type { ReactNode } from 'react';
import type { FieldErrors } from '../api/client.js';


interface Props {
  readonly pointer: string;
  readonly label: string;
  readonly errors: FieldErrors;
  readonly hint?: string;
  readonly wide?: boolean;
  readonly hideLabel?: boolean;
  readonly children: (attributes: { readonly id: string; readonly 'aria-invalid': boolean; readonly 'aria-describedby': string | undefined }) => ReactNode;
}

/** A field with its label, hint and the errors that point at it. */
export function Field({ pointer, label, errors, hint, wide, hideLabel, children }: Props): React.JSX.Element {
  const own = errors.filter((e) => e.pointer === pointer);
  const id = `f${pointer.replaceAll('/', '-')}`;
  const noteId = `${id}-note`;
  const described = own.length > 0 || hint !== undefined;
  return (
    <div className={wide ? 'field wide' : 'field'}>
      <label htmlFor={id} className={hideLabel ? 'visually-hidden' : undefined}>{label}</label>
      {children({ id, 'aria-invalid': own.length > 0, 'aria-describedby': described ? noteId : undefined })}
      {described && <div id={noteId}>{own.map((e) => <span key={e.message} className="field-error">{e.message}</span>)}{own.length === 0 && hint !== undefined && <span className="hint">{hint}</span>}</div>}
    </div>
  );
}
