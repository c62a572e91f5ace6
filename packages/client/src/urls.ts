import { ClientError } from './errors.js';

// Transports that need no address still get a well-formed one.
const PLACELESS_URL = 'ws://localhost/v1/realtime';

/** The address to connect to: `/v1/realtime` unless a path is named. */
export function realtimeUrl({ url, connect }: { readonly url?: string; readonly connect?: unknown }): string {
  if (url === undefined) {
    if (connect !== undefined) return PLACELESS_URL;
    throw new ClientError(
      'invalid_argument',
      'Give the address of the server as url, or a connect function.',
    );
  }
  const parsed = parsedUrl(url);
  if (parsed.pathname === '/' || parsed.pathname === '') parsed.pathname = '/v1/realtime';
  // `URL` refuses to change its scheme between some kinds, so the text is changed.
  return parsed.href.replace(/^http/, 'ws');
}

/** The address of the list of models on the same host. */
export function modelsUrl(url: string): string {
  const parsed = parsedUrl(url);
  parsed.pathname = '/v1/models';
  parsed.search = '';
  return parsed.href.replace(/^ws/, 'http');
}

function parsedUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new ClientError(
      'invalid_argument',
      'The address is not a URL; it should look like ws://host:8000.',
    );
  }
}
