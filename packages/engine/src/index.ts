export type { EngineInfo, Hypothesis, SpeechEngine, SpeechStream, StreamOptions, Word } from './engine.js';
export type { EngineErrorCode } from './errors.js';
export { ENGINE_ERRORS, EngineError } from './errors.js';
