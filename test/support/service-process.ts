import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import type { StudyDetail, StudySummary, TrialPage, TrialView } from '@app/contracts';

// The bench runs this file compiled, one folder deeper.
const here = join(import.meta.dirname, '../..');
const CLI = join(basename(here) === 'dist' ? here : join(here, 'dist'), 'apps/cli/src/main.js');

/** A process of the service, as a user starts it. Ended by its own process id. */
export class ServiceProcess {
  private constructor(readonly child: ChildProcess, readonly url: string, readonly log: () => string) {}

  /** `caddis serve` on a free loopback port; resolves when it answers. */
  static async serve(env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const { child, log } = start(['serve', '--port', '0', '--json'], env);
    let out = '';
    child.stdout!.setEncoding('utf8');
    for await (const [chunk] of merged(child, log)) {
      out += chunk;
      const url = /"url":\s*"([^"]+)"/.exec(out)?.[1];
      if (url !== undefined) {
        child.stdout!.resume();
        return new ServiceProcess(child, url, log);
      }
    }
    throw new Error(`serve ended before it answered: ${log()}`);
  }

  static worker(env: Readonly<Record<string, string>>): ServiceProcess {
    const { child, log } = start(['worker'], env);
    child.stdout!.resume();
    return new ServiceProcess(child, '', log);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  async terminate(): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

function start(args: string[], env: Readonly<Record<string, string>>): { child: ChildProcess; log: () => string } {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH, HOME, LOG_LEVEL: 'warn', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => { errors = (errors + text).slice(-8000); });
  return { child, log: () => errors };
}

async function* merged(child: ChildProcess, log: () => string): AsyncGenerator<[string]> {
  const chunks: string[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  child.stdout!.on('data', (text: string) => { chunks.push(text); wake(); });
  child.once('exit', () => { ended = true; wake(); });
  while (chunks.length > 0 || !ended) {
    const chunk = chunks.shift();
    if (chunk !== undefined) yield [chunk];
    else await new Promise<void>((resolve) => { wake = resolve; });
  }
  throw new Error(`the process ended: ${log()}`);
}

export async function json<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${init?.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export const createStudy = (base: string, spec: unknown): Promise<StudyDetail> =>
  json(`${base}/v1/studies`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(spec) });

export async function untilEnded(base: string, id: string, limitMs = 120_000): Promise<StudySummary> {
  const until = Date.now() + limitMs;
  for (;;) {
    const study = await json<StudySummary>(`${base}/v1/studies/${id}`);
    if (['completed', 'failed', 'cancelled'].includes(study.state)) return study;
    if (Date.now() > until) throw new Error(`study ${id} is ${study.state} after ${limitMs} ms: ${JSON.stringify(study.counts)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function allTrials(base: string, id: string): Promise<TrialView[]> {
  const trials: TrialView[] = [];
  for (let cursor = ''; ; ) {
    const page = await json<TrialPage>(`${base}/v1/studies/${id}/trials?limit=500&sort=number${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    trials.push(...page.items);
    if (page.nextCursor === '') return trials;
    cursor = page.nextCursor;
  }
}

/** What must be the same in every run of one study: not ids, times or who did it. */
export const essence = (t: TrialView): unknown => [t.number, t.parameters, t.state, t.reason, Object.entries(t.metrics).map(([key, m]) => [key, m.value] as const).sort(([a], [b]) => (a < b ? -1 : 1)), t.onFront, t.rank, t.proposedBy];
