export type * from './types.js';
export { UnsupportedPrecision } from './errors.js';
export { FIGURES, NetworkPricer, type NetworkEstimates } from './fast/network-pricer.js';
export type { PricedDevice } from './fast/targets.js';
export { fits, type ExceededMemory } from './fits.js';
export { peakMemory, type MemoryProfile } from './peak-memory.js';
export { FITTED_MODEL, priceNetwork, ROOFLINE_MODEL } from './price-network.js';
export * from './memory/index.js';
export { operatorEnergy, operatorTime, type OperatorClass, type OperatorTime, type OperatorWork } from './roofline.js';
export {
  adapt, atScaleOf, calibrate, commonShape, conformalInterval, errorFigures, fitWithShape, intervalCoverage, listCoefficients, PLAIN_COEFFICIENTS, plainPrior,
  type Calibration, type ErrorFigures,
} from './calibrate.js';
export { crossValidate, dot, fitCoefficients, foldsOf, mixDevices, type Prior, type Sample } from './latency-fit.js';
export { coefficientVector, fittedPrice, rangeOf, type FittedPrice } from './latency-model.js';
export { RUNTIMES, type RuntimeKind, type RuntimeRules } from './latency-rules.js';
export { stepsOf, type Step, type StepKind } from './latency-steps.js';
export { TERM_IDS, TERMS, workOfSteps, type Term } from './latency-terms.js';
export { predictBoard, type BoardKind, type BoardPrediction, type BoardSeries } from './unseen-board.js';
export { bitsOfLevels, priceByDefault, priceWithWeightBits, supportFor } from './weight-bits.js';
