import { TransportError, type TransportErrorCode } from '../errors.js';

/** What follows from a reason: what the seam calls it, and the sentence. `{it}` is the variable that names the proxy. */
const REASONS = {
  proxy_invalid: [
    'invalid_url',
    '{it} does not name a proxy; write it as http://HOST:PORT, with http://NAME:PASSWORD@HOST:PORT where it wants to know who asks, or unset it.',
  ],
  proxy_unsupported: [
    'invalid_url',
    'The proxy in {it} is of a kind that is not spoken here; name one that begins with http:// or https://, or the hosts that are reached without it in NO_PROXY.',
  ],
  proxy_not_found: [
    'connect_failed',
    'The name of the proxy in {it} was not found; correct it, or name the hosts that are reached without it in NO_PROXY.',
  ],
  proxy_unreachable: [
    'connect_failed',
    'The proxy in {it} was not reached; check its address and port and whether it runs, or name the hosts that are reached without it in NO_PROXY.',
  ],
  proxy_timeout: [
    'connect_timeout',
    'The proxy in {it} gave no connection in time; check whether it runs and may reach the server, or name the hosts that are reached without it in NO_PROXY.',
  ],
  proxy_tls_failed: [
    'connect_failed',
    'TLS with the proxy in {it} failed; write http:// where it speaks without TLS, or name its certificate in NODE_EXTRA_CA_CERTS.',
  ],
  not_a_proxy: [
    'protocol_error',
    'What listens at the address in {it} does not answer as a proxy; correct its address and port.',
  ],
  proxy_wants_login: [
    'refused',
    'The proxy in {it} wants to know who asks (HTTP 407); write a name and a password into its address, http://NAME:PASSWORD@HOST:PORT, with what is special in them as %XX.',
  ],
  proxy_login_refused: [
    'refused',
    'The proxy in {it} does not accept the name and the password in its address (HTTP 407); correct them, with what is special in them as %XX.',
  ],
  proxy_login_unknown: [
    'refused',
    'The proxy in {it} wants to know who asks in a way that is not spoken here (HTTP 407, not Basic); put a helper that does it, such as cntlm or px, in between.',
  ],
  proxy_refused: [
    'refused',
    'The proxy in {it} lets no connection to this host and port through (HTTP {status}); ask whoever runs it to allow that, or name the host in NO_PROXY where it is reached without.',
  ],
  proxy_failed: [
    'refused',
    'The proxy in {it} did not reach the server (HTTP {status}); check the address of the server and whether it runs, or name its host in NO_PROXY where it is reached without.',
  ],
} as const satisfies Readonly<Record<string, readonly [TransportErrorCode, string]>>;
export type ProxyErrorReason = keyof typeof REASONS;

/** What went wrong at a proxy: a `TransportError` whose sentence names the variable, never an address, a name or a password. */
export class ProxyError extends TransportError {
  override readonly name = 'ProxyError';
  readonly reason: ProxyErrorReason;

  /** `variable` is where the proxy was named, such as `HTTPS_PROXY`. */
  constructor(
    reason: ProxyErrorReason,
    variable: string,
    { httpStatus, cause }: { readonly httpStatus?: number; readonly cause?: unknown } = {},
  ) {
    const [code, sentence] = REASONS[reason];
    super(code, sentence.replace('{it}', variable).replace('{status}', String(httpStatus)), {
      ...(cause === undefined ? {} : { cause }),
      ...(httpStatus === undefined ? {} : { httpStatus }),
    });
    this.reason = reason;
  }
}
