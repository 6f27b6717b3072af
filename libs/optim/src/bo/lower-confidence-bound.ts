/**
 * The lower confidence bound of one minimised objective, turned round: κ·s - m, whose maximum is the point that may be the lowest.
 * Srinivas, Krause, Kakade, Seeger (2010), for a reward. Ramírez, Partovi Nia et al. (binary networks' pruning ratios) print the same
 * m - κ·s under an arg max, which would seek the worst known point; the sign here is the one that fits a loss.
 */
export class LowerConfidenceBound {
  constructor(readonly kappa: number) {}

  /** Arguments as of `LogEhvi`, of one objective. */
  value(mean: ArrayLike<number>, sd: ArrayLike<number>, byMean?: Float64Array, bySd?: Float64Array): number {
    if (byMean) byMean[0] = -1;
    if (bySd) bySd[0] = this.kappa;
    return this.kappa * sd[0]! - mean[0]!;
  }
}
