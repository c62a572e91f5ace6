/** Somebody who may call. */
export interface RuntimeCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** When given, requests must carry exactly it; when not, they must carry none. */
  readonly sessionToken?: string;
  /** Unix time, milliseconds. Afterwards: 403 `ExpiredTokenException`. */
  readonly expiresAtUnixMs?: number;
  /** Twelve digits; the account whose endpoints are meant. Default: the stand-in's. */
  readonly accountId?: string;
  /** The only endpoints they may invoke; others: 403 `AccessDeniedException`. Absent: all. */
  readonly endpointNames?: readonly string[];
}

/**
 * The pair that is accepted where nobody names another. It is public, so it keeps nobody out: it is there because
 * every client signs, and the stand-in must know the secret to check the signatures. With it the stand-in listens on
 * loopback only.
 */
export const LOCAL_CREDENTIALS: RuntimeCredentials = {
  accessKeyId: 'AKIDLOCAL',
  secretAccessKey: 'kikitori-local-secret',
};
