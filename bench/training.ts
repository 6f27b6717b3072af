/**
 * How quickly do networks train and answer? Images a second of the whole training step and of the forward pass at inference, for
 * FlyNets of three sizes and a network of dense 3×3 convolutions, one thread unless told otherwise, on random images. By wall clock and
 * by the processor time the process took, since only the latter means something on a machine that others use.
 *
 * `--python PATH` compares with PyTorch under that Python: the same networks and weights, in turns within one run, in several forms, of
 * which the fastest counts; ratios are of processor time, above 1 where Caddis is faster. `--compile` tries torch.compile too.
 * `--profile` adds which operators the time goes to. `--json` prints one document; `--batch N`, `--rounds N`, `--threads N`, `--only NAME`.
 * `--accuracy` instead trains on Fashion-MNIST on both sides: see training/accuracy.ts. `--gradients` compares gradients: training/gradients.ts.
 */
import { cpus } from 'node:os';
import { trainingRecipeSchema } from '@app/contracts';
import { inferShapes, inferenceProgram, initialWeights, totals, trainingGraph } from '@app/graph';
import { stepRecipe } from '@app/train';
import { accuracyReport } from './training/accuracy.js';
import { gradientReport } from './training/gradients.js';
import { NETWORKS, type BenchNetwork } from './training/networks.js';
import { openRunner, profileOf, type Spent } from './training/ours.js';
import { FORMS, TorchProcess, type Form } from './training/torch.js';

const text = (name: string): string | undefined => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const number = (name: string, otherwise: number): number => Number(text(name) ?? otherwise);
const has = (name: string): boolean => process.argv.includes(name);
const batch = number('--batch', 64);
const rounds = number('--rounds', 10);
const threads = number('--threads', 1);
const WHAT = ['step', 'forward'] as const;
type What = (typeof WHAT)[number];

interface Speed {
  /** medians of the rounds */
  readonly imagesPerSecond: number;
  readonly imagesPerCpuSecond: number;
}

interface Compared extends Speed {
  readonly openMs: number;
  readonly nodes: number;
  readonly profile?: Readonly<Record<string, number>>;
  readonly torch?: Readonly<Partial<Record<Form, Speed>>>;
  /** best form of PyTorch; images of a second of processor time here over there, and by wall clock */
  readonly best?: Form;
  readonly ratio?: number;
  readonly wallRatio?: number;
}

const median = (values: readonly number[]): number => values.slice().sort((a, b) => a - b)[values.length >> 1]!;
const speedOf = (spent: readonly Spent[]): Speed => ({ imagesPerSecond: (1000 * batch) / median(spent.map((s) => s.wall)), imagesPerCpuSecond: (1000 * batch) / median(spent.map((s) => s.cpu)) });

