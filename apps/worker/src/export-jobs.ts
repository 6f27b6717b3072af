import { Thread } from './thread.js';
import { keepLease, type JobContext } from './worker.js';

/** Builds files of trials on a thread of its own, so that a large network holds up no search. */
export class ExportJobs {
  private readonly thread = new Thread();

  constructor(private readonly context: JobContext) {}

  async run(exportId: string): Promise<void> {
    const { store, leaseMs, owner, version, log } = this.context;
    const lease = await store.leaseExport(exportId, owner, leaseMs);
    if (!lease) return;
    const record = await store.export(exportId);
    const stop = keepLease(() => store.renewExport(lease, leaseMs), leaseMs, () => undefined);
    try {
      const trial = await store.trial(record.trialId);
      const study = await store.study(record.studyId);
      const { spec, space, devices } = study;
      const bundle = await this.thread.call({
        op: 'export',
        request: { definition: { spec, space, devices }, point: trial.parameters, format: record.format, seed: record.seed, weights: await store.trialWeights(trial.id), version, trial: { studyId: study.id, id: trial.id, number: trial.number, metrics: trial.metrics } },
      });
      await store.finishExport(lease, bundle);
    } catch (error) {
      log.error({ exportId, error: (error as Error).message }, 'export failed');
      await store.finishExport(lease, { error: (error as Error).message });
    } finally {
      stop();
    }
    this.context.changed(record.studyId);
  }

  close(): Promise<void> {
    return this.thread.close();
  }
}
