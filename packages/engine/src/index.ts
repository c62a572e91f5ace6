export type { EngineInfo, Hypothesis, SpeechEngine, SpeechStream, StreamOptions, Word } from './engine.js';
export type { EngineErrorCode } from './errors.js';
export { ENGINE_ERRORS, EngineError } from './errors.js';
export { HypothesisQueue } from './hypothesis-queue.js';
export { LIMITS as ENGINE_LIMITS } from './limits.js';
export type { ScriptedCalls, ScriptedEngine, ScriptedEngineOptions, ScriptedFault } from './scripted.js';
export { createScriptedEngine, SCRIPTED_DEFAULTS } from './scripted.js';
export type { ScriptedUtterance } from './scripted-timeline.js';
