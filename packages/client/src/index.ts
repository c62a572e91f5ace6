export type { WaitOptions } from './abortable.js';
export type { Pcm } from './audio-intake.js';
export { type Clock, systemClock } from './clock.js';
export { type ConnectOptions, connect } from './connect.js';
export { CLIENT_ERRORS, ClientError, type ClientErrorCode, type ClientErrorOptions } from './errors.js';
export type {
  DeltaEvent,
  DoneEvent,
  PartialEvent,
  ProgressEvent,
  SessionEvent,
  UnknownEvent,
  Usage,
  Utterance,
  UtteranceEvent,
  Word,
} from './events.js';
export { CLIENT_LIMITS } from './limits.js';
export { firstModel, type ModelsOptions } from './models.js';
export { type AudioSource, type PaceOptions, type PaceRate, pace } from './pace.js';
export type { Session } from './session.js';
export { type TranscribeOptions, type Transcription, transcribe } from './transcribe.js';
export type { Transcript } from './transcript.js';
