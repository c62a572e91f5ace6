export { isLoopback } from './loopback.js';
export {
  judgeOrigin,
  type KnownHosts,
  type OriginPolicy,
  type OriginPolicyOptions,
  type OriginVerdict,
  originPolicy,
  parseOrigins,
} from './origins.js';
