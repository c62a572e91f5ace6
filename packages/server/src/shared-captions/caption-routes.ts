import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '@kikitori/core';
import { type HttpError, ServerError } from '../errors.js';
import { send, sendError, sendJson } from '../http/answers.js';
import { readJsonBody, skipBody } from '../http/json-body.js';
import type { Handler, Route } from '../http/router.js';
import { type CaptionsLimits, RETRY_AFTER_S } from '../limits.js';
import type { CaptionMetrics, CaptionRefusal } from './caption-metrics.js';
import type { CaptionSink } from './caption-reader.js';
import { readOpenRequest, readUpdate } from './caption-requests.js';
import type { CaptionShare } from './caption-share.js';
import type { CaptionsHub } from './captions-hub.js';
import { isSecret, newPublisherSecret, readerSecretOf } from './share-secret.js';

/** What the routes need. */
export interface CaptionRoutesOptions {
  readonly hub: CaptionsHub;
  readonly clock: Clock;
  readonly limits: CaptionsLimits;
  readonly metrics: CaptionMetrics;
  /** Whose request it is: shares are counted by it. Holds no secret. */
  readonly ownerOf: (request: IncomingMessage) => string;
  /** Where others find this server. */
  readonly addresses: () => readonly string[];
}

const UNKNOWN: HttpError = {
  status: 404,
  message: 'Nothing is shared here now. Wait for the speaker, or ask for a new link.',
};
const REFUSALS: Readonly<Record<Exclude<CaptionRefusal, 'invalid'>, HttpError>> = {
  unknown: UNKNOWN,
  shares_full: { status: 503, message: 'Too many captions are shared at once. End one, or try again later.' },
  readers_full: { status: 503, message: 'Too many people read at once. Try again later.' },
  other_session: {
    status: 409,
    message: 'Somebody else shares under this link now. Open the share again to take it back.',
  },
  too_fast: { status: 429, message: 'Updates come too fast. Send them less often.' },
};

const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  // Proxies of nginx's kind would hold events back.
  'x-accel-buffering': 'no',
};

/** The routes of docs/captions.md. Only opening a share needs the API key: the others are opened by the share's secrets. */
export function captionRoutes(options: CaptionRoutesOptions): Readonly<Record<string, Route>> {
  const routes = new CaptionRoutes(options);
  const post = (guarded: boolean, handler: Handler): Route => ({ guarded, methods: { POST: handler } });
  return {
    '/v1/captions': {
      guarded: false,
      methods: { GET: (request, response) => routes.read(request, response) },
    },
    '/v1/captions/shares': post(true, (request, response) => routes.open(request, response)),
    '/v1/captions/updates': post(false, (request, response) => routes.update(request, response)),
    '/v1/captions/end': post(false, (request, response) => routes.end(request, response)),
  };
}

class CaptionRoutes {
  readonly #options: CaptionRoutesOptions;

  constructor(options: CaptionRoutesOptions) {
    this.#options = options;
  }

  async open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#answer(response, async () => {
      const body = await this.#bodyOf(request, response);
      const { publisherSecret = newPublisherSecret(), ...wish } = readOpenRequest(body);
      const { hub, limits, ownerOf, addresses } = this.#options;
      const share = hub.open({ ...wish, publisherSecret, owner: ownerOf(request) });
      if (share === 'shares_full') {
        this.#refuse(response, share);
        return;
      }
      const answer = {
        publisher_secret: publisherSecret,
        reader_secret: readerSecretOf(publisherSecret),
        next_number: share.nextNumber,
        expires_at: Math.floor(share.expiresAtMs / 1000),
        idle_timeout_ms: limits.idleMs,
        addresses: addresses(),
      };
      sendJson(response, 200, answer, { 'cache-control': 'no-store' });
    });
  }

  async update(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#answer(response, async () => {
      // Whoever has no share is not worth reading.
      if (this.#publishedBy(request) === undefined) {
        await skipBody(request, this.#options);
        this.#refuse(response, 'unknown');
        return;
      }
      const body = await this.#bodyOf(request, response);
      // It may have ended while the body came.
      const share = this.#publishedBy(request);
      if (share === undefined) {
        this.#refuse(response, 'unknown');
        return;
      }
      const taken = share.update(readUpdate(body, this.#options.limits));
      if (typeof taken === 'string') this.#refuse(response, taken);
      else sendJson(response, 200, { next_number: taken.nextNumber, readers: share.readerCount });
    });
  }

  end(request: IncomingMessage, response: ServerResponse): void {
    const share = this.#publishedBy(request);
    if (share !== undefined) this.#options.hub.end(share);
    // Ended is ended: whoever asks twice is right twice.
    send(response, 204);
  }

  read(request: IncomingMessage, response: ServerResponse): void {
    const secret = bearerOf(request);
    // Looked up before the first byte: the status is what a page goes by.
    const sink = sinkOf(response);
    const subscription =
      isSecret(secret) && request.method === 'GET'
        ? this.#options.hub.subscribe(secret, sink)
        : ('unknown' as const);
    if (typeof subscription === 'string') {
      this.#refuse(response, subscription);
      return;
    }
    response.on('drain', () => subscription.drained());
    response.once('close', () => subscription.leave());
    // Whoever left in the meantime sends no `close` any more.
    if (response.destroyed) subscription.leave();
  }

  #publishedBy(request: IncomingMessage): CaptionShare | undefined {
    const secret = bearerOf(request);
    return isSecret(secret) ? this.#options.hub.published(secret) : undefined;
  }

  async #bodyOf(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const body = await readJsonBody(request, this.#options);
    // Read to its end, so that the next update may come over the same connection.
    if (request.headers.connection?.toLowerCase() !== 'close') response.setHeader('connection', 'keep-alive');
    return body;
  }

  async #answer(response: ServerResponse, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ServerError) || error.answer === undefined) throw error;
      this.#options.metrics.refused.inc({ reason: 'invalid' });
      sendError(response, error.answer);
    }
  }

  #refuse(response: ServerResponse, reason: keyof typeof REFUSALS): void {
    this.#options.metrics.refused.inc({ reason });
    const error = REFUSALS[reason];
    const isLater = error.status === 503 || error.status === 429;
    const retryAfterS = error.status === 429 ? 1 : RETRY_AFTER_S;
    sendError(response, error, {
      'cache-control': 'no-store',
      ...(isLater ? { 'retry-after': String(retryAfterS) } : {}),
    });
  }
}

function bearerOf({ headers }: IncomingMessage): string | undefined {
  return /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** The head goes out with the first frame, so that a refusal can still be one. */
function sinkOf(response: ServerResponse): CaptionSink {
  return {
    write: (frame) => {
      if (!response.headersSent) response.writeHead(200, STREAM_HEADERS);
      return response.write(frame);
    },
    end: () => {
      response.end();
    },
    destroy: () => {
      response.destroy();
    },
  };
}
