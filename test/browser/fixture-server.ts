import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { ALLOWED_ACTIONS, studySpec, TERMINAL_STATES, type ExportView, type FrontView, type Problem, type StudyDetail, type StudyState, type TrialView } from '@app/contracts';
import { hypervolume } from '@app/pareto';
import { constraintsOf, DEVICES, markFront, minimised, networkOf, objectivesOf, PARAMETERS, seriesOf, settledTrial, SPACES, uuid, type Shape } from './fixture-study.js';

/** The service's REST face with made-up studies behind it: for looking at the page and for driving it without a search. */

interface Study {
  readonly index: number;
  readonly shape: Shape;
  readonly budget: number;
  readonly createdAt: Date;
  detail: StudyDetail;
  trials: TrialView[];
  history: FrontView['history'];
  readonly listeners: Set<(type: string, data: unknown) => void>;
}

const MIME: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TICK_MS = 250;

export interface FixtureServer {
  readonly url: string;
  close(): Promise<void>;
}

/** @param webRoot  folder of the built page; `empty`: no studies yet */
export async function startFixtureServer(webRoot: string, options: { readonly port?: number; readonly empty?: boolean } = {}): Promise<FixtureServer> {
  const studies = new Map<string, Study>();
  const exportsById = new Map<string, ExportView>();
  if (options.empty !== true) {
    for (const [name, shape, state, count, budget, labels] of [
      ['keyword spotting on a Cortex-M7', '3-objectives', 'running', 320, 900, { product: 'earbud', team: 'audio' }],
      ['accuracy and latency, wide space', '2-objectives', 'completed', 400, 400, {}],
      ['ten thousand trials', '3-objectives', 'completed', 10_000, 10_000, { purpose: 'load' }],
      ['waiting for its turn', '2-objectives', 'queued', 0, 300, {}],
      ['24 KiB is not enough', 'infeasible', 'completed', 120, 120, {}],
      ['own command, broken', 'broken', 'failed', 12, 200, {}],
      ['held back', '3-objectives', 'paused', 60, 500, {}],
    ] as const) addStudy(studies, name, shape, state, count, budget, labels);
  }
  const timer = setInterval(() => { for (const s of studies.values()) advance(s); }, TICK_MS);
  const server = createServer((request, response) => {
    handle(request, response, studies, exportsById, webRoot).catch((error: unknown) => problem(response, 500, 'Internal error', { detail: String(error) }));
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => { clearInterval(timer); server.closeAllConnections(); server.close(() => resolve()); }),
  };
}

function addStudy(studies: Map<string, Study>, name: string, shape: Shape, state: StudyState, count: number, budget: number, labels: Record<string, string>, written?: StudyDetail['spec']): Study {
  const index = studies.size + 1;
  const id = uuid(0, index);
  const createdAt = new Date(Date.now() - index * 3_700_000);
  const objectives = objectivesOf(shape);
  const spec = written ?? studySpec.parse({
    name, searchSpace: 'mbconv', accuracy: { method: 'surrogate' }, budget: { maxTrials: budget, maxParallelTrials: 2 }, seed: 42, algorithm: { name: 'mads' },
    objectives: objectives.map((o) => ({ metric: o.metric, direction: o.direction, unit: o.unit, ...(o.target ? { target: o.target } : {}) })),
    constraints: constraintsOf(shape).map((c) => ({ metric: c.metric, op: c.op, value: c.value, unit: c.unit, ...(c.target ? { target: c.target } : {}) })), labels,
  });
  const detail: StudyDetail = {
    id, name, labels, state, reason: state === 'failed' ? 'too-many-failures' : state === 'completed' ? 'budget' : null,
    message: state === 'failed' ? '12 of 12 trials failed; the first: the command ended with code 1: No module named "blackbox"' : state === 'completed' ? `all ${budget} trials of the budget are settled` : null,
    revision: 1, createdAt: createdAt.toISOString(), startedAt: state === 'queued' ? null : createdAt.toISOString(), finishedAt: TERMINAL_STATES.includes(state) ? new Date().toISOString() : null,
    runningSeconds: count * 0.31, counts: { pending: 0, running: 0, completed: 0, infeasible: 0, failed: 0, cancelled: 0, total: 0 },
    progress: { fraction: 0, binding: 'trials', etaSeconds: null, trialsPerSecond: null }, objectives, constraints: constraintsOf(shape), frontSize: 0, hypervolume: null,
    space: 'mbconv', algorithm: 'mads', allowedActions: [...ALLOWED_ACTIONS[state]], spec, parameters: [...PARAMETERS], devices: ['cortex-m7', 'pixel-3'],
  };
  const study: Study = { index, shape, budget, createdAt, detail, trials: [], history: [], listeners: new Set() };
  for (let n = 1; n <= count; n++) study.trials.push(settledTrial(index, id, n, shape, new Date(createdAt.getTime() + n * 1000)));
  const marks = Math.min(40, count);
  for (let k = 1; k <= marks; k++) recordHistory(study, Math.round((count * k) / marks));
  refresh(study);
  studies.set(id, study);
  return study;
}

