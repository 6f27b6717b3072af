import { Inject, Injectable } from '@nestjs/common';
import type { ExportFormat, ExportView } from '@app/contracts';
import type { ExportRecord, StudyStore } from '@app/study';
import { ProblemException } from '../http/problem.js';
import { WorkService } from '../lifecycle/work.service.js';
import { STORE } from '../ports.js';

@Injectable()
export class ExportsService {
  constructor(
    @Inject(STORE) private readonly store: StudyStore,
    @Inject(WorkService) private readonly work: WorkService,
  ) {}

  /** @throws ProblemException if the trial has no network to export */
  async create(trialId: string, request: { readonly format: ExportFormat; readonly seed?: number | undefined }): Promise<ExportView> {
    const trial = await this.store.trial(trialId);
    const study = await this.store.study(trial.studyId);
    if (study.space.family === 'none') {
      throw new ProblemException('invalid-spec', 'the points of this study\'s search space have no network to export', { errors: [{ pointer: '/format', code: 'no-network', message: 'the study searches an own space' }] });
    }
    if (trial.reason === 'decode-error') throw new ProblemException('state-conflict', `the trial has no network: ${trial.message ?? trial.reason}`);
    const record = await this.store.createExport(trialId, request.format, request.seed ?? study.spec.seed);
    await this.work.buildExport(record.id);
    return exportView(record);
  }

  async one(id: string): Promise<ExportView> {
    return exportView(await this.store.export(id));
  }

  /** @throws ProblemException unless it is built */
  async content(id: string): Promise<{ fileName: string; sha256: string; bytes: Buffer }> {
    const record = await this.store.export(id);
    if (record.state === 'failed') throw new ProblemException('not-ready', `the export failed: ${record.message ?? 'no reason given'}`);
    const content = record.state === 'completed' ? await this.store.exportContent(id) : null;
    if (content === null) throw new ProblemException('not-ready', `the export is ${record.state}; read /v1/exports/${id} until it is completed`, {}, { 'Retry-After': '1' });
    return { fileName: record.fileName ?? `${id}.bin`, sha256: record.sha256 ?? '', bytes: Buffer.from(content.buffer, content.byteOffset, content.byteLength) };
  }
}

const exportView = (e: ExportRecord): ExportView => ({
  id: e.id, trialId: e.trialId, studyId: e.studyId, format: e.format, state: e.state, message: e.message, fileName: e.fileName, bytes: e.bytes, sha256: e.sha256,
  weights: (e.manifest as { readonly weights?: { readonly kind: ExportView['weights'] } } | null)?.weights?.kind ?? null, manifest: e.manifest ?? null, createdAt: e.createdAt.toISOString(), finishedAt: e.finishedAt?.toISOString() ?? null,
});
