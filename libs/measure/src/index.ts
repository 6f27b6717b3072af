export { AGENT_FAULTS, MOST_OUTPUT, PASSING_FAULTS, requireMetrics, type Agent, type AgentRequest } from './agent/agent.js';
export { agentOf } from './agent/open-agent.js';
export type { Reading, Readings } from './agent/answer.js';
export { measureOnHost, type HostMeasurement, type HostRunner, type HostSettings, type Machine } from './host/measure-on-host.js';
export { alone, HOST } from './machine-lock.js';
export { hostMetrics, measurerOf, networkFile, type MeasurerOptions } from './measurer.js';
export { noiseWarnings, quantile, summarize, type Summary } from './statistics.js';
export { ownAgents, studyEvaluator } from './study-evaluator.js';
