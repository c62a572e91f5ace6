export { assertSafeToListen, isLoopback, type ListenChoice } from './auth.js';
export { type Clock, systemClock } from './clock.js';
export { SERVER_ERRORS, ServerError, type ServerErrorCode } from './errors.js';
export {
  DRAIN_DEADLINE_MS,
  HTTP_LIMITS,
  type HttpLimits,
  SESSION_LIMITS,
  type SessionLimits,
} from './limits.js';
export { type LogFields, type Logger, silentLogger } from './logger.js';
export {
  createRealtimeServer,
  type RealtimeServer,
  type RealtimeServerOptions,
  WEBSOCKET_PATHS,
} from './server.js';
export {
  type ServeOptions,
  type Session,
  type SessionEnd,
  serveConnection,
} from './session/serve-connection.js';
export {
  DEFAULT_HOST,
  DEFAULT_PORT,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from './start-server.js';
