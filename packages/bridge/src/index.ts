export { BRIDGE_HOST, Bridge, type BridgeOptions, createBridge } from './bridge.js';
export { BRIDGE_ERRORS, BridgeError, type BridgeErrorCode, type BridgeErrorTraits } from './errors.js';
export { DEFAULT_PATHS, type PathMap, parsePaths, SAGEMAKER_PATH } from './http/paths.js';
export { BRIDGE_LIMITS, type BridgeLimits } from './limits.js';
export {
  createLineLogger,
  LOG_LEVELS,
  type LogFields,
  type Logger,
  type LogLevel,
  silentLogger,
} from './logger.js';
export { EMF_NAMESPACE } from './metrics/emf.js';
export { type EndReason, endedBy, isOrderly, type Passed, type SessionRecord } from './session/record.js';
