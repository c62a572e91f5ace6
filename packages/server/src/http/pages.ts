import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { ServerError } from '../errors.js';
import { PAGES_LIMITS } from '../limits.js';
import { sendJson } from './answers.js';
import { pageHeaders } from './page-headers.js';
import { hasBody, pathOf } from './router.js';

/** One file of the pages. */
export interface PageFile {
  /** Where it is served, such as `/` or `/app-3F2K9QXA.js`. */
  readonly path: string;
  /** Its media type, with the charset of text. */
  readonly type: string;
  /** Kept as they are; the caller does not change them any more. */
  readonly bytes: Uint8Array;
}

/**
 * A fixed set of files, served from memory: a path is looked up in a map and never reaches a file system. Public, also
 * behind an API key: a page holds nothing secret, and everything that it calls is guarded.
 */
export interface Pages {
  /** Answers when the path is one of a page; false, with nothing done, when it is not. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

/** One form of a file. */
interface Body {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly encoding: 'br' | 'gzip' | undefined;
}

interface Page {
  readonly type: string;
  readonly isImmutable: boolean;
  /** The preferred form first; the last one is the file as it is. */
  readonly bodies: readonly Body[];
}

/** What the server answers itself; a page must not stand there. */
const RESERVED = /^\/(?:v1\/|health$|ping$|metrics$|version$|invocations)/;

/** The build puts a hash of the content into the name: whoever has such a file never asks for it again. */
const HASHED_NAME = /-[A-Z0-9]{8}\.[a-z0-9]+$/;

const WORTH_COMPRESSING = /^(?:text\/|application\/(?:javascript|json|manifest\+json|wasm)|image\/svg)/;

/**
 * Makes the pages: measures the files, compresses them and computes their tags, once.
 *
 * @throws ServerError `invalid_option` for too many or too large files, for two at one path, and for a path of the server's
 */
export async function createPages(files: readonly PageFile[]): Promise<Pages> {
  assertWithinLimits(files);
  const pages = new Map<string, Page>();
  for (const file of files) {
    if (!file.path.startsWith('/') || RESERVED.test(file.path) || pages.has(file.path)) {
      throw new ServerError('invalid_option', 'A page stands at a path that is taken or that is none.');
    }
    pages.set(file.path, await pageOf(file));
  }
  return { handle: (request, response) => handle(pages, request, response) };
}

/** Pages where there are none: the usual paths answer with a sentence that says what to do. */
export function missingPages(message: string): Pages {
  return {
    handle: (request, response) => {
      const path = pathOf(request.url ?? '/');
      if (path !== '/' && path !== '/captions') return false;
      closeAfterBody(request, response);
      sendJson(response, 404, { detail: message }, pageHeaders(undefined));
      return true;
    },
  };
}

function assertWithinLimits(files: readonly PageFile[]): void {
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (files.length > PAGES_LIMITS.filesMax || totalBytes > PAGES_LIMITS.totalBytesMax) {
    throw new ServerError('invalid_option', 'The pages are too many or too large to be held in memory.');
  }
}

async function pageOf({ path, type, bytes }: PageFile): Promise<Page> {
  const tag = createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
  const plain: Body = { bytes, etag: `"${tag}"`, encoding: undefined };
  const packed = WORTH_COMPRESSING.test(type) ? await packedForms(bytes, tag) : [];
  const bodies = [...packed.filter((body) => body.bytes.byteLength < bytes.byteLength), plain];
  return { type, isImmutable: HASHED_NAME.test(path), bodies };
}

/** A better one (10) would take 190 ms of the start instead of 20, and save one byte of fifteen. */
const BROTLI_QUALITY = 6;

async function packedForms(bytes: Uint8Array, tag: string): Promise<readonly Body[]> {
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
    promisify(gzip)(bytes, { level: 9 }),
  ]);
  return [
    { bytes: br, etag: `"${tag}-br"`, encoding: 'br' },
    { bytes: gz, etag: `"${tag}-gz"`, encoding: 'gzip' },
  ];
}

function handle(
  pages: ReadonlyMap<string, Page>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const page = pages.get(pathOf(request.url ?? '/'));
  if (page === undefined) return false;
  // A browser that leaves is not an error.
  response.on('error', () => {});
  closeAfterBody(request, response);
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    sendJson(response, 405, { detail: 'Method Not Allowed' }, { allow: 'GET, HEAD' });
    return true;
  }
  const body = chooseBody(page.bodies, headers['accept-encoding']);
  const shared = {
    ...pageHeaders(headers.host),
    'cache-control': page.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: body.etag,
    ...(page.bodies.length > 1 ? { vary: 'accept-encoding' } : {}),
  };
  if (isKnown(headers['if-none-match'], body.etag)) {
    response.writeHead(304, shared).end();
    return true;
  }
  response.writeHead(200, {
    ...shared,
    'content-type': page.type,
    'content-length': body.bytes.byteLength,
    ...(body.encoding === undefined ? {} : { 'content-encoding': body.encoding }),
  });
  response.end(method === 'HEAD' ? undefined : body.bytes);
  return true;
}

function closeAfterBody(request: IncomingMessage, response: ServerResponse): void {
  if (hasBody(request)) response.setHeader('connection', 'close');
}

/** The first form that the browser takes (RFC 9110 section 12.5.3). */
function chooseBody(bodies: readonly Body[], accepted = ''): Body {
  const names = accepted.split(',').flatMap((part) => {
    const [name = '', ...parameters] = part
      .toLowerCase()
      .split(';')
      .map((each) => each.trim());
    return parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)) ? [] : [name];
  });
  const found = bodies.find(({ encoding }) => encoding === undefined || names.includes(encoding));
  // The last form is the plain one, so there always is one.
  if (found === undefined) throw new ServerError('invalid_option', 'A page has no plain form.');
  return found;
}

/** Does the browser have this form already (RFC 9110 section 13.1.2)? */
function isKnown(condition: string | undefined, etag: string): boolean {
  if (condition === undefined) return false;
  if (condition.trim() === '*') return true;
  return condition.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}
