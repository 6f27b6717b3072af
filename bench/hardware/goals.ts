import type { Result } from './evaluate.js';

/** Figures of several series together, each counted by its measurements, unit 1; null: none has it. */
export interface Summary {
  readonly count: number;
  readonly mape: number;
  readonly spearman: number | null;
  readonly within10: number;
  readonly coverage: number | null;
  /** MAPE of the baselines */
  readonly macs: number | null;
  readonly macsBytesLayers: number | null;
}

export interface GoalRow {
  readonly goal: string;
  readonly figures: string;
  readonly reached: boolean;
  /** null for goals on intervals */
  readonly mean: Summary | null;
}

interface Goal {
  readonly goal: string;
  readonly of: (r: Result) => boolean;
  readonly mape: number;
  readonly within10?: number;
  readonly spearman?: number;
}

const isCard = (device: string): boolean => /^(1080ti|2080ti|titan)/.test(device);
const isSlowXeon = (device: string): boolean => device === 'gold_6240' || device === 'silver_4114';
const isXeon = (device: string): boolean => /^(gold|silver)/.test(device);
const cells = (r: Result): boolean => r.question === 'unseen network' && r.networks === 'nas-bench-201' && r.quantity === 'latency';
const isCortexM = (r: Result): boolean => r.core?.startsWith('Cortex-M') === true;

const GOALS: readonly Goal[] = [
  { goal: 'NAS-Bench-201, GPUs and Xeons', of: (r) => cells(r) && (isCard(r.device) || (isXeon(r.device) && !isSlowXeon(r.device))), mape: 0.02, within10: 0.98 },
  { goal: 'NAS-Bench-201, Xeon 6240 and 4114', of: (r) => cells(r) && isSlowXeon(r.device), mape: 0.075 },
  { goal: 'NAS-Bench-201, Pi 5 with LiteRT and ONNX Runtime', of: (r) => cells(r) && r.device === 'pi5' && r.runtime !== 'PyTorch Mobile', mape: 0.025, within10: 0.97 },
  { goal: 'energy of the Pi 5 with LiteRT and ONNX Runtime', of: (r) => r.question === 'unseen network' && r.quantity === 'energy' && r.device === 'pi5' && r.runtime !== 'PyTorch Mobile', mape: 0.04 },
  { goal: 'NAS-Bench-201, Pixel 3 and Raspberry Pi 4', of: (r) => cells(r) && (r.device === 'pixel3' || r.device === 'raspi4'), mape: 0.08 },
  { goal: 'unseen GPU or Xeon from 10 samples', of: (r) => r.question === 'unseen device, 10 samples' && r.quantity === 'latency' && (isCard(r.device) || isXeon(r.device)), mape: 0.05, spearman: 0.95 },
  { goal: 'unseen input resolution', of: (r) => r.question === 'unseen resolution' && r.quantity === 'latency', mape: 0.05 },
  { goal: 'Cortex-M, unseen network, known board and runtime', of: (r) => r.question === 'unseen network' && r.quantity === 'latency' && isCortexM(r) && r.count >= 5, mape: 0.07, within10: 0.85 },
  { goal: 'unseen board of a known core and runtime', of: (r) => r.question === 'unseen board' && r.quantity === 'latency' && isCortexM(r) && r.kin === 'same core and release', mape: 0.12 },
  { goal: 'unseen board, core and kernel library known from different boards or releases', of: (r) => r.question === 'unseen board' && r.quantity === 'latency' && isCortexM(r) && r.kin === 'core and library apart', mape: 0.12 },
  { goal: 'energy of an unseen board whose power was read once', of: (r) => r.question === 'unseen board' && r.quantity === 'energy' && isCortexM(r), mape: 0.1 },
];

/** Who is counted together when it is asked whether 90 % intervals hold: from 60 measurements on a series can tell alone, fewer only together. */
const COVERAGES: readonly { readonly of: string; readonly includes: (r: Result) => boolean }[] = [
  { of: 'unseen networks, series of 60 and more', includes: (r) => r.question === 'unseen network' && r.count >= 60 },
  { of: 'unseen networks, series below 60', includes: (r) => r.question === 'unseen network' && r.count < 60 },
  { of: 'unseen devices from 10 samples', includes: (r) => r.question === 'unseen device, 10 samples' },
  { of: 'unseen boards, Cortex-M', includes: (r) => r.question === 'unseen board' && isCortexM(r) },
];

/** Shares of measurements inside their 90 % intervals; the goal is 87 to 93 %. */
export function coverageTable(results: readonly Result[]): GoalRow[] {
  return COVERAGES.flatMap(({ of, includes }) => {
    const rows = results.filter((r) => includes(r) && r.coverage !== null);
    if (rows.length === 0) return [];
    const count = rows.reduce((n, r) => n + r.count, 0);
    const inside = rows.reduce((sum, r) => sum + r.coverage! * r.count, 0) / count;
    return [{ goal: `90 % intervals: ${of}`, figures: `${(100 * inside).toFixed(1)} % inside (goal 87 to 93 %); ${rows.length} series, ${count} predictions`, reached: inside >= 0.87 && inside <= 0.93, mean: null }];
  });
}

export function goalTable(results: readonly Result[]): GoalRow[] {
  return GOALS.flatMap(({ goal, of, mape, within10, spearman }) => {
    const rows = results.filter(of);
    if (rows.length === 0) return [];
    const mean = summarise(rows);
    const rank = mean.spearman ?? 0;
    const due = [`MAPE ${(100 * mean.mape).toFixed(2)} % (goal ${Number((100 * mape).toFixed(1))} %)`, `within 10 % ${(100 * mean.within10).toFixed(1)} %${within10 === undefined ? '' : ` (goal ${100 * within10} %)`}`];
    if (spearman !== undefined) due.push(`Spearman ${rank.toFixed(3)} (goal ${spearman})`);
    const reached = mean.mape <= mape && mean.within10 >= (within10 ?? 0) && rank >= (spearman ?? -1);
    return [{ goal, figures: `${due.join(', ')}; ${rows.length} series, ${mean.count} predictions`, reached, mean }];
  });
}

function summarise(rows: readonly Result[]): Summary {
  const mean = (value: (r: Result) => number | null): number | null => {
    const having = rows.filter((r) => value(r) !== null);
    const count = having.reduce((n, r) => n + r.count, 0);
    return count === 0 ? null : having.reduce((sum, r) => sum + value(r)! * r.count, 0) / count;
  };
  return {
    count: rows.reduce((n, r) => n + r.count, 0), mape: mean((r) => r.mape)!, spearman: mean((r) => r.spearman), within10: mean((r) => r.within10)!, coverage: mean((r) => r.coverage),
    macs: mean((r) => r.baselines?.macs.mape ?? null), macsBytesLayers: mean((r) => r.baselines?.macsBytesLayers.mape ?? null),
  };
}
