import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { problemSpec, studySpec } from '@app/contracts';
import { issuesOf, parseYaml } from '@app/catalog';
import { optimizers } from '@app/optim';
import { createSearchSpace, SpaceError } from '@app/space';
import type { StudyDefinition } from '@app/study';
import { inputError, InputError, print, printJson, say, seconds, table, wantsJson } from '../output.js';
import { readText } from '../read-file.js';
import { runLocally } from '../local-study.js';
import { wholeNumber } from './search.js';

const ALGORITHMS = optimizers().map((o) => o.name);

export function optimizeCommand(program: Command): void {
  program
    .command('optimize <problem>')
    .description('solve a blackbox of your own: a command that answers JSON lines')
    .option('--algorithm <name>', `one of ${ALGORITHMS.join(', ')}`, 'auto')
    .option('--budget <n>', 'evaluations', wholeNumber('--budget'), 100)
    .option('--seed <n>', 'same seed, same trials', wholeNumber('--seed'), 0)
    .option('--out <dir>', 'keep the search here; run again to take an unfinished one up')
    .option('--warm-start <dir...>', 'folders of earlier searches (their --out): begin with what they found')
    .action(async (file: string, options: { algorithm: string; budget: number; seed: number; out?: string; warmStart?: string[] }, command: Command) => {
      const definition = readProblem(file, options);
      const dir = options.out === undefined ? undefined : resolve(options.out);
      const warmStart = options.warmStart?.map((d) => resolve(d));
      process.chdir(dirname(resolve(file)));
      const json = wantsJson(command);
      const { study, trials, front, seconds: took } = await runLocally(definition, { label: definition.spec.name, dir, warmStart, quiet: json && !process.stderr.isTTY, allowCommands: true });
      const metrics = (t: (typeof trials)[number]): Record<string, number> => Object.fromEntries(Object.entries(t.metrics).map(([key, m]) => [key, m.value]));
      if (json) {
        printJson({
          trials: trials.map((t) => ({ number: t.number, parameters: t.parameters, metrics: metrics(t), state: t.state, proposedBy: t.proposedBy, ...(definition.spec.fidelity ? { fidelity: t.fidelity } : {}), ...(t.message === null ? {} : { message: t.message }) })),
          front: front.map((t) => t.number), hypervolume: study.hypervolume, seconds: took,
        });
      } else {
        const keys = [...definition.spec.objectives, ...definition.spec.constraints].map((o) => o.metric);
        say(`${study.state}: ${study.message ?? ''} (${seconds(took)})`);
        print(table(['trial', ...new Set(keys), 'proposed by', 'point'], front.map((t) => [String(t.number), ...[...new Set(keys)].map((k) => String(Number(t.metrics[k]!.value.toPrecision(6)))), t.proposedBy, JSON.stringify(t.parameters)])));
        if (study.hypervolume !== null && definition.spec.objectives.length > 1) print(`\nhypervolume ${Number(study.hypervolume.toPrecision(6))}`);
      }
      if (trials.length > 0 && trials.every((t) => t.state === 'failed')) throw new Error(`all ${trials.length} evaluations failed; the first: ${trials[0]!.message ?? trials[0]!.reason}`);
      if (study.state === 'failed') throw new Error(study.message ?? 'the search failed');
    });
}

/** @throws InputError with every fault and its place */
function readProblem(file: string, options: { algorithm: string; budget: number; seed: number }): StudyDefinition {
  if (!ALGORITHMS.includes(options.algorithm)) throw new InputError(`--algorithm: expected one of ${ALGORITHMS.join(', ')}, got "${options.algorithm}"`);
  if (options.budget < 1) throw new InputError(`--budget: expected at least 1, got ${options.budget}`);
  const yaml = parseYaml(readText(file));
  if ('faults' in yaml) throw inputError(file, yaml.faults.map((message) => ({ pointer: '', message })));
  const parsed = problemSpec.safeParse(yaml.value);
  if (!parsed.success) throw inputError(file, issuesOf(parsed.error, yaml.value));
  const p = parsed.data;
  const metrics = [...new Set([...p.objectives, ...p.constraints].map((m) => m.metric))];
  const spec = {
    name: file, searchSpace: { parameters: p.parameters }, accuracy: { method: 'command', command: p.evaluator.command, metrics, ...(p.evaluator.checkpoints ? { checkpoints: p.evaluator.checkpoints } : {}) },
    objectives: p.objectives, constraints: p.constraints, ...(p.referencePoint ? { referencePoint: p.referencePoint } : {}), ...(p.start ? { start: p.start } : {}), ...(p.fidelity ? { fidelity: p.fidelity } : {}),
    algorithm: { name: options.algorithm, ...(p.settings ? { settings: p.settings } : {}) }, budget: { maxTrials: options.budget, maxParallelTrials: p.maxParallelTrials }, seed: options.seed,
  };
  const checked = studySpec.safeParse(spec);
  if (!checked.success) throw inputError(file, issuesOf(checked.error, spec));
  try {
    const space = createSearchSpace(p.parameters);
    p.start?.forEach((point) => space.encode(point));
  } catch (error) {
    if (error instanceof SpaceError) throw inputError(file, error.issues.map((i) => ({ pointer: i.path, message: i.message })));
    throw error;
  }
  return { spec: checked.data, space: { name: 'problem', title: file, description: '', family: 'none', parameters: p.parameters, settings: {}, sources: [] }, devices: [] };
}
