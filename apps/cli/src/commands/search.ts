import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { loadCatalog } from '@app/catalog';
import { frontView, studyTerms, trialViews, type StudyRecord, type TrialRecord } from '@app/study';
import { inputError, InputError, print, printJson, quantity, say, seconds, table, wantsJson } from '../output.js';
import { readText } from '../read-file.js';
import { runLocally } from '../local-study.js';

export function searchCommand(program: Command): void {
  program
    .command('search <study>')
    .description('run one study in this process, no server; resumes if --out holds an unfinished one')
    .option('--out <dir>', 'keep the search here: journal, front.json, trials.json')
    .option('--seed <n>', 'instead of the seed in the file', wholeNumber('--seed'))
    .option('--warm-start <dir...>', 'folders of earlier searches (their --out): begin with what they found')
    .option('--learn-from <dir...>', 'folders of earlier searches of the same task: their trials help to foretell (accuracy.prior)')
    .option('--trials <n>', 'instead of budget.maxTrials in the file', wholeNumber('--trials'))
    .action(async (file: string, options: { out?: string; seed?: number; trials?: number; warmStart?: string[]; learnFrom?: string[] }, command: Command) => {
      const parsed = loadCatalog().parseStudySpec(readText(file));
      if ('issues' in parsed) throw inputError(file, parsed.issues);
      const { spec } = parsed.definition;
      const definition = {
        ...parsed.definition,
        spec: { ...spec, ...(options.seed === undefined ? {} : { seed: options.seed }), ...(options.trials === undefined ? {} : { budget: { ...spec.budget, maxTrials: options.trials } }) },
      };
      const dir = options.out === undefined ? undefined : resolve(options.out);
      const json = wantsJson(command);
      const result = await runLocally(definition, { label: spec.name, dir, warmStart: options.warmStart?.map((d) => resolve(d)), learnFrom: options.learnFrom?.map((d) => resolve(d)), quiet: json && !process.stderr.isTTY, allowCommands: true });
      const { study, trials, front } = result;
      const view = frontView(study, front, [], trials);
      const document = {
        study: { name: study.name, state: study.state, reason: study.reason, message: study.message, seed: study.spec.seed, screened: study.screened },
        trials: trialViews(trials, study), front: front.map((t) => t.number), hypervolume: view.hypervolume, referencePoint: view.objectives.map((o) => o.reference), empty: view.empty, seconds: result.seconds,
      };
      if (dir !== undefined) {
        writeFileSync(join(dir, 'trials.json'), JSON.stringify(document.trials, null, 1));
        writeFileSync(join(dir, 'front.json'), JSON.stringify({ ...document, trials: trialViews(front, study) }, null, 1));
      }
      if (json) printJson(document);
      else {
        say(`${study.state}: ${study.message ?? ''} (${seconds(result.seconds)})${study.screened > 0 ? `; ${study.screened} candidates screened, which break a limit that is computed` : ''}`);
        print(frontTable(study, front));
        if (view.empty) print(`\n${view.empty.message}\n${view.empty.constraints.map((c) => `  ${c.key}: ${c.passed} of ${c.of} trials meet ${c.limit} ${c.unit}; the nearest has ${c.nearest ?? '—'} ${c.unit}`).join('\n')}`);
        else print(`\nhypervolume ${view.hypervolume === null ? '—' : Number(view.hypervolume.toPrecision(6))}, ${front.length} of ${trials.length} trials on the front`);
      }
      if (study.state === 'failed') throw new Error(study.message ?? 'the study failed');
    });
}

/** The front, best first objective first. */
export function frontTable(study: StudyRecord, front: readonly TrialRecord[]): string {
  const { objectives } = studyTerms(study.spec);
  const rows = [...front].sort((a, b) => a.objectives[0]! - b.objectives[0]!);
  const short = (t: TrialRecord): string => {
    const text = Object.values(t.parameters).join(' ');
    return text.length > 60 ? `${text.slice(0, 57)}…` : text;
  };
  return table(
    ['trial', ...objectives.map((o) => o.key), 'proposed by', 'point'],
    rows.map((t) => [String(t.number), ...objectives.map((o) => quantity(t.metrics[o.key]!.value, o.unit)), t.proposedBy, short(t)]),
  );
}

export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) throw new InputError(`${option}: expected a whole number, 0 or more, got "${text}"`);
    return Number(text);
  };
}
