import { Exports1767312000000 } from './1767312000000-exports.js';
import { Fidelities1795564800000 } from './1795564800000-fidelities.js';
import { Prior1795824000000 } from './1795824000000-prior.js';
import { Progress1795651200000 } from './1795651200000-progress.js';
import { Studies1767225600000 } from './1767225600000-studies.js';
import { Weights1795737600000 } from './1795737600000-weights.js';

/** In the order they are applied. Released ones are never changed; a change of the schema is a new one. */
export const migrations = [Studies1767225600000, Exports1767312000000, Fidelities1795564800000, Progress1795651200000, Weights1795737600000, Prior1795824000000];
