export type {
  DecodeRequest,
  DecodeResult,
  Decoder,
  HeardWord,
  Token,
  Vocabulary,
  VoiceDetector,
  VoiceRequest,
  VoiceResult,
  VoiceState,
} from './decoder.js';
export { VOICE_FRAME_SAMPLES } from './decoder.js';
export type { EndpointRule, UtteranceState } from './endpointing.js';
export { checkEndpointRules, ENDPOINT_RULES, findEndpoint } from './endpointing.js';
export type { EngineInfo, Hypothesis, SpeechEngine, SpeechStream, StreamOptions, Word } from './engine.js';
export type { EngineErrorCode } from './errors.js';
export { ENGINE_ERRORS, EngineError } from './errors.js';
export { HypothesisQueue } from './hypothesis-queue.js';
export { LIMITS as ENGINE_LIMITS } from './limits.js';
export type { MachineShare, ShareSource } from './machine-share.js';
export { machineShare } from './machine-share.js';
export type { ScriptedCalls, ScriptedEngine, ScriptedEngineOptions, ScriptedFault } from './scripted.js';
export { createScriptedEngine, SCRIPTED_DEFAULTS } from './scripted.js';
export { ScriptedModel, type ScriptedSpeech } from './scripted-model.js';
export type { ScriptedUtterance } from './scripted-timeline.js';
