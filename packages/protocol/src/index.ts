export { encodeClientEvent, modelNotFound, parseClientEvent } from './client-codec.js';
export type { CloseCode, CloseCodeRow } from './close-codes.js';
export { CLOSE_CODES, isRetryableClose } from './close-codes.js';
export type { ErrorRow } from './error-table.js';
export { ERRORS, isErrorCode } from './error-table.js';
export type { ErrorCode } from './errors.js';
export { isRetryableError, ProtocolError } from './errors.js';
export type {
  AudioAppend,
  AudioCommit,
  ClientEvent,
  KikitoriRequest,
  SessionUpdate,
} from './events/client.js';
export type {
  ErrorEvent,
  KikitoriPartial,
  KikitoriProgress,
  KikitoriUtterance,
  KikitoriWord,
  PromptTokensDetails,
  ServerEvent,
  SessionCreated,
  TranscriptionDelta,
  TranscriptionDone,
  UnknownServerEvent,
  Usage,
} from './events/server.js';
export type { InvalidEvent } from './invalid-event.js';
export {
  APPEND_SAMPLES_MAX,
  DELAY_MS_MAX,
  ECHO_UNITS_MAX,
  FRAME_BYTES_MAX,
  JSON_DEPTH_MAX,
  JSON_VALUES_MAX,
  PROGRESS_INTERVAL_MS_MIN,
  SAMPLE_RATE_HZ,
} from './limits.js';
export { encodeServerEvent, parseServerEvent } from './server-codec.js';
export { CREDENTIAL_PROTOCOL_PREFIX, REALTIME_PROTOCOL } from './subprotocols.js';