function recordHistory(study: Study, upTo: number): void {
  const { objectives } = study.detail;
  const front = markFront(study.trials.slice(0, upTo), objectives);
  const reference = objectives.map((o) => (o.direction === 'maximize' ? -o.reference! : o.reference!));
  study.history = [...study.history, { trials: upTo, hypervolume: front.length === 0 ? null : hypervolume(front.map((t) => minimised(t, objectives)), reference), frontSize: front.length }];
}

function refresh(study: Study): void {
  const count = (state: TrialView['state']): number => study.trials.filter((t) => t.state === state).length;
  const last = study.history.at(-1);
  const { state } = study.detail;
  const open = state === 'running' ? 2 : 0;
  const rate = state === 'running' ? 1000 / TICK_MS : null;
  const left = study.budget - study.trials.length;
  study.detail = {
    ...study.detail, revision: study.detail.revision + 1, frontSize: last?.frontSize ?? 0, hypervolume: last?.hypervolume ?? null, allowedActions: [...ALLOWED_ACTIONS[state]],
    counts: { pending: state === 'queued' ? 1 : 0, running: open, completed: count('completed'), infeasible: count('infeasible'), failed: count('failed'), cancelled: 0, total: study.trials.length + open },
    progress: { fraction: Math.min(1, study.trials.length / study.budget), binding: 'trials', etaSeconds: rate ? [(left / rate) * 0.9, (left / rate) * 1.25] : null, trialsPerSecond: rate },
  };
}

function advance(study: Study): void {
  if (study.detail.state === 'queued' && study.index > 7) setState(study, 'running');
  if (study.detail.state !== 'running') return;
  const number = study.trials.length + 1;
  study.trials.push(settledTrial(study.index, study.detail.id, number, study.shape, new Date()));
  study.detail = { ...study.detail, runningSeconds: study.detail.runningSeconds + TICK_MS / 1000 };
  const before = study.history.at(-1)?.hypervolume ?? null;
  recordHistory(study, number);
  refresh(study);
  emit(study, 'trial.finished', { from: number, to: number, counts: study.detail.counts });
  emit(study, 'progress', study.detail.progress);
  if (study.detail.hypervolume !== before) emit(study, 'front.changed', { added: [], removed: [], size: study.detail.frontSize, hypervolume: study.detail.hypervolume });
  else study.history = study.history.slice(0, -1);
  if (number >= study.budget) setState(study, 'completed');
}

function setState(study: Study, state: StudyState): void {
  study.detail = { ...study.detail, state, startedAt: study.detail.startedAt ?? new Date().toISOString() };
  refresh(study);
  emit(study, 'study.state', { state, reason: null, message: null });
}

const emit = (study: Study, type: string, data: unknown): void => { for (const listener of study.listeners) listener(type, data); };

