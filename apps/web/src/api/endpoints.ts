import type {
  CurvesView, DeviceView, ForesightView, DryRunReport, ExportFormat, ExportView, FrontView, NetworkView, SeriesView, SpaceView, StudyAction, StudyDetail, StudyPage, TrialPage, TrialState, TrialView,
} from '@app/contracts';
import { request } from './client.js';

export interface TrialQuery {
  readonly cursor?: string;
  readonly limit?: number;
  /** `number` or a metric key; a leading minus turns it round */
  readonly sort?: string;
  readonly state?: TrialState;
  readonly feasible?: boolean;
}

/** `?a=1&b=x` without the entries that say nothing; empty string if none is left */
export function queryString(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined && value !== '') query.set(key, String(value));
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

const study = (id: string): string => `/v1/studies/${encodeURIComponent(id)}`;
const withSignal = (signal?: AbortSignal): { signal?: AbortSignal } => (signal ? { signal } : {});

export const listStudies = (cursor: string, signal?: AbortSignal): Promise<StudyPage> => request(`/v1/studies${queryString({ limit: 50, cursor })}`, withSignal(signal));
export const getStudy = (id: string, signal?: AbortSignal): Promise<StudyDetail> => request(study(id), withSignal(signal));
export const getSeries = (id: string, signal?: AbortSignal): Promise<SeriesView> => request(`${study(id)}/series`, withSignal(signal));
export const getCurves = (id: string, signal?: AbortSignal): Promise<CurvesView> => request(`${study(id)}/curves`, withSignal(signal));
export const getForesight = (id: string, signal?: AbortSignal): Promise<ForesightView> => request(`${study(id)}/foresight`, withSignal(signal));
export const getFront = (id: string, signal?: AbortSignal): Promise<FrontView> => request(`${study(id)}/front`, withSignal(signal));
export const getTrials = (id: string, query: TrialQuery, signal?: AbortSignal): Promise<TrialPage> => request(`${study(id)}/trials${queryString({ ...query })}`, withSignal(signal));
/** Address of all trials that match, as a file. */
export const trialsCsv = (id: string, query: TrialQuery): string => `${study(id)}/trials${queryString({ ...query, format: 'csv' })}`;
export const getTrial = (id: string, signal?: AbortSignal): Promise<TrialView> => request(`/v1/trials/${encodeURIComponent(id)}`, withSignal(signal));
export const getNetwork = (id: string, signal?: AbortSignal): Promise<NetworkView> => request(`/v1/trials/${encodeURIComponent(id)}/network`, withSignal(signal));
export const getExport = (id: string, signal?: AbortSignal): Promise<ExportView> => request(`/v1/exports/${encodeURIComponent(id)}`, withSignal(signal));
export const exportContent = (id: string): string => `/v1/exports/${encodeURIComponent(id)}/content`;
export const eventsUrl = (id: string): string => `${study(id)}/events`;

export async function listDevices(signal?: AbortSignal): Promise<readonly DeviceView[]> {
  return items(await request<Items<DeviceView>>('/v1/devices', withSignal(signal)));
}
export async function listSpaces(signal?: AbortSignal): Promise<readonly SpaceView[]> {
  return items(await request<Items<SpaceView>>('/v1/spaces', withSignal(signal)));
}

type Items<T> = readonly T[] | { readonly items: readonly T[] };
const items = <T>(answer: Items<T>): readonly T[] => ('items' in answer ? answer.items : answer);

export const validateStudy = (spec: unknown, signal?: AbortSignal): Promise<DryRunReport> => request('/v1/studies:validate', { method: 'POST', body: spec, ...withSignal(signal) });

/** `key` makes a repeated click or a retry after a lost answer come to one study. */
export const createStudy = (spec: unknown, key: string): Promise<StudyDetail> => request('/v1/studies', { method: 'POST', body: spec, headers: { 'idempotency-key': key } });

export const act = (id: string, action: Exclude<StudyAction, 'clone'>): Promise<unknown> => request(`${study(id)}:${action}`, { method: 'POST' });

export const createExport = (trialId: string, format: ExportFormat): Promise<ExportView> =>
  request(`/v1/trials/${encodeURIComponent(trialId)}/exports`, { method: 'POST', body: { format } });

/** Random key that also works where crypto.randomUUID does not (plain http to another machine). */
export function idempotencyKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('');
}
