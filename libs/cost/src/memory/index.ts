export { planArena, type ArenaPlan, type PlannerEffort } from './arena-planner.js';
export { weightFlashBytes } from './flash.js';
export { greedyPlacement, type Placement } from './greedy-planner.js';
export { alignUp, lifetimes, liveBytes, peakOf, type Buffer, type Lifetimes, type MemoryOp, type MemoryProgram } from './program.js';
export { reorderOperators, type Reordering } from './reorder.js';
export { memoryRuleOf, memorySchedule, runtimeMemory, type MemoryRule, type MemorySchedule, type RuntimeMemory } from './runtime-memory.js';
export { tflmNetworkOf, type TflmTarget } from './tflm-lowering.js';
export { referenceScratch, TFLM_ALIGNMENT, tfliteMetadataBytes, tflmArena, type TflmArena, type TflmKind, type TflmNetwork, type TflmOperator } from './tflm.js';
export { bestPatchSchedule, patchSchedules, type PatchOptions, type PatchSchedule, type Region } from './patches.js';
