/** What a browser is told about pages of other origins: whether they may ask, and what they may read (CORS). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Doorman } from '../doors/doorman.js';
import { send } from './answers.js';

/** Named in every answer to a preflight, whatever was asked. */
const ASKED_ALWAYS = ['authorization', 'content-type'];

/** What a page reads of an answer besides its status and body; a browser shows it only what is named. */
const READABLE_HEADERS = 'retry-after, www-authenticate, x-kikitori-remarks';

/**
 * Lets a page read the answer that follows, where its origin may; true: the question was the browser's own, a preflight, and is
 * answered. `methods` are those of the path; none where it does not exist or nobody knows yet: the page is then told by the answer
 * itself, and does not take it for a lost connection.
 */
export function greetOrigin(
  { doorman, methods }: { readonly doorman: Doorman; readonly methods: readonly string[] },
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !doorman.allowsOrigin(request)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-expose-headers', READABLE_HEADERS);
  response.setHeader('vary', 'Origin');
  if (!isPreflight(request)) return false;
  answerPreflight(request, response, methods);
  return true;
}

/** A browser asks whether it may ask. */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

/**
 * Whatever headers a page wants to send: its origin was allowed, most of them are not looked at, and which they are is its
 * library's business (OpenAI's sends six that tell its version, one that counts its tries, and one with its patience).
 */
function answerPreflight(
  { headers }: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  const asked = String(headers['access-control-request-headers'] ?? '');
  const names = asked.split(',').map((name) => name.trim());
  const isFromAfar = headers['access-control-request-private-network'] === 'true';
  send(response, 204, '', {
    'access-control-allow-methods': methods.length === 0 ? 'GET, POST' : methods.join(', '),
    'access-control-allow-headers': [...new Set([...ASKED_ALWAYS, ...names.filter(isHeaderName)])].join(', '),
    'access-control-max-age': '600',
    // Chrome's question of a page on the internet that asks a server in this network.
    ...(isFromAfar ? { 'access-control-allow-private-network': 'true' } : {}),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Private-Network',
  });
}

function isHeaderName(name: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name);
}
