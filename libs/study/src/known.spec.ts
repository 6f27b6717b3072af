import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCatalog } from '@app/catalog';
import { Rng } from '@app/numeric';
import { describe, expect, it } from 'vitest';
import type { AccuracyEvaluator } from './accuracy.js';
import { StudyEngine } from './engine.js';
import { evaluateCandidate } from './evaluate.js';
import { knownOf } from './known.js';
import { studyProblem } from './problem.js';
import type { StudyDefinition } from './records.js';
import { runStep } from './step.js';

const text = readFileSync(join(import.meta.dirname, '../../../search-spaces/examples/flynet-stm32f446re.yaml'), 'utf8');
const signal = new AbortController().signal;

function study(change: (text: string) => string = (t) => t): StudyDefinition {
  const parsed = loadCatalog().parseStudySpec(change(text));
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues));
  return parsed.definition;
}

const accuracy: AccuracyEvaluator = {
  id: 'test', secondsPerTrial: 0, metrics: ['accuracy'], close: () => Promise.resolve(),
  evaluate: ({ point }) => Promise.resolve({ accuracy: { value: 50 * (point['width'] as number), unit: '%', provenance: 'reported', source: 'test' } }),
};

describe('what is known of a point', () => {
  it('is what it will be told with: device metrics in the search\'s own units and signs, accuracy and what the evaluator answers left open', async () => {
    const definition = study();
    const { terms, space } = studyProblem(definition);
    const known = knownOf(definition, terms, space, accuracy)!;
    const measured = knownOf(definition, terms, space, { metrics: ['accuracy', 'latency@stm32f446re'] })!;
    const rng = Rng.of(1, 'points');
    for (let i = 0; i < 5; i++) {
      const genes = space.fromUnit(Array.from({ length: space.dimension }, () => rng.next()));
      const told = await evaluateCandidate({ definition, terms, evaluator: accuracy, now: () => 0 }, space.decode(genes), signal);
      expect(known(genes)).toEqual({ objectives: [null, ...told.objectives.slice(1)], violations: told.violations });
      expect(measured(genes).objectives).toEqual([null, null, told.objectives[2]]);
    }
  });

  it('is nothing where points have no network or the evaluator answers all', () => {
    const definition = study();
    const { terms, space } = studyProblem(definition);
    expect(knownOf({ ...definition, space: { ...definition.space, family: 'none' } }, terms, space, accuracy)).toBeUndefined();
    expect(knownOf(definition, terms, space, { metrics: ['accuracy', ...['latency', 'energy', 'peakRam', 'flash'].map((m) => `${m}@stm32f446re`)] })).toBeUndefined();
  });
});

describe('a search with limits that are computed', () => {
  const search = async (definition: StudyDefinition): ReturnType<typeof runStep> => {
    const engine = StudyEngine.open({ ...definition, id: '7d444840-9dc0-11d1-b245-5ffdce74fad2', referencePoint: null, hypervolume: null }, { snapshot: null, told: 0, trials: [], imports: [] }, accuracy);
    return runStep(engine, { definition, terms: engine.problem.terms, evaluator: accuracy, now: () => 0 }, [], { sliceMs: Infinity, maxTrials: 12, elapsedSeconds: 0, signal });
  };

  it('spends no trial on what breaks them, and counts what it passed over', async () => {
    const { commit } = await search(study((t) => `${t}algorithm: {name: random}\n`));
    expect(commit.settled.map((t) => t.state)).toEqual(new Array(12).fill('completed'));
    // about one point in seven meets the limits of this study
    expect(commit.screened).toBeGreaterThan(12);
  });

  it('ends where none is found that meets them, and says so; the start point the user named is tried all the same', async () => {
    const { commit } = await search(study((t) => `${t.replace('value: 128, unit: KiB', 'value: 1, unit: KiB')}algorithm: {name: random}\n`));
    expect(commit.settled.map((t) => [t.state, t.proposedBy])).toEqual([['infeasible', 'start']]);
    expect(commit.finish).toMatchObject({ state: 'completed', reason: 'limits-exhausted', message: expect.stringMatching(/^after 1 trials no further point was found that meets the limits on peakRam@stm32f446re, flash@stm32f446re; \d+ candidates were screened; the nearest found has peakRam@stm32f446re of [\d.]+ KiB, the limit is <= 1 KiB$/) as string });
    const nearest = Number(/ of ([\d.]+) KiB/.exec(commit.finish!.message!)![1]);
    // uniform points do not come nearer
    const { terms, space } = studyProblem(study());
    const known = knownOf(study(), terms, space, accuracy)!;
    const rng = Rng.of(5, 'draws');
    const ram = Array.from({ length: 100 }, () => 128 * (1 + known(space.fromUnit(Array.from({ length: space.dimension }, () => rng.next()))).violations[0]!));
    expect(nearest).toBeLessThanOrEqual(Math.min(...ram) + 1e-6);
    expect(nearest).toBeGreaterThan(1);
  }, 60_000);
});
