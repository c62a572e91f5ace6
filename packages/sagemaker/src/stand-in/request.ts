/** What one HTTP/2 request says before its body. */
export interface RuntimeRequest {
  readonly method: string;
  /** As on the wire, still percent-encoded, without the query. */
  readonly path: string;
  /** Without the leading `?`. */
  readonly query: string;
  /** Lower-case names, pseudo headers included; values as on the wire, repeated ones joined by `,`. No prototype. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names and values together. */
  readonly headerBytes: number;
}

/** What a valid request asks for. */
export interface Invocation {
  readonly endpointName: string;
  readonly targetVariant: string | undefined;
  /** Without the leading slash. */
  readonly containerPath: string;
  /** Without the leading `?`; may be empty. */
  readonly containerQuery: string;
}

/**
 * Reads the flat list of names and values that `node:http2` gives with a stream.
 *
 * @param rawHeaders name, value, name, value, …
 */
export function readRequest(rawHeaders: readonly string[]): RuntimeRequest {
  // Without a prototype: the names are the peer's.
  const headers: Record<string, string | undefined> = Object.create(null);
  let headerBytes = 0;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    headerBytes += name.length + value.length;
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before},${value}`;
  }
  const target = headers[':path'] ?? '';
  const queryAt = target.indexOf('?');
  return {
    method: headers[':method'] ?? '',
    path: queryAt === -1 ? target : target.slice(0, queryAt),
    query: queryAt === -1 ? '' : target.slice(queryAt + 1),
    headers,
    headerBytes,
  };
}
