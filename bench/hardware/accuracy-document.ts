/** `docs/accuracy-of-predictions.md` and the table in README, from the stored results of the benches. */
import type { Result } from './evaluate.js';
import type { GoalRow, Summary } from './goals.js';

export interface HardwareRun {
  readonly goals: readonly GoalRow[];
  readonly results: readonly Result[];
}

/** Agreement of memory predictions with one table; shares and errors with unit 1. */
export interface MemoryLine {
  readonly of: string;
  readonly count: number;
  readonly exact: number;
  readonly within1Percent: number;
  readonly within5Percent: number;
  readonly meanError: number;
  readonly worstError: number;
}

export interface MemoryRun {
  readonly agreements: readonly MemoryLine[];
}

const percent = (share: number | null | undefined, digits = 1): string => (share === null || share === undefined ? '–' : (100 * share).toFixed(digits));
const HEAD = '| count | MAPE % | Spearman | within 10 %, % | in 90 % interval, % | MAPE %: MACs only | MACs, bytes, layers |';
const RULE = '|---:|---:|---:|---:|---:|---:|---:|';
const cells = ({ count, mape, spearman, within10, coverage, macs, macsBytesLayers }: Summary): string => `${count} | ${percent(mape)} | ${spearman === null ? '–' : spearman.toFixed(3)} | ${percent(within10)} | ${percent(coverage)} | ${percent(macs)} | ${percent(macsBytesLayers)} |`;

const summaryOf = (r: Result): Summary => ({ count: r.count, mape: r.mape, spearman: r.spearman, within10: r.within10, coverage: r.coverage, macs: r.baselines?.macs.mape ?? null, macsBytesLayers: r.baselines?.macsBytesLayers.mape ?? null });

/** Markers in README between which the table stands. */
export const BEGIN = '<!-- accuracy: written by npm run bench:hardware -- --write-docs -->';
export const END = '<!-- accuracy: end -->';

export function readmeTable({ goals }: HardwareRun): string {
  const lines = goals.flatMap(({ goal, mean }) => (mean === null ? [] : [`| ${goal} | ${cells(mean)}`]));
  return [BEGIN, `| asked for ${HEAD}`, `|---${RULE}`, ...lines, END].join('\n');
}

/** @throws Error if README has no markers */
export function withReadmeTable(readme: string, run: HardwareRun): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`README.md: expected the lines "${BEGIN}" and "${END}", found ${from < 0 ? 'none' : 'no end'}`);
  return readme.slice(0, from) + readmeTable(run) + readme.slice(to + END.length);
}

const QUESTIONS: readonly { readonly question: Result['question']; readonly title: string; readonly about: string }[] = [
  { question: 'unseen network', title: 'Networks a model has not seen', about: 'Device and runtime are known. Five-fold cross-validation over groups of equal networks; series of fewer than 60 leave one network out, of all devices that measured it.' },
  { question: 'unseen resolution', title: 'An input resolution not seen', about: 'Fitted on the other resolutions.' },
  { question: 'unseen device, 10 samples', title: 'A device known from ten networks', about: 'Five draws of ten; all other networks are asked for. Other batch sizes of the same card are not known either. The interval is of the first draw.' },
  {
    question: 'unseen board', title: 'A microcontroller board nobody measured',
    about: 'Every series of the board is left out. Cycles come from boards with its core and its release of the kernel library (compiled alike), else from core and library known apart, told apart by the others. Beside it the two baselines, fitted to the closest series. Known apart, errors stay near what a release alone moves: from X-CUBE-AI 7.3 to 9.0 the same networks on the same NUCLEO-L4R5ZI take 27 % (ResNet-8) and 42 % (DS-CNN) less time, and under Zephyr ONNC takes 14 % more for DS-CNN than under Mbed OS. Energy: the latency so predicted, and one reading of the board\'s power; without a reading energy cannot be told to 10 %, for the same NUCLEO-L4R5ZI at 120 MHz draws 33 to 78 mW in MLPerf Tiny, by supply voltage and regulator.',
  },
  { question: 'unseen block', title: 'Single blocks', about: 'Inverted bottlenecks measured alone (ProxylessNAS, TF-NAS).' },
  { question: 'network from its blocks', title: 'Networks from blocks', about: 'Fitted to nothing but the blocks of the Pixel 1 table, asked for whole MobileNets on that phone: what blocks cost adds up.' },
];

export function accuracyDocument({ goals, results }: HardwareRun, { agreements }: MemoryRun): string {
  const lines = [
    '# How good the predictions are', '',
    'Written by `npm run bench:memory -- --write-docs` and `npm run bench:hardware -- --write-docs` from the measurements in `bench/data` (sources and licences: `bench/data/hardware/SOURCES.md`); a test holds it against the stored results in `bench/results`. MAPE is the mean absolute relative error. Baselines: a · MACs + c, and a · MACs + b · bytes + c · layers, fitted and asked in the same way.', '',
    '## Goals', '', '| goal | measured | |', '|---|---|---|', ...goals.map((g) => `| ${g.goal} | ${g.figures} | ${g.reached ? 'reached' : 'missed'} |`), '',
  ];
  for (const { question, title, about } of QUESTIONS) {
    const rows = results.filter((r) => r.question === question);
    if (rows.length === 0) continue;
    lines.push(`## ${title}`, '', about, '', `| device | runtime | networks | ${question === 'unseen board' ? 'known by' : 'quantity'} ${HEAD}`, `|---|---|---|---${RULE}`);
    for (const r of rows) lines.push(`| ${r.title} | ${r.runtime} | ${r.networks} | ${r.kin === undefined ? r.quantity : `${r.kin}${r.quantity === 'energy' ? ', energy' : ''}`} | ${cells(summaryOf(r))}`);
    lines.push('');
  }
  lines.push(
    '## Memory', '',
    'Arenas of TensorFlow Lite Micro measured with the runtime itself; RAM and flash of other runtimes as published. "Constant from the other networks": what a runtime takes besides, by the median of the networks left. STM32Cube.AI places its buffers by a search of its own that changed between releases (ST lists the same ResNet-8 file with 45.41 KiB of activations in 8.1.0 and 62.51 KiB in 9.1.0), which no rule on shapes can follow.', '',
    '| figure | count | exact, % | within 1 %, % | within 5 %, % | mean error % | worst % |', '|---|---:|---:|---:|---:|---:|---:|',
    ...agreements.map((a) => `| ${a.of} | ${a.count} | ${percent(a.exact)} | ${percent(a.within1Percent)} | ${percent(a.within5Percent)} | ${percent(a.meanError)} | ${percent(a.worstError)} |`), '',
  );
  return lines.join('\n');
}

/** Figures to four significant digits: alike on every machine. */
export function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(4)) : v))) as T;
}