async function handle(request: IncomingMessage, response: ServerResponse, studies: Map<string, Study>, jobs: Map<string, ExportView>, webRoot: string): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const path = decodeURIComponent(url.pathname);
  if (!path.startsWith('/v1')) return serveFile(response, webRoot, path);
  const body: unknown = request.method === 'POST' ? await readJson(request) : undefined;
  if (path === '/v1/devices') return json(response, 200, { items: DEVICES, nextCursor: '' });
  if (path === '/v1/spaces') return json(response, 200, { items: SPACES, nextCursor: '' });
  if (path === '/v1/studies:validate') return withSpec(response, body, (spec) => json(response, 200, dryRun(spec)));
  if (path === '/v1/studies' && request.method === 'POST') {
    return withSpec(response, body, (spec) => json(response, 201, addStudy(studies, spec.name, spec.objectives.length > 2 ? '3-objectives' : '2-objectives', 'queued', 0, spec.budget.maxTrials, spec.labels, spec).detail));
  }
  if (path === '/v1/studies') return json(response, 200, { items: [...studies.values()].map(({ detail: { spec: _spec, parameters: _parameters, devices: _devices, ...summary } }) => summary), nextCursor: '' });
  const one = /^\/v1\/studies\/([^/:]+)(?:[/:](\w+))?$/.exec(path);
  if (one) {
    const study = studies.get(one[1]!);
    return study ? studyRoute(request, response, url, study, one[2]) : problem(response, 404, 'Not found', { detail: `There is no study ${one[1]}.` });
  }
  const trial = /^\/v1\/trials\/([^/]+)(?:\/(\w+))?$/.exec(path);
  if (trial) return trialRoute(response, studies, jobs, trial[1]!, trial[2], body);
  const job = jobs.get(/^\/v1\/exports\/([^/]+)/.exec(path)?.[1] ?? '');
  if (!job) return problem(response, 404, 'Not found', {});
  if (path.endsWith('/content')) {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-disposition': `attachment; filename="${job.fileName}"` });
    response.end('fixture');
    return undefined;
  }
  const done = Date.now() - Date.parse(job.createdAt) > 1500;
  return json(response, 200, done ? { ...job, state: 'completed', fileName: `trial.${job.format}`, bytes: 183_204, sha256: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c', finishedAt: new Date().toISOString() } : { ...job, state: 'running' });
}

function studyRoute(request: IncomingMessage, response: ServerResponse, url: URL, study: Study, part: string | undefined): void {
  const { detail } = study;
  markFront(study.trials, detail.objectives);
  switch (part) {
    case undefined: return json(response, 200, detail);
    case 'series': return json(response, 200, seriesOf(detail.revision, study.trials, detail.objectives, detail.constraints));
    case 'front': return json(response, 200, frontOf(study));
    case 'trials': return url.searchParams.get('format') === 'csv' ? csv(response, study) : json(response, 200, pageOf(study, url.searchParams));
    case 'events': return stream(request, response, study);
    case 'start': case 'resume': setState(study, 'running'); return json(response, 202, study.detail);
    case 'pause': setState(study, 'paused'); return json(response, 202, study.detail);
    case 'stop': setState(study, 'completed'); return json(response, 202, study.detail);
    case 'cancel': setState(study, 'cancelled'); return json(response, 202, study.detail);
    default: return problem(response, 404, 'Not found', {});
  }
}

function frontOf(study: Study): FrontView {
  const { detail } = study;
  const front = study.trials.filter((t) => t.onFront);
  const limit = detail.constraints[0];
  const priced = limit ? study.trials.flatMap((t) => t.metrics[limit.key]?.value ?? []) : [];
  return {
    revision: detail.revision, objectives: detail.objectives, hypervolume: detail.hypervolume, history: study.history,
    trials: front.map((t, i) => ({ ...t, crowding: i < 2 ? null : 0.1, knee: i === 4 })),
    empty: front.length > 0 || !limit || priced.length === 0 ? null : { message: `None of ${priced.length} trials meets every limit.`, constraints: [{ key: limit.key, passed: priced.filter((v) => v <= limit.value).length, of: priced.length, nearest: Math.min(...priced), limit: limit.value, unit: limit.unit }] },
  };
}

function pageOf(study: Study, query: URLSearchParams): { items: readonly TrialView[]; nextCursor: string } {
  const sort = query.get('sort') ?? 'number';
  const key = sort.replace(/^-/, '');
  const value = (t: TrialView): number => (key === 'number' ? t.number : t.metrics[key]?.value ?? Infinity);
  const state = query.get('state');
  const feasible = query.get('feasible');
  const rows = study.trials.filter((t) => (state === null || t.state === state) && (feasible === null || String(t.feasible) === feasible))
    .sort((a, b) => (sort.startsWith('-') ? value(b) - value(a) : value(a) - value(b)) || a.number - b.number);
  const from = Number(query.get('cursor') ?? 0);
  const limit = Number(query.get('limit') ?? 50);
  return { items: rows.slice(from, from + limit), nextCursor: from + limit < rows.length ? String(from + limit) : '' };
}

function csv(response: ServerResponse, study: Study): void {
  response.writeHead(200, { 'content-type': 'text/csv', 'content-disposition': 'attachment; filename="trials.csv"' });
  response.end(`number,state\r\n${study.trials.map((t) => `${t.number},${t.state}\r\n`).join('')}`);
}

function stream(request: IncomingMessage, response: ServerResponse, study: Study): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' });
  const send = (type: string, data: unknown): void => { response.write(`id: ${study.detail.revision}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`); };
  const { spec: _spec, parameters: _parameters, devices: _devices, ...summary } = study.detail;
  send('snapshot', summary);
  study.listeners.add(send);
  request.on('close', () => study.listeners.delete(send));
}

