export { abortable, untilAborted, whenAborted } from './abort.js';
export { type Clock, sleep, systemClock } from './clock.js';
export { isDiskFull } from './disk-full.js';
export { isRecord, parseJson } from './json.js';
export { type LogFields, type Logger, silentLogger } from './logger.js';
export { basicLogin } from './login.js';
export { type RateLimit, TokenBucket, TokenBuckets } from './rate-limit.js';
export { timerMs } from './timer-ms.js';
