export type { DoubtRule } from './doubt.js';
export type { EngineClock } from './engine-clock.js';
export { RECOGNITION_LIMITS } from './limits.js';
export { LocalEngine, type LocalEngineParts } from './local-engine.js';
export { loudEnoughToNotice, UNHEARD } from './loudness.js';
export { DEFAULT_POLICY, policyOf, type StreamPolicy } from './policy.js';
export { type DecodePlan, Recogniser, type RecogniserOptions } from './recogniser.js';
