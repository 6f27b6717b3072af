import type { ExportFormat, ExportView, FrontView, Problem, StudyDetail, StudySummary } from '@app/contracts';
import { InputError } from './output.js';

/** The REST calls the command line makes. Problems become errors with their fields; 4xx are the user's to mend. */
export class Client {
  constructor(private readonly base: string) {}

  async request(path: string, init?: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, this.base), init);
    } catch (error) {
      throw new InputError(`--server ${this.base}: no answer (${(error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message})`);
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({ title: response.statusText, status: response.status }))) as Problem;
    const text = [problem.detail ?? problem.title, ...(problem.errors ?? []).map((e) => `  ${e.pointer}: ${e.message}`)].join('\n');
    if (response.status < 500) throw new InputError(text);
    throw new Error(text);
  }

  private async json<T>(path: string, init?: RequestInit): Promise<T> {
    return (await (await this.request(path, init)).json()) as T;
  }

  createStudy(yaml: string): Promise<StudyDetail> {
    return this.json('/v1/studies', { method: 'POST', headers: { 'content-type': 'application/yaml' }, body: yaml });
  }

  study(id: string): Promise<StudySummary> {
    return this.json(`/v1/studies/${id}`);
  }

  front(id: string): Promise<FrontView> {
    return this.json(`/v1/studies/${id}/front`);
  }

  async exportTrial(trialId: string, format: ExportFormat, seed?: number): Promise<{ fileName: string; content: Uint8Array; sha256: string; manifest: unknown }> {
    let view = await this.json<ExportView>(`/v1/trials/${trialId}/exports`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ format, ...(seed === undefined ? {} : { seed }) }),
    });
    while (view.state === 'queued' || view.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 200));
      view = await this.json<ExportView>(`/v1/exports/${view.id}`);
    }
    if (view.state === 'failed') throw new Error(view.message ?? 'the export failed');
    const content = new Uint8Array(await (await this.request(`/v1/exports/${view.id}/content`)).arrayBuffer());
    return { fileName: view.fileName!, content, sha256: view.sha256!, manifest: view.manifest };
  }
}
