/** What becomes of the tensors that a section takes and makes, as bits: two for each it takes, one for each that leaves. */

/** Tensors the bits have room for: 2 · taken + leaving. */
export const CONTEXT_BITS = 30;

export const takenBits = (j: number, isReadElsewhere: boolean, livesOn: boolean): number => ((isReadElsewhere ? 1 : 0) | (livesOn ? 2 : 0)) << (2 * j);
export const leafBit = (taken: number, i: number): number => 1 << (2 * taken + i);

/** Something outside reads what the section takes as its j-th. */
export const isReadElsewhere = (context: number, j: number): boolean => ((context >> (2 * j)) & 1) !== 0;
/** The same, behind the section. */
export const takenLivesOn = (context: number, j: number): boolean => ((context >> (2 * j)) & 2) !== 0;
/** The i-th tensor that leaves is read behind the section, or is the network's output. */
export const leafLivesOn = (context: number, taken: number, i: number): boolean => (context & leafBit(taken, i)) !== 0;
