import { createHash } from 'node:crypto';
import type { ProposedTrial, SettledTrial, StepCommit, StudyDefinition, TrialOutcome } from '@app/study';

/** A definition with every kind of value a store must give back unchanged. */
export function sampleDefinition(name = 'sample', labels: Readonly<Record<string, string>> = {}): StudyDefinition {
  return {
    spec: {
      name, labels: { ...labels }, searchSpace: { parameters: [{ name: 'x', type: 'float', min: 0, max: 1 }] }, task: { numClasses: 10, inputChannels: 3 }, devices: [],
      accuracy: { method: 'command', command: ['true'], metrics: ['f1', 'f2'], send: [] }, objectives: [{ metric: 'f1' }, { metric: 'f2' }], constraints: [],
      algorithm: { name: 'random' }, budget: { maxTrials: 100_000, maxParallelTrials: 4, maxAttempts: 2 }, seed: 7,
    },
    space: { name: 'own', title: 'Own', description: '', family: 'none', parameters: [{ name: 'x', type: 'float', min: 0, max: 1 }], settings: { zebra: 1, apple: 0.1, nested: { b: [1, 2], a: null } }, sources: [] },
    devices: [],
  };
}

/** Any id made from a name, in the shape of a UUID. */
export function idOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export const proposal = (studyId: string, number: number): ProposedTrial => ({
  id: idOf(`${studyId}/${number}`), number, round: Math.ceil(number / 4), key: `key-${number}`, genes: [number / 7, 1e-12 * number], parameters: { x: number / 7, b: true, a: 'word' }, fidelity: number % 3 === 0 ? 1 / 3 : 1,
  proposedBy: 'random', note: { parent: number - 1, a: [null, 0.1] },
});

export const outcome = (f1: number | null, feasible: boolean | null = true): TrialOutcome => ({
  state: f1 === null ? 'failed' : feasible === false ? 'infeasible' : 'completed', reason: f1 === null ? 'evaluator-error' : null, message: f1 === null ? 'no value' : null,
  metrics: f1 === null ? {} : { f1: { value: f1, unit: '1', provenance: 'reported', source: 'exam' } },
  objectives: [f1, 0.1], violations: [null], feasible, durationMs: 12.5,
});

export const settledProposal = (studyId: string, number: number, f1: number | null = number, feasible: boolean | null = true): SettledTrial => ({ ...proposal(studyId, number), ...outcome(f1, feasible) });

/** A step that changes nothing but what is given. */
export const step = (change: Partial<StepCommit> = {}): StepCommit => ({
  proposed: [], settled: [], told: 0, snapshot: { version: 'exam-1', state: { zebra: 1, apple: [0.1, null] } }, referencePoint: null, hypervolume: null, frontSize: 0,
  frontAdded: [], frontRemoved: [], ranks: [], history: [], screened: 0, finish: null, ...change,
});

export const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A step that asked trials `from … to` and evaluated them all. */
export const evaluatedStep = (studyId: string, from: number, to: number, change: Partial<StepCommit> = {}): StepCommit => {
  const numbers = range(from, to);
  return step({ proposed: numbers.map((n) => proposal(studyId, n)), settled: numbers.map((n) => settledProposal(studyId, n)), told: to, ...change });
};
