import { lazy, Suspense, useEffect, useState } from 'react';
import { keyWanted } from './api/client.js';
import { Empty, Link, Loading } from './components/basics.js';
import { Shortcuts } from './components/shortcuts.js';
import { SignInPage } from './pages/sign-in-page.js';
import { StudiesPage } from './pages/studies-page.js';
import { go, routeOf, usePlace } from './state/location.js';
import { isTyping, shortcutsOn } from './state/shortcuts.js';
import { useStore } from './state/store.js';

const StudyPage = lazy(async () => ({ default: (await import('./pages/study-page.js')).StudyPage }));
const NewStudyPage = lazy(async () => ({ default: (await import('./pages/new-study-page.js')).NewStudyPage }));

export function App(): React.JSX.Element {
  const place = usePlace();
  const route = routeOf(place.path);
  const [help, setHelp] = useState(false);
  const locked = useStore(keyWanted);
  useGlobalKeys(setHelp);

  return (
    <>
      <a className="skip" href="#main">Skip to content</a>
      <header className="topbar">
        <Link to="/studies" className="brand" label="Caddis, list of studies">
          <svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 17.5V7.7l4-1.9v13.7zM10 19.5V5.2l4-1.2v15.5zM16 19.5V3.6l4-1.4v15.2z" fill="currentColor" /></svg>
          <span>Caddis</span>
        </Link>
        <nav aria-label="Main">
          <NavLink to="/studies" on={route.page === 'studies'}>Studies</NavLink>
          <NavLink to="/studies/new" on={route.page === 'new'}>New study</NavLink>
        </nav>
        <button type="button" className="button button-quiet" onClick={() => setHelp(true)} aria-haspopup="dialog">Shortcuts <kbd>?</kbd></button>
      </header>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading what="page" />}>
          {locked && <SignInPage />}
          {!locked && route.page === 'studies' && <StudiesPage />}
          {!locked && route.page === 'new' && <NewStudyPage key={place.query['from'] ?? ''} from={place.query['from']} />}
          {!locked && route.page === 'study' && <StudyPage key={route.id} id={route.id} />}
          {!locked && route.page === 'unknown' && <Empty title="There is no such page" action={<Link to="/studies" className="button">All studies</Link>}><p>Nothing answers to <code>{route.path}</code>.</p></Empty>}
        </Suspense>
      </main>
      {help && <Shortcuts onClose={() => setHelp(false)} />}
    </>
  );
}

function NavLink({ to, on, children }: { readonly to: string; readonly on: boolean; readonly children: string }): React.JSX.Element {
  return <span className={on ? 'nav-on' : undefined}><Link to={to} className="nav-link">{children}</Link></span>;
}

/** `?` help, `/` search, `g l` list, `g n` new study, `g f` front of the study. */
function useGlobalKeys(setHelp: (on: boolean) => void): void {
  const on = useStore(shortcutsOn);
  useEffect(() => {
    if (!on) return undefined;
    let afterG = false;
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (afterG) {
        afterG = false;
        if (event.key === 'l') go('/studies');
        if (event.key === 'n') go('/studies/new');
        if (event.key === 'f' && routeOf(location.pathname).page === 'study') go(location.pathname);
        return;
      }
      if (event.key === 'g') afterG = true;
      if (event.key === '?') setHelp(true);
      if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[type="search"]');
        if (search) {
          event.preventDefault();
          search.focus();
        }
      }
    };
    window.addEventListener('keydown', listen);
    return () => window.removeEventListener('keydown', listen);
  }, [on, setHelp]);
}
