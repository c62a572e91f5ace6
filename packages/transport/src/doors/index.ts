export { shareNameOf, TrustedProxies } from './client-address.js';
export { type ConnectionShareLimits, ConnectionShares } from './connection-shares.js';
export { isLoopback } from './loopback.js';
export {
  judgeOrigin,
  type KnownHosts,
  type OriginPolicy,
  type OriginPolicyOptions,
  type OriginVerdict,
  originPolicy,
} from './origins.js';
