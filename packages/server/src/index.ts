export { assertSafeToListen, type ListenChoice } from './auth.js';
export type {
  Conversation,
  Dialect,
  DialectRequest,
  Greeting,
  Refusal,
  RefusalAnswer,
} from './dialects/dialect.js';
export { DIALECTS } from './dialects/registry.js';
export type { ModelFetch } from './door.js';
export {
  type Credential,
  credentialOf,
  headerCredential,
  plainProtocols,
  subprotocolCredential,
} from './doors/credentials.js';
export type { DoorOptions } from './doors/doorman.js';
export { type KeyFile, openKeyFile } from './doors/key-file.js';
export type { KeySource, KnownKey } from './doors/keys.js';
export { SERVER_ERRORS, ServerError, type ServerErrorCode } from './errors.js';
export { loadPages } from './http/load-pages.js';
export { createPages, missingPages, type PageFile, type Pages } from './http/pages.js';
export {
  CAPTIONS_LIMITS,
  type CaptionsLimits,
  DOOR_LIMITS,
  type DoorLimits,
  DRAIN_DEADLINE_MS,
  HTTP_LIMITS,
  type HttpLimits,
  KEY_FILE_LIMITS,
  PAGES_LIMITS,
  SESSION_LIMITS,
  type SessionLimits,
  TOKEN_LIMITS,
} from './limits.js';
export { reachableHosts } from './reachable-hosts.js';
export {
  createRealtimeServer,
  type RealtimeServer,
  type RealtimeServerOptions,
  type ServerSurroundings,
} from './server.js';
export {
  type ServeOptions,
  type Session,
  type SessionEnd,
  serveConnection,
} from './session/serve-connection.js';
export type {
  Fault,
  Input,
  LaneTag,
  Notice,
  PlacedWord,
  Problem,
  SessionInput,
  SessionNotice,
} from './session/state.js';
export type { HostedSession } from './session-host.js';
export {
  DEFAULT_HOST,
  DEFAULT_PORT,
  type ListenOptions,
  type PendingEngine,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from './start-server.js';
export type { TlsFiles } from './tls-files.js';
export type { Upstream } from './upstream.js';
export { WYOMING_LIMITS, type WyomingLimits } from './wyoming/limits.js';
export type { WyomingAddress } from './wyoming/wyoming-side.js';
