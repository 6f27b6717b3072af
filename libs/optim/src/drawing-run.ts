import type { Rng } from '@app/numeric';
import type { Candidate, Json, OptimizerRun, Told } from './contract.js';
import type { Draw, Ledger } from './ledger.js';

/** A run that needs no more than its ledger and its generator: it draws one candidate after another and learns by looking at the history. */
export class DrawingRun implements OptimizerRun {
  /** @param more  what the snapshot has to hold besides */
  constructor(private readonly of: { readonly name: string; readonly version: number }, readonly ledger: Ledger, readonly rng: Rng, private readonly draw: Draw, private readonly more: () => Readonly<Record<string, Json>> = () => ({})) {}

  ask(n: number): Candidate[] {
    return this.ledger.ask(n, this.draw);
  }

  tell(settled: readonly Told[]): void {
    for (const told of settled) this.ledger.settle(told);
  }

  get screened(): number {
    return this.ledger.screened;
  }

  snapshot(): Json {
    return { optimizer: this.of.name, version: this.of.version, ...this.more(), rng: this.rng.state(), pending: this.ledger.pendingState() };
  }
}