async function measure({ graph }: BenchNetwork, torch: TorchProcess | null): Promise<Record<What, Compared> & { failed: Partial<Record<Form, string>> }> {
  const recipe = trainingRecipeSchema.parse({});
  const programs = { step: trainingGraph(graph, stepRecipe(recipe, batch, totals(graph).params)).program, forward: inferenceProgram(graph, batch).program };
  const runners = { step: await openRunner(programs.step, graph, threads), forward: await openRunner(programs.forward, graph, threads) };
  const forms = FORMS.filter((form) => has('--compile') || !form.startsWith('compiled'));
  const loaded = await torch?.ask<{ forms: Record<Form, string> }>({
    do: 'load', ...torch.place(graph, initialWeights(graph, 1)), shape: [batch, ...inferShapes(graph).get(graph.nodes.find((n) => n.kind === 'input')!.id)!.slice(1)], classes: 10, forms,
    recipe: { learningRate: 1e-3, momentum: recipe.momentum, nesterov: true, weightDecay: recipe.weightDecay, labelSmoothing: recipe.labelSmoothing },
  });
  const working = forms.filter((form) => loaded?.forms[form] === 'ok');
  const ours: Record<What, Spent[]> = { step: [], forward: [] };
  const theirs = new Map(working.map((form) => [form, { step: [] as Spent[], forward: [] as Spent[] }]));
  for (let i = 0; i < rounds + 2; i++) {
    for (const what of WHAT) {
      const spent = await runners[what].run();
      // the first runs allocate
      if (i >= 2) ours[what].push(spent);
      for (const form of working) {
        const answer = await torch!.ask<Spent>({ do: 'time', form, what });
        if (i >= 2) theirs.get(form)![what].push(answer);
      }
    }
  }
  const compared = async (what: What): Promise<Compared> => {
    await runners[what].close();
    const speed = speedOf(ours[what]);
    const base = { ...speed, openMs: runners[what].openMs, nodes: programs[what].nodes.length, ...(has('--profile') ? { profile: await profileOf(programs[what], graph, threads, rounds) } : {}) };
    if (working.length === 0) return base;
    const byForm = new Map(working.map((form) => [form, speedOf(theirs.get(form)![what])]));
    const best = working.reduce((a, b) => (byForm.get(b)!.imagesPerCpuSecond > byForm.get(a)!.imagesPerCpuSecond ? b : a));
    const rival = byForm.get(best)!;
    return { ...base, torch: Object.fromEntries(byForm), best, ratio: speed.imagesPerCpuSecond / rival.imagesPerCpuSecond, wallRatio: speed.imagesPerSecond / rival.imagesPerSecond };
  };
  const failed = Object.fromEntries(forms.filter((form) => loaded !== undefined && loaded.forms[form] !== 'ok').map((form) => [form, loaded!.forms[form]]));
  return { step: await compared('step'), forward: await compared('forward'), failed };
}

async function speeds(torch: TorchProcess | null): Promise<void> {
  const version = torch === null ? {} : await torch.ask<{ torch: string }>({ do: 'about' });
  const rows = [];
  for (const network of NETWORKS.filter(({ name }) => text('--only') === undefined || text('--only') === name)) {
    const { params, macs } = totals(network.graph);
    rows.push({ name: network.name, what: network.what, params, macs, ...(await measure(network, torch)) });
  }
  const report = { machine: `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores`, node: process.version, ...version, threads, batch, rounds, rows };
  if (has('--json')) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  process.stdout.write(`batch ${batch}, ${threads} thread${threads === 1 ? '' : 's'}; images a second (of processor time)\n`);
  for (const { what, params, macs, step, forward, failed } of rows) {
    const speed = (s: Speed): string => `${s.imagesPerSecond.toFixed(0)} (${s.imagesPerCpuSecond.toFixed(0)})`;
    process.stdout.write(`${what}, ${(params / 1e3).toFixed(0)} k parameters, ${(macs / 1e6).toFixed(2)} M MACs\n`);
    for (const [name, s] of [['step', step], ['forward', forward]] as const) {
      const rivals = s.torch === undefined ? '' : `; PyTorch ${Object.entries(s.torch).map(([form, t]) => `${form} ${speed(t)}`).join(', ')}; ratio ${s.ratio!.toFixed(2)} (by clock ${s.wallRatio!.toFixed(2)})`;
      process.stdout.write(`  ${name}: ${speed(s)}${rivals}\n`);
      if (s.profile) process.stdout.write(`    ${Object.entries(s.profile).map(([op, share]) => `${op} ${(100 * share).toFixed(0)} %`).join(', ')}\n`);
    }
    for (const [form, why] of Object.entries(failed)) process.stdout.write(`  PyTorch ${form} did not run: ${why}\n`);
  }
}

const python = text('--python');
const torch = python === undefined ? null : new TorchProcess(python, threads);
try {
  if (has('--accuracy')) await accuracyReport(torch, { seeds: number('--seeds', 5), images: number('--images', 12_000), epochs: number('--epochs', 3), threads });
  else if (has('--gradients') && torch !== null) await gradientReport(torch, { seed: number('--seed', 1), after: (text('--after') ?? '0,50,150').split(',').map(Number), threads });
  else await speeds(torch);
} finally {
  torch?.close();
}
