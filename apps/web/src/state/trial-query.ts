import type { TrialQuery } from '../api/endpoints.js';

/** Filters of the trials table: value in the address, and what it is called. */
export const TRIAL_STATES_SHOWN = [['', 'All'], ['feasible', 'Feasible'], ['infeasible', 'Infeasible'], ['failed', 'Failed'], ['running', 'Running'], ['pending', 'Pending']] as const;

export function trialQueryOf(filter: string): Pick<TrialQuery, 'state' | 'feasible'> {
  switch (filter) {
    case 'feasible': return { feasible: true };
    case 'infeasible': case 'failed': case 'running': case 'pending': return { state: filter };
    default: return {};
  }
}
