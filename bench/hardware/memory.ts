import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bestPatchSchedule, cubeAiTerms, isCubeAi, lifetimes, networkMemory, planArena, reorderOperators, TFLM_ALIGNMENT, tfliteMetadataBytes, tflmArena, tflmNetworkOf, weightFlashBytes } from '@app/cost';
import { accuracyDocument, rounded, type HardwareRun, type MemoryLine, type MemoryRun } from './accuracy-document.js';
import { readMemoryData, type ArenaRow, type RuntimeRow } from './memory-data.js';
import { toGraph, toTflm, withoutCopies, withPaddingCopies } from './memory-networks.js';

/**
 * Memory predictions against measured memory: arenas of TensorFlow Lite Micro, RAM and flash of other runtimes, what another order of
 * execution saves, and how far the planners stay above the largest live set.
 * `--json` prints one document; `--write-docs` stores the agreements in bench/results and writes docs/accuracy-of-predictions.md; `--measurements DIR` (or CADDIS_MEASUREMENTS) takes the files of another folder than bench/data/memory.
 */
const argument = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);

function agreement(of: string, pairs: readonly (readonly [predicted: number, measured: number])[]): MemoryLine {
  const errors = pairs.map(([p, m]) => Math.abs(p / m - 1));
  const share = (n: number): number => (pairs.length === 0 ? 0 : n / pairs.length);
  return {
    of, count: pairs.length,
    exact: share(pairs.filter(([p, m]) => p === m).length),
    within1Percent: share(errors.filter((e) => e <= 0.01).length),
    within5Percent: share(errors.filter((e) => e <= 0.05).length),
    meanError: share(errors.reduce((a, b) => a + b, 0)),
    worstError: errors.reduce((a, b) => Math.max(a, b), 0),
  };
}

const grouped = <T>(rows: readonly T[], key: (row: T) => string): [string, T[]][] => {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return [...groups];
};

function arenas(rows: readonly ArenaRow[]): MemoryLine[] {
  const priced = rows.map((row) => ({ row, arena: tflmArena(toTflm(row.network)) }));
  const lines = [...grouped(priced, ({ row }) => row.kind), ['all', priced] as const].flatMap(([kind, group]) => [
    agreement(`TFLM activation area, ${kind}`, group.map(({ row, arena }) => [arena.nonPersistent, row.nonPersistent])),
    agreement(`TFLM arena, ${kind}`, group.map(({ row, arena }) => [arena.total, row.arenaUsed])),
  ]);
  // converters run relu inside the operator before it, which the built NAS-Bench-201 files don't: those are other networks to us
  const asGraphs = rows.filter((row) => row.network.ops.every((op) => op.type !== 'relu')).flatMap((row) => {
    const graph = toGraph(row.network);
    return graph === null ? [] : [{ row, graph, arena: tflmArena(tflmNetworkOf(graph, { bytesPerElement: 1, kernels: 'reference' })) }];
  });
  return [
    ...lines,
    agreement('TFLM activation area, through our graph', asGraphs.map(({ row, arena }) => [arena.nonPersistent, row.nonPersistent])),
    agreement('TFLM arena, through our graph', asGraphs.map(({ row, arena }) => [arena.total, row.arenaUsed])),
    agreement('weights in flash, through our graph', asGraphs.map(({ row, graph }) => [weightFlashBytes(graph, 'int8'), row.weightBytes])),
    agreement('.tflite file', rows.map((row) => [row.weightBytes + tfliteMetadataBytes(toTflm(row.network)), row.fileBytes])),
  ];
}

