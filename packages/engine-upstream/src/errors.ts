/** Why another server will not answer, however long one waits. Callers match the code, never the message. */
export type UpstreamErrorCode =
  /** It wants a key, and none was given. */
  | 'key_missing'
  /** It does not take the key that was given. */
  | 'key_wrong'
  /** It wants a key, and breaks on every WebSocket because of that, as vLLM 0.17.1 does. */
  | 'keys_broken'
  /** It does not say which models it serves. */
  | 'no_models'
  /** It has no `/v1/realtime`, mostly because its model cannot do that. */
  | 'no_realtime';

/** The one error of this package, beside those of the seams. The message is a static sentence. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** What the server did not accept. */
export function refusalOf(apiKey: string | undefined, cause: unknown): UpstreamError {
  return apiKey === undefined
    ? new UpstreamError('key_missing', 'The server wants a key.', { cause })
    : new UpstreamError('key_wrong', 'The server does not know this key.', { cause });
}
