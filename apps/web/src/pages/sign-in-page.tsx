import { useState, type SyntheticEvent } from 'react';
import { ApiError, signIn } from '../api/client.js';

/** The service has a key and the browser has not given it: nothing else can be shown. */
export function SignInPage(): React.JSX.Element {
  const [apiKey, setApiKey] = useState('');
  const [error, setError] = useState<string | null>(null);
  const send = async (event: SyntheticEvent): Promise<void> => {
    event.preventDefault();
    setError(null);
    try {
      await signIn(apiKey);
      location.reload();
    } catch (failure) {
      setError(failure instanceof ApiError ? failure.message : String(failure instanceof Error ? failure.message : failure));
    }
  };
  return (
    <form className="page sign-in" onSubmit={(event) => void send(event)}>
      <h1>This service has a key</h1>
      <p>Whoever started it set <code>CADDIS_API_KEY</code>. The key stays in no page; a cookie stands for it for 12 hours.</p>
      <div className="field">
        <label htmlFor="api-key">API key</label>
        <input id="api-key" type="password" autoComplete="current-password" required value={apiKey} onChange={(event) => setApiKey(event.target.value)} aria-invalid={error !== null} aria-describedby={error === null ? undefined : 'api-key-note'} autoFocus />
        {error !== null && <span id="api-key-note" role="alert" className="field-error">{error}</span>}
      </div>
      <button type="submit" className="button button-primary">Sign in</button>
    </form>
  );
}
