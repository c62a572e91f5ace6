/** Every bound of the way through a proxy. */
export const PROXY_LIMITS = {
  /** From the proxy's name to its answer, which comes when it has reached the server. Then: `proxy_timeout`. */
  connectTimeoutMs: 10_000,
  /** Head of the proxy's answer. Above it: `not_a_proxy`. */
  headBytesMax: 16 * 1024,
  /** Redirects that a request over HTTP follows. Then: the last of them is the answer. */
  redirectsMax: 5,
  /** Connections through proxies to one host at once, for requests over HTTP; more wait. As AWS's clients have it. */
  socketsMax: 50,
} as const;
