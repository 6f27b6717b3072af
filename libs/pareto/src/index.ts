export { attainment, attainmentSurface } from './attainment.js';
export { idealPoint, nadirPoint, normalise } from './bounds.js';
export { nonDominatedBoxes, type Boxes } from './boxes.js';
export { crowdingDistance } from './crowding.js';
export { dominates, paretoFront, weaklyDominates } from './dominance.js';
export { hypervolume, hypervolumeContributions, hypervolumeGain } from './hypervolume.js';
export { igdPlus, r2, simplexWeights } from './indicators.js';
export { kneeDistances, kneePoints, tradeOffs } from './knee.js';
export { ParetoArchive, type ArchiveChange } from './pareto-archive.js';
export {
  dominanceProbability,
  drawNormal,
  expectedEfficiency,
  frontProbability,
  independentFrontProbability,
  knownFrontProbability,
  pairwiseDominance,
  relativeEfficiency,
  type Estimate,
  type UncertainPoint,
} from './random-frontier.js';
export { nonDominatedSort, RankedFronts, type RankChange } from './ranks.js';
export { crowdingThinning, epsilonThinning } from './thinning.js';
export type { Objectives } from './vectors.js';
