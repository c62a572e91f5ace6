import { ClientError } from './errors.js';

// Transports that need no address still get a well-formed one.
const PLACELESS_URL = 'ws://localhost/v1/realtime';

/** The address to connect to: `v1/realtime` below the path where that ends in a slash, and `realtime` below `/v1`. */
export function realtimeUrl({ url, connect }: { readonly url?: string; readonly connect?: unknown }): string {
  if (url === undefined) {
    if (connect !== undefined) return PLACELESS_URL;
    throw new ClientError(
      'invalid_argument',
      'Give the address of the server as url, or a connect function.',
    );
  }
  const parsed = parsedUrl(url);
  parsed.pathname = parsed.pathname.replace(/\/(v1\/?)?$/, '/v1/realtime');
  // `URL` refuses to change its scheme between some kinds, so the text is changed.
  return parsed.href.replace(/^http/, 'ws');
}

/** The address of the list of models of the same server: beside `/v1/realtime`, also below a path of a proxy. */
export function modelsUrl(url: string): URL {
  const parsed = parsedUrl(url);
  const { pathname } = parsed;
  const version = pathname.lastIndexOf('/v1/');
  const above = pathname.slice(0, version === -1 ? pathname.lastIndexOf('/') : version);
  parsed.pathname = `${above}/v1/models`;
  parsed.search = '';
  parsed.hash = '';
  return new URL(parsed.href.replace(/^ws/, 'http'));
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
