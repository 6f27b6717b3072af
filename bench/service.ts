import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy, json, ServiceProcess, untilEnded } from '../test/support/service-process.js';

/**
 * 10,000 cheap trials in one study: what does the service itself cost?
 * Starts `caddis serve` (embedded, or DATABASE_URL and REDIS_URL as set), submits one study over the measured table for each
 * algorithm, and times it and the endpoints a page calls. `--json` prints one document, `--trials N` another size, `--algorithms a,b` others.
 */
interface Row {
  readonly algorithm: string;
  readonly trials: number;
  readonly seconds: number;
  readonly trialsPerSecond: number;
  /** resident memory of the process at the end, MiB */
  readonly rssMiB: number;
  /** median of 20 calls, ms */
  readonly frontMs: number;
  readonly seriesMs: number;
  readonly firstPageMs: number;
  readonly frontSize: number;
}

const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const trials = Number(argument('--trials') ?? 10_000);

async function measure(base: string, pid: number, algorithm: string): Promise<Row> {
  const study = await createStudy(base, {
    name: `bench ${algorithm}`, searchSpace: 'nas-bench-201', accuracy: { method: 'table' },
    objectives: [{ metric: 'error' }, { metric: 'latency', target: 'pixel-3' }, { metric: 'latency', target: 'raspberry-pi-4' }],
    algorithm: { name: algorithm }, budget: { maxTrials: trials }, seed: 1,
  });
  const ended = await untilEnded(base, study.id, 1_800_000);
  const seconds = ended.runningSeconds;
  return {
    algorithm, trials: ended.counts.total, seconds, trialsPerSecond: ended.counts.total / seconds, rssMiB: residentMiB(pid), frontSize: ended.frontSize,
    frontMs: await median(() => json(`${base}/v1/studies/${study.id}/front`)),
    seriesMs: await median(() => json(`${base}/v1/studies/${study.id}/series`)),
    firstPageMs: await median(() => json(`${base}/v1/studies/${study.id}/trials?limit=50&sort=-number`)),
  };
}

async function median(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const began = performance.now();
    await call();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[10]!;
}

const residentMiB = (pid: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

const dir = mkdtempSync(join(tmpdir(), 'caddis-bench-'));
const { DATABASE_URL, REDIS_URL } = process.env;
const service = await ServiceProcess.serve({ CADDIS_DATA_DIR: dir, ...(DATABASE_URL ? { DATABASE_URL } : {}), ...(REDIS_URL ? { REDIS_URL } : {}) });
const workers = REDIS_URL ? [ServiceProcess.worker({ DATABASE_URL: DATABASE_URL!, REDIS_URL })] : [];
try {
  const rows: Row[] = [];
  for (const algorithm of (argument('--algorithms') ?? 'random,mads').split(',')) rows.push(await measure(service.url, service.child.pid!, algorithm));
  const report = { database: DATABASE_URL ? 'PostgreSQL' : 'embedded', queue: REDIS_URL ? 'Bull on Redis' : 'in process', cpu: cpus()[0]?.model, cores: cpus().length, node: process.version, rows };
  const text = process.argv.includes('--json')
    ? JSON.stringify(report, null, 2)
    : `${report.database}, ${report.queue}, ${report.cores} × ${report.cpu}\n${rows.map((r) => `${r.algorithm}: ${r.trials} trials in ${r.seconds.toFixed(1)} s (${r.trialsPerSecond.toFixed(0)}/s), ${r.rssMiB.toFixed(0)} MiB, front of ${r.frontSize} in ${r.frontMs.toFixed(1)} ms, series in ${r.seriesMs.toFixed(0)} ms, first page in ${r.firstPageMs.toFixed(1)} ms`).join('\n')}`;
  process.stdout.write(`${text}\n`);
} finally {
  await Promise.all([service, ...workers].map((p) => p.terminate()));
  rmSync(dir, { recursive: true, force: true });
}
