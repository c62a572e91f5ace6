export { type Clock, systemClock } from '@kikitori/core';
export type { WaitOptions } from './abortable.js';
export type { Pcm } from './audio-intake.js';
export { connect, openSession } from './connect.js';
export type { ConnectOptions, ReconnectOptions } from './connect-options.js';
export { ClientError, type ClientErrorCode, type ClientErrorOptions } from './errors.js';
export type {
  AmbiguousEvent,
  DeltaEvent,
  DisconnectEvent,
  DoneEvent,
  GapEvent,
  PartialEvent,
  ProgressEvent,
  ReconnectEvent,
  SessionEvent,
  UnknownEvent,
  Usage,
  Utterance,
  UtteranceEvent,
  Word,
} from './events.js';
export { CLIENT_LIMITS } from './limits.js';
export { firstModel, type ModelsOptions, type ServedModel, servedModels } from './models.js';
export { type AudioSource, type PaceOptions, type PaceRate, pace } from './pace.js';
export type { Span } from './replay/ledger.js';
export { type PieceWord, PieceWords, type WordPiece } from './replay/piece-words.js';
export type { Continuity, Held, Session } from './session.js';
export { type TranscribeOptions, type Transcription, transcribe } from './transcribe.js';
export type { Transcript } from './transcript.js';
export { realtimeUrl } from './urls.js';
