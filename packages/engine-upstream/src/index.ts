export { UpstreamError, type UpstreamErrorCode } from './errors.js';
export { UPSTREAM_LIMITS } from './limits.js';
export { RELAY_ENDPOINT_RULES } from './turns/turn-rules.js';
export { createUpstreamEngine, type UpstreamEngineOptions } from './upstream-engine.js';
export { type PlacesFound, placesIn, type UtteranceBounds } from './watch/places.js';
export { UpstreamWatch, type UpstreamWatchOptions } from './watch/upstream-watch.js';
