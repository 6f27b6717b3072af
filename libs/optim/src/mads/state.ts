import type { Genes } from '@app/space';
import type { Json } from '../contract.js';
import type { Mesh } from './granular-mesh.js';
import type { Proposal } from './context.js';
import type { Learned } from './surrogates.js';

/** Steps of an iteration, in their order; those before `poll` search, the rest poll. */
export const STAGES = ['speculative', 'distance', 'middle', 'model', 'model-second', 'nelder-mead', 'jump', 'poll', 'poll-last', 'categorical', 'extended'] as const;
export type Stage = (typeof STAGES)[number];

/** Margin of model points off their constraints: a tenth after a feasible one, ten times after an infeasible one. */
export const MARGIN = { start: 1e-3, least: 1e-7, most: 1e-2 } as const;

/** One iteration of MADS; all of it is data. */
export interface Iteration {
  readonly primary: string;
  readonly secondary: string | null;
  /** place in STAGES; -1 before the first */
  stage: number;
  /** points this stage made before, for a stage that goes on from their outcomes */
  repeats: number;
  queue: Proposal[];
  /** asked in this iteration and not told yet */
  open: string[];
  /** genes polled around the primary centre, for the completing direction */
  polled: Genes[];
  improving: boolean;
}

/** What a run keeps besides the trials; also the shape of its snapshot. */
export interface MadsState {
  /** place in the history where the current barrier begins (0, or the last restart) */
  epoch: number;
  /** set when the first design is told */
  scales: number[] | null;
  generation: number;
  iteration: Iteration | null;
  /** poll-optimal listed points */
  done: string[];
  /** last success along the mesh */
  lastStep: { readonly to: string; readonly step: readonly number[]; speculated: boolean } | null;
  /** next index of the Sobol sequence */
  sobolIndex: number;
  learned: Learned | null;
  /** searches in a row that ended an iteration */
  searchesInRow: number;
  /** how far, as a part of its spread over the box, a model point keeps off a constraint */
  margin: number;
}

export function initialState(): MadsState {
  return { epoch: 0, scales: null, generation: 0, iteration: null, done: [], lastStep: null, sobolIndex: 0, learned: null, searchesInRow: 0, margin: MARGIN.start };
}

/** What comes back with an outcome. */
export interface Note {
  readonly generation: number;
  readonly from: string;
  readonly mesh: Mesh;
  readonly along: boolean;
  readonly step: string;
}

export function noteOf(note: Json | undefined): Note | null {
  return note !== null && typeof note === 'object' && 'generation' in note ? (note as unknown as Note) : null;
}
