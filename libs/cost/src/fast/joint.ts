/** Runs of operators joined to one, by their shapes: what pieces of a section make together is the same for all sections alike. */
import type { Section } from '@app/graph';
import type { ArenaShape, Run, RunShape, Wiring } from './run.js';

export interface Joint {
  readonly shape: RunShape;
  /** by run, where in the joint row its figures go */
  readonly slots: readonly Slots[];
}

interface Slots {
  readonly places: readonly number[];
  readonly seconds: number;
  readonly elements: number;
  readonly plane: number;
  readonly arenas: readonly { readonly sizes: number; readonly scratch: number }[];
}

/** Of a section, the shapes of its pieces given. */
export function jointOf(section: Section, shapes: readonly RunShape[]): Joint {
  const places = [...new Set(shapes.flatMap((shape) => shape.places))].sort((a, b) => a - b);
  let length = places.length;
  /** stretches of the runs, one behind the other: where each goes */
  const stretch = (lengthOf: (shape: RunShape) => number): number[] => shapes.map((shape) => (length += lengthOf(shape)) - lengthOf(shape));
  const begin = (): number => length;
  const [first] = shapes;
  const seconds = begin();
  const secondsOf = stretch((s) => s.buffers - s.seconds);
  const buffers = begin();
  length += first!.elements - first!.buffers;
  const elements = begin();
  const elementsOf = stretch((s) => s.plane - s.elements);
  const plane = begin();
  const planeOf = stretch((s) => s.set.operators);
  const arenaSlots: { readonly sizes: number[]; readonly scratch: number[] }[] = [];
  const arenas = first!.arenas.map((_, a): ArenaShape => {
    const sizes = begin();
    const sizesOf = stretch((s) => s.arenas[a]!.scratch - s.arenas[a]!.sizes);
    const scratch = begin();
    const scratchOf = stretch((s) => s.arenas[a]!.scratchStarts.at(-1)!);
    arenaSlots.push({ sizes: sizesOf, scratch: scratchOf });
    const scratchStarts = [0, ...shapes.flatMap((s, r) => s.arenas[a]!.scratchStarts.slice(1).map((at) => scratchOf[r]! - scratch + at))];
    return { sizes, scratch, scratchStarts };
  });
  const sets = shapes.map(({ set }) => set);
  const lowered = wired(section, shapes.map((own) => own.lowered));
  const set = wired(section, sets);
  const shape: RunShape = {
    places, taps: first!.taps.map((_, r) => mostOf(shapes.map(({ taps }) => taps[r]!))), seconds, buffers,
    set: {
      ...set, inPlace: sets.flatMap((set) => set.inPlace), overlaid: sets.flatMap((set) => set.overlaid), overwriting: sets.flatMap((set) => set.overwriting),
    },
    elements, plane, lowered, isEven: isEven(section.taken, set, lowered), arenas, length,
  };
  return {
    shape,
    slots: shapes.map((own, r) => ({
      places: own.places.map((place) => places.indexOf(place)), seconds: secondsOf[r]!, elements: elementsOf[r]!, plane: planeOf[r]!,
      arenas: arenaSlots.map(({ sizes, scratch }) => ({ sizes: sizes[r]!, scratch: scratch[r]! })),
    })),
  };
}

/** Writes one run's figures to the joint row, zeros before the first. */
export function fill(joint: RunShape, into: Float64Array, at: number, { shape, row, at: from }: Run, slots: Slots): void {
  const copy = (begin: number, end: number, to: number): void => {
    for (let k = begin; k < end; k++) into[at + to + k - begin] = row[from + k]!;
  };
  for (let k = 0; k < slots.places.length; k++) into[at + slots.places[k]!]! += row[from + k]!;
  copy(shape.seconds, shape.buffers, slots.seconds);
  for (let k = 0; k < shape.elements - shape.buffers; k++) into[at + joint.buffers + k] = Math.max(into[at + joint.buffers + k]!, row[from + shape.buffers + k]!);
  copy(shape.elements, shape.plane, slots.elements);
  copy(shape.plane, shape.plane + shape.set.operators, slots.plane);
  shape.arenas.forEach(({ sizes, scratch, scratchStarts }, a) => {
    copy(sizes, scratch, slots.arenas[a]!.sizes);
    copy(scratch, scratch + scratchStarts.at(-1)!, slots.arenas[a]!.scratch);
  });
}

/** Operators of all runs in order, what they read numbered as the section has it. */
function wired({ taken, reads: between, starts: begins, leaves }: Section, runs: readonly Wiring[]): Wiring {
  const made = Array.from({ length: taken }, (_, t) => t);
  const reads: number[] = [];
  const starts = [0];
  let first = taken;
  runs.forEach((run, r) => {
    const own = begins[r + 1]! - begins[r]!;
    const now = (t: number): number => (t < own ? made[between[begins[r]! + t]!]! : first + t - own);
    for (let k = 0; k < run.operators; k++) {
      for (let i = run.starts[k]!; i < run.starts[k + 1]!; i++) reads.push(now(run.reads[i]!));
      starts.push(reads.length);
    }
    made.push(now(run.outputs[0]!));
    first += run.operators;
  });
  return { operators: first - taken, reads, starts, outputs: leaves.map((leaf) => made[taken + leaf]!) };
}

/** By kind of kernel the largest window of several runs, taps. */
export function mostOf(all: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> {
  const most: Record<string, number> = {};
  for (const taps of all) for (const [kind, value] of Object.entries(taps)) most[kind] = Math.max(most[kind] ?? 0, value);
  return most;
}

/** See `RunShape`. */
export function isEven(taken: number, set: Wiring, lowered: Wiring): boolean {
  return set.outputs.length === lowered.outputs.length && [set, lowered].every(({ outputs }) => new Set(outputs).size === outputs.length && outputs.every((out) => out >= taken));
}
