import { BridgeError } from '../errors.js';

/** Where SageMaker's sidecar connects to unless a request names another path. */
export const SAGEMAKER_PATH = '/invocations-bidirectional-stream';

/** Which path leads to which of the model server's; undefined: the one of the upstream's address. */
export type PathMap = ReadonlyMap<string, string | undefined>;

/** `ModelInvocationPath=v1/realtime` arrives as the second. */
export const DEFAULT_PATHS: PathMap = new Map([
  [SAGEMAKER_PATH, undefined],
  ['/v1/realtime', undefined],
]);

/**
 * Reads `/from` or `/from=/to`, several separated by commas, in addition to the defaults. Throws `BridgeError`
 * `invalid_option`.
 */
export function parsePaths(text: string): PathMap {
  const paths = new Map(DEFAULT_PATHS);
  for (const pair of text.split(',').map((word) => word.trim())) {
    const [from = '', to, ...rest] = pair.split('=');
    const isValid = isPath(from) && (to === undefined || isPath(to)) && rest.length === 0;
    if (!isValid) {
      throw new BridgeError(
        'invalid_option',
        'A path must look like /from or /from=/to, several separated by commas.',
      );
    }
    paths.set(from, to);
  }
  return paths;
}

function isPath(text: string): boolean {
  return /^\/[A-Za-z0-9\-._~/%]*$/.test(text);
}

/** The model server's address for a request: its path by the map, and the query of both. */
export function upstreamUrl(upstream: URL, path: string | undefined, query: string): URL {
  const url = new URL(upstream);
  if (path !== undefined) url.pathname = path;
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url;
}
