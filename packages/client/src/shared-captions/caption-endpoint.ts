import { captionMembers, readMembers } from '@kikitori/protocol/shared-captions';
import { ClientError } from '../errors.js';
import { CLIENT_LIMITS } from '../limits.js';
import { ADDRESSES_MAX } from './limits.js';
import type { Publication } from './publication.js';

/** What opening a share needs. */
export interface OpenShareRequest {
  readonly session: string;
  readonly language: string | undefined;
  readonly publisherSecret: string | undefined;
  readonly authorization: string | undefined;
  readonly signal: AbortSignal;
}

/** A share that the server has opened. */
export interface OpenedShare {
  readonly publisherSecret: string;
  readonly readerSecret: string;
  readonly nextNumber: number | null;
  readonly addresses: readonly string[];
}

/** The server's routes for publishers. All reject with `ClientError`: `refused` for good, others may succeed later. */
export interface CaptionEndpoint {
  open(request: OpenShareRequest): Promise<OpenedShare>;
  /** `unknown`: open it again; `taken`: somebody else has. */
  publish(
    publisherSecret: string,
    update: Publication & { readonly session: string },
    signal: AbortSignal,
  ): Promise<{ readonly nextNumber: number | null; readonly readers: number } | 'unknown' | 'taken'>;
  end(publisherSecret: string): Promise<void>;
}

/** The routes below an address. */
export function captionEndpoint(options: {
  readonly url: string;
  readonly fetch?: typeof globalThis.fetch;
}): CaptionEndpoint {
  const post = (path: string, body: unknown, request: PostRequest): Promise<Response> =>
    send(new URL(`v1/captions/${path}`, options.url), body, request, options.fetch);
  return {
    open: async ({ session, language, publisherSecret, authorization, signal }) => {
      const body = { session, language, publisher_secret: publisherSecret };
      return openedShare(await membersOf(await post('shares', body, { authorization, signal })));
    },
    publish: async (publisherSecret, { session, utterances, live, speaker }, signal) => {
      const body = { session, utterances: utterances.map(captionMembers), live, speaker };
      const response = await post('updates', body, { authorization: `Bearer ${publisherSecret}`, signal });
      if (response.status === 404) return 'unknown';
      if (response.status === 409) return 'taken';
      const { next_number: nextNumber, readers } = await membersOf(response);
      return {
        nextNumber: typeof nextNumber === 'number' ? nextNumber : null,
        readers: typeof readers === 'number' ? readers : 0,
      };
    },
    end: async (publisherSecret) => {
      await post('end', {}, { authorization: `Bearer ${publisherSecret}`, signal: undefined });
    },
  };
}

interface PostRequest {
  readonly authorization: string | undefined;
  readonly signal: AbortSignal | undefined;
}

async function send(
  url: URL,
  body: unknown,
  { authorization, signal }: PostRequest,
  fetch: typeof globalThis.fetch = globalThis.fetch.bind(globalThis),
): Promise<Response> {
  const deadline = AbortSignal.timeout(CLIENT_LIMITS.captionsRequestMs);
  try {
    return await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: JSON.stringify(body),
      cache: 'no-store',
      credentials: 'omit',
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
  } catch (error) {
    throw new ClientError('connect_failed', 'No connection to the server; is it running at this address?', {
      cause: error,
    });
  }
}

async function membersOf(response: Response): Promise<Readonly<Record<string, unknown>>> {
  if (!response.ok) throw refusalOf(response.status);
  const members = readMembers(await response.text());
  if (members !== undefined) return members;
  throw new ClientError('protocol_error', 'The server answered with something that is not JSON.');
}

function refusalOf(status: number): ClientError {
  // 429 and 503 say when to come back, and other failures of a server pass.
  return status === 429 || status >= 500
    ? new ClientError('timeout', 'The server cannot take captions now.')
    : new ClientError('refused', 'The server refuses to share captions; is the key right?');
}

function openedShare(members: Readonly<Record<string, unknown>>): OpenedShare {
  const { publisher_secret: publisherSecret, reader_secret: readerSecret, next_number: nextNumber } = members;
  if (typeof publisherSecret !== 'string' || typeof readerSecret !== 'string') {
    throw new ClientError('protocol_error', 'The server opened a share without its secrets.');
  }
  return {
    publisherSecret,
    readerSecret,
    addresses: addressesOf(members['addresses']),
    nextNumber: typeof nextNumber === 'number' ? nextNumber : null,
  };
}

/** Origins alone: anything else is no address of a server. */
function addressesOf(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return [];
  const origins = value.filter((each) => typeof each === 'string' && /^https?:\/\/[^/?#\s]+$/.test(each));
  return origins.slice(0, ADDRESSES_MAX);
}
