import { BridgeError } from '../errors.js';

/** Where SageMaker's sidecar connects to unless a request names another path. */
export const SAGEMAKER_PATH = '/invocations-bidirectional-stream';

/** Where a path leads. */
export interface PathTarget {
  /** The model server's; undefined: the one of the upstream's address. */
  readonly path: string | undefined;
  /** Binary messages stay binary: what is spoken there is not vLLM's dialect, which is text alone. */
  readonly isBinary: boolean;
}

export type PathMap = ReadonlyMap<string, PathTarget>;

const REALTIME: PathTarget = { path: undefined, isBinary: false };
const BINARY = ':binary';

/** `ModelInvocationPath=v1/realtime` arrives as the second. */
export const DEFAULT_PATHS: PathMap = new Map([
  [SAGEMAKER_PATH, REALTIME],
  ['/v1/realtime', REALTIME],
]);

/**
 * Reads `/from`, `/from=/to`, and either with `:binary` behind it, several separated by commas, in addition to the defaults. `/from:binary` leads
 * to the same path of the model server. Throws `BridgeError` `invalid_option`.
 */
export function parsePaths(text: string): PathMap {
  const paths = new Map(DEFAULT_PATHS);
  for (const word of text.split(',').map((each) => each.trim())) {
    const isBinary = word.endsWith(BINARY);
    const pair = isBinary ? word.slice(0, -BINARY.length) : word;
    const [from = '', to, ...rest] = pair.split('=');
    const isValid = isPath(from) && (to === undefined || isPath(to)) && rest.length === 0;
    if (!isValid) {
      throw new BridgeError(
        'invalid_option',
        'A path must look like /from, /from=/to or /from:binary, several separated by commas.',
      );
    }
    paths.set(from, { path: isBinary ? (to ?? from) : to, isBinary });
  }
  return paths;
}

/** Reads the path of the model server that files over HTTP go to, or `off`. Throws `BridgeError` `invalid_option`. */
export function parseInvocations(text: string | undefined): string | false | undefined {
  if (text === undefined || isPath(text)) return text;
  if (text === 'off') return false;
  throw new BridgeError(
    'invalid_option',
    '--invocations must be a path like /v1/audio/transcriptions, or off.',
  );
}

function isPath(text: string): boolean {
  return /^\/[A-Za-z0-9\-._~/%]*$/.test(text);
}

/** The map for people: where each path leads, and how. */
export function shownPaths(paths: PathMap, upstream: URL): string {
  return [...paths]
    .map(([from, { path, isBinary }]) => `${from}=${path ?? upstream.pathname}${isBinary ? BINARY : ''}`)
    .join(' ');
}

/** The model server's address for a request: its path by the map, and the query of both. */
export function upstreamUrl(upstream: URL, path: string | undefined, query: string): URL {
  const url = new URL(upstream);
  if (path !== undefined) url.pathname = path;
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url;
}
