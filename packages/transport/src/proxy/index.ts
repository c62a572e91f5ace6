export { type ProxyAgents, proxyAgents } from './agents.js';
export { connectThrough } from './connect.js';
export { ProxyError, type ProxyErrorReason } from './errors.js';
export { proxiedFetch } from './fetch.js';
export { PROXY_LIMITS } from './limits.js';
export { type Destination, destinationOf, type NamedProxy, Proxies } from './proxies.js';
export { openTunnel, type TunnelOptions } from './tunnel.js';
