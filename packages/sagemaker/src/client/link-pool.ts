import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { Http2Link, type LinkOptions } from './http2-link.js';

/** A stream, and the link that it is on. */
export interface LinkedStream {
  readonly stream: ClientHttp2Stream;
  readonly link: Http2Link;
}

/**
 * The links to one endpoint. A stream goes on a link that has room, else on a new one. Nothing is kept for later: a link
 * ends with its last stream, so that whoever closed everything has nothing left.
 */
export class LinkPool {
  readonly #options: LinkOptions;
  readonly #streamsMax: number;
  readonly #links = new Set<Http2Link>();

  constructor(options: LinkOptions, streamsMax: number) {
    this.#options = options;
    this.#streamsMax = streamsMax;
  }

  /**
   * Opens a stream with headers that are made once the line stands, so that their date is of that moment. Rejects with
   * what `Http2Link.open`, `request` and `makeHeaders` reject with.
   */
  async open(makeHeaders: () => Promise<OutgoingHttpHeaders>, signal?: AbortSignal): Promise<LinkedStream> {
    for (const link of this.#links) {
      if (!link.isUsable) this.#links.delete(link);
    }
    const known = this.#freeLink();
    if (known !== undefined) {
      const headers = await makeHeaders();
      // Others may have taken the room while these were made.
      if (known.hasRoom(this.#streamsMax)) return { stream: known.request(headers), link: known };
    }
    const link = await Http2Link.open(this.#options, signal);
    try {
      const stream = link.request(await makeHeaders());
      if (this.#streamsMax > 1) this.#links.add(link);
      return { stream, link };
    } finally {
      link.releaseIfIdle();
    }
  }

  #freeLink(): Http2Link | undefined {
    return [...this.#links].find((link) => link.hasRoom(this.#streamsMax));
  }
}
