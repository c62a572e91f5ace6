export { UPSTREAM_LIMITS } from './limits.js';
export { RELAY_ENDPOINT_RULES } from './turns/turn-rules.js';
export { createUpstreamEngine, type UpstreamEngineOptions } from './upstream-engine.js';