function runtimes(rows: readonly RuntimeRow[]): MemoryLine[] {
  return grouped(rows, (row) => row.runtime).flatMap(([runtime, group]) => {
    const having = (figure: 'activationRam' | 'ram' | 'flash' | 'weightFlash' | 'codeFlash', predict: (row: RuntimeRow) => number | null): (readonly [number, number])[] => group.flatMap((row) => {
      const measured = row[figure];
      const predicted = measured === undefined ? null : predict(row);
      return measured === undefined || predicted === null ? [] : [[predicted, measured] as const];
    });
    const weights = (row: RuntimeRow): number | null => {
      const graph = toGraph(row.network);
      return graph === null ? null : weightFlashBytes(graph, 'int8');
    };
    const tflm = /tf|cmsis/i.test(runtime) && !/tinyengine/i.test(runtime);
    const need = (row: RuntimeRow): number | null => {
      const graph = toGraph(tflm ? row.network : withoutCopies(row.network));
      if (tflm && row.copiesPadding) return tflmArena(toTflm(withPaddingCopies(row.network))).total;
      if (tflm && graph !== null) return tflmArena(tflmNetworkOf(graph, { bytesPerElement: 1, kernels: 'cmsis-nn' })).total;
      return graph === null ? null : networkMemory(graph, runtime, 'int8')?.activations ?? null;
    };
    const micronets = runtime.includes('MicroNets');
    const ram = micronets ? agreement(`${runtime}: RAM, the arena alone`, having('ram', need)) : agreement(`${runtime}: RAM, constant from the other networks`, withConstant(group, 'ram', need));
    // tables give KiB with two decimals: equal is equal at that precision
    const printed = (pairs: (readonly [number, number])[]): (readonly [number, number])[] => pairs.map(([p, m]) => [Math.abs(p - m) <= 0.006 * 1024 ? m : p, m] as const);
    return [
      agreement(`${runtime}: code in flash, by operators and channels`, isCubeAi(runtime) ? having('codeFlash', (row) => cubeCode(row)) : []),
      agreement(`${runtime}: activation RAM`, having('activationRam', need)),
      ram,
      agreement(`${runtime}: weights in flash`, printed(having('weightFlash', weights))),
      agreement(`${runtime}: code in flash, constant from the other networks`, withConstant(group, 'codeFlash', () => 0)),
      agreement(`${runtime}: flash, constant from the other networks`, withConstant(group, 'flash', (row) => {
        const bytes = weights(row);
        return bytes === null ? null : bytes + (tflm ? tfliteMetadataBytes(toTflm(row.network)) : 0);
      })),
    ].filter((line) => line.count > 0);
  });
}

function cubeCode(row: RuntimeRow): number | null {
  const graph = toGraph(row.network);
  return graph === null ? null : cubeAiTerms(graph).flash;
}

/** Predictions with a runtime's constant: the median of what the other networks take on top. */
function withConstant(rows: readonly RuntimeRow[], figure: 'ram' | 'flash' | 'codeFlash', predict: (row: RuntimeRow) => number | null): (readonly [number, number])[] {
  const known = rows.flatMap((row) => {
    const [measured, base] = [row[figure], predict(row)];
    return measured === undefined || base === null ? [] : [{ name: row.network.name, measured, base }];
  });
  return known.flatMap(({ name, measured, base }) => {
    const others = known.filter((k) => k.name !== name).map((k) => k.measured - k.base).sort((a, b) => a - b);
    return others.length === 0 ? [] : [[base + others[others.length >> 1]!, measured] as const];
  });
}

interface Reordered {
  readonly network: string;
  readonly kind: string;
  /** working sets, B */
  readonly before: number;
  readonly after: number;
  readonly lowerBound: number;
  readonly optimal: boolean;
  /** 1 − after / before */
  readonly saved: number;
  /** arenas of TFLM's planner in the two orders, B */
  readonly arenaBefore: number;
  readonly arenaAfter: number;
}

function reordering(rows: readonly ArenaRow[]): Reordered[] {
  return rows.map(({ network, kind }) => {
    const tflm = toTflm(network);
    const found = reorderOperators(tflm.program, 20_000, TFLM_ALIGNMENT);
    return {
      network: network.name, kind, before: found.before, after: found.peak, lowerBound: found.lowerBound, optimal: found.optimal, saved: 1 - found.peak / found.before,
      arenaBefore: tflmArena(tflm).nonPersistent, arenaAfter: tflmArena(tflm, found.order).nonPersistent,
    };
  });
}

