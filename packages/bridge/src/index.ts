export { BRIDGE_HOST, Bridge, type BridgeOptions, createBridge } from './bridge.js';
export { BRIDGE_ERRORS, BridgeError, type BridgeErrorCode, type BridgeErrorTraits } from './errors.js';
export { DEFAULT_PATHS, type PathMap, parsePaths, SAGEMAKER_PATH } from './http/paths.js';
export { BRIDGE_LIMITS, type BridgeLimits } from './limits.js';
export { createLineLogger, LOG_LEVELS, type LogLevel } from './logger.js';
export { EMF_NAMESPACE } from './metrics/emf.js';
export { type ModelServerContext, type RunContext, runBridge, startModelServer } from './run.js';
export { type EndReason, endedBy, isOrderly, type Passed, type SessionRecord } from './session/record.js';
export {
  BRIDGE_USAGE,
  type BridgeSettings,
  DEFAULT_MODEL_SERVER,
  DEFAULT_UPSTREAM,
  type ModelServerSettings,
  parseBridgeSettings,
} from './settings.js';
export { SUPERVISOR_LIMITS, type SupervisorLimits } from './supervisor/limits.js';
export type { Environment } from './supervisor/model-arguments.js';
export {
  type ModelCommand,
  type ModelCommandOptions,
  modelServerCommand,
} from './supervisor/model-command.js';
export {
  ModelServer,
  type ModelServerOptions,
  type ModelServerState,
  superviseModelServer,
} from './supervisor/model-server.js';
