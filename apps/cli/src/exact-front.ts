import { convert, type ObjectiveView } from '@app/contracts';
import { hypervolume, ParetoArchive } from '@app/pareto';
import { evaluateCandidate, studyProblem, type AccuracyEvaluator, type StudyDefinition } from '@app/study';

export interface ExactFront {
  /** points on the front that lie below the reference point */
  readonly size: number;
  /** hypervolume in the units the objectives are shown in */
  readonly inUnits: (objectives: readonly ObjectiveView[]) => number;
}

/** The true front of a study by trying every point of its space: for tables, where that is quick. */
export async function exactHypervolume(definition: StudyDefinition, evaluatorOf: (definition: StudyDefinition) => AccuracyEvaluator): Promise<ExactFront> {
  const { terms, space, problem } = studyProblem(definition);
  if (!problem.referencePoint) throw new Error('an exact hypervolume needs the reference point in the specification');
  const evaluator = evaluatorOf(definition);
  const archive = new ParetoArchive();
  const signal = new AbortController().signal;
  for (const genes of space.enumerate()) {
    const outcome = await evaluateCandidate({ definition, terms, evaluator, now: () => 0 }, space.decode(genes), signal);
    if (outcome.feasible && outcome.objectives.every((v, j) => v !== null && v < problem.referencePoint![j]!)) archive.insert(space.key(genes), outcome.objectives as number[]);
  }
  await evaluator.close();
  const value = hypervolume(archive.points(), problem.referencePoint);
  return { size: archive.size, inUnits: (objectives) => objectives.reduce((v, o, j) => convert(v, terms.objectives[j]!.unit, o.unit), value) };
}