function planners(rows: readonly ArenaRow[]): Record<string, number> {
  if (rows.length === 0) return { count: 0 };
  const plans = rows.map(({ network }) => {
    const tflm = toTflm(network);
    const { buffers } = lifetimes(tflm.program, undefined, TFLM_ALIGNMENT);
    return { greedy: tflmArena(tflm), own: planArena(buffers, { nodes: 5_000 }) };
  });
  const share = (of: (p: (typeof plans)[number]) => boolean): number => plans.filter(of).length / plans.length;
  const mean = (of: (p: (typeof plans)[number]) => number): number => plans.reduce((sum, p) => sum + of(p), 0) / plans.length;
  const most = (of: (p: (typeof plans)[number]) => number): number => plans.reduce((m, p) => Math.max(m, of(p)), 0);
  return {
    count: plans.length,
    greedyAtLargestLiveSet: share((p) => p.greedy.nonPersistent === p.greedy.lowerBound),
    greedyMeanGap: mean((p) => p.greedy.nonPersistent / p.greedy.lowerBound - 1),
    greedyWorstGap: most((p) => p.greedy.nonPersistent / p.greedy.lowerBound - 1),
    ownAtLargestLiveSet: share((p) => p.own.size === p.greedy.lowerBound),
    ownProvenOptimal: share((p) => p.own.proven),
    ownMeanGap: mean((p) => p.own.size / p.own.lowerBound - 1),
    ownWorstGap: most((p) => p.own.size / p.own.lowerBound - 1),
  };
}

interface Patched {
  readonly network: string;
  /** B of live activations, without and with patches */
  readonly before: number;
  readonly after: number;
  readonly grid: readonly number[];
  readonly stage: string;
  readonly recomputed: number;
}

/** First stages in patches, at most a tenth of the MACs computed again. */
function patches(rows: readonly ArenaRow[]): Patched[] {
  return rows.filter((row) => row.kind === 'named network').flatMap(({ network }) => {
    const graph = toGraph(network);
    const found = graph === null ? null : bestPatchSchedule(graph, { bytesPerElement: 1, maxRecomputed: 0.1 });
    return found === null ? [] : [{ network: network.name, before: found.before, after: found.peak, grid: found.grid, stage: found.stage, recomputed: found.recomputed }];
  });
}

const folder = argument('--measurements') ?? process.env['CADDIS_MEASUREMENTS'] ?? join('bench', 'data', 'memory');
const data = readMemoryData(folder);
const agreements = [...(data.arenas.length > 0 ? arenas(data.arenas) : []), ...runtimes(data.runtimes)];
const reordered = reordering(data.arenas);
const planner = planners(data.arenas);
const patched = patches(data.arenas);

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
if (process.argv.includes('--write-docs')) {
  const run: MemoryRun = rounded({ agreements });
  writeFileSync('bench/results/memory.json', `${JSON.stringify(run, null, 1)}\n`);
  writeFileSync('docs/accuracy-of-predictions.md', accuracyDocument(JSON.parse(readFileSync('bench/results/hardware.json', 'utf8')) as HardwareRun, run));
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ agreements, reordering: reordered, planner, patches: patched }, null, 1)}\n`);
else {
  const lines = agreements.map((a) => `${a.of.padEnd(78)} ${String(a.count).padStart(4)}  exact ${percent(a.exact).padStart(7)}  within 1 % ${percent(a.within1Percent).padStart(7)}  within 5 % ${percent(a.within5Percent).padStart(7)}  mean ${percent(a.meanError)}  worst ${percent(a.worstError)}`);
  const saving = reordered.filter((r) => r.saved > 0);
  lines.push('', `another order saves memory in ${saving.length} of ${reordered.length} networks; ${reordered.filter((r) => r.optimal).length} orders are proven best`);
  for (const r of [...saving].sort((a, b) => b.saved - a.saved)) lines.push(`  ${r.network.padEnd(34)} ${r.before} → ${r.after} B (${percent(r.saved)})${r.optimal ? '' : `, bound ${r.lowerBound}`}; arena ${r.arenaBefore} → ${r.arenaAfter}`);
  lines.push('', ...Object.entries(planner).map(([k, v]) => `${k.padEnd(24)} ${k === 'count' ? v : percent(v)}`));
  lines.push('', 'first stages in patches, at most 10 % of the MACs computed again');
  for (const p of patched) lines.push(`  ${p.network.padEnd(34)} ${p.before} → ${p.after} B (${percent(1 - p.after / p.before)}), ${p.grid.join('×')} up to ${p.stage}, ${percent(p.recomputed)} again`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