function trialRoute(response: ServerResponse, studies: Map<string, Study>, jobs: Map<string, ExportView>, id: string, part: string | undefined, body: unknown): void {
  const trial = [...studies.values()].flatMap((s) => s.trials.find((t) => t.id === id) ?? [])[0];
  if (!trial) return problem(response, 404, 'Not found', { detail: `There is no trial ${id}.` });
  if (part === undefined) return json(response, 200, trial);
  if (part === 'network') return json(response, 200, networkOf(trial));
  const format = (body as { format?: 'onnx' | 'json' }).format ?? 'json';
  const job: ExportView = { id: uuid(4095, jobs.size + 1), trialId: id, studyId: trial.studyId, format, state: 'queued', message: null, fileName: null, bytes: null, sha256: null, manifest: null, createdAt: new Date().toISOString(), finishedAt: null };
  jobs.set(job.id, job);
  return json(response, 202, job);
}

function withSpec(response: ServerResponse, body: unknown, then: (spec: StudyDetail['spec']) => void): void {
  const parsed = studySpec.safeParse(body);
  if (parsed.success) return then(parsed.data);
  return problem(response, 422, 'The specification is not valid', { errors: parsed.error.issues.map((i) => ({ pointer: i.path.map((p) => `/${String(p)}`).join(''), code: i.code, message: i.message })) });
}

function dryRun(spec: StudyDetail['spec']): unknown {
  const constraints = spec.constraints.map((c, i) => ({ key: c.target === undefined ? c.metric : `${c.metric}@${c.target}`, op: c.op, limit: c.value, unit: c.unit ?? '', share: i === 0 ? 0.41 : 0.87, best: c.value * 0.4, median: c.value * 1.1 }));
  return {
    valid: true, sampled: 1000, cardinality: 15_625, constraints, feasibleShare: constraints.length === 0 ? 1 : 0.38, hardest: constraints[0]?.key ?? null, secondsPerTrial: 0.31, estimatedSeconds: spec.budget.maxTrials * 0.31,
    trials: spec.budget.maxTrials, evaluator: 'table: CIFAR-10 test accuracy', warnings: spec.budget.maxTrials < 50 ? ['with fewer than 50 trials the front will be sparse'] : [],
  };
}

function serveFile(response: ServerResponse, root: string, path: string): void {
  const wanted = join(root, normalize(path));
  const file = wanted.startsWith(root) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(root, 'index.html');
  response.writeHead(200, { 'content-type': MIME[extname(file)] ?? 'application/octet-stream', 'content-security-policy': POLICY });
  createReadStream(file).pipe(response);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

function problem(response: ServerResponse, status: number, title: string, more: Partial<Problem>): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ type: 'about:blank', title, status, ...more } satisfies Problem));
}
