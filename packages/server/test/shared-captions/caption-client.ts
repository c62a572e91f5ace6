/** A publisher and readers over HTTP, as a test sees them. */

import type { TestServer } from '../test-server.js';

export const JSON_TYPE = { 'content-type': 'application/json' };

export interface Share {
  readonly publisher: string;
  readonly reader: string;
}

export function post(
  test: { readonly url: string },
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${test.url}/v1/captions/${path}`, {
    method: 'POST',
    headers: { ...JSON_TYPE, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

export async function openShare(test: TestServer, wish: object = {}): Promise<Share> {
  const answer = await post(test, 'shares', { session: 's1', ...wish });
  const { publisher_secret: publisher, reader_secret: reader } = await answer.json();
  return { publisher, reader };
}

export const say = (number: number, text: string) => ({
  number,
  text,
  start_ms: number * 1000,
  end_ms: number * 1000 + 900,
});

export function publish(test: TestServer, { publisher }: Share, update: object): Promise<Response> {
  return post(test, 'updates', { session: 's1', ...update }, bearer(publisher));
}

export interface WireEvent {
  readonly event: string;
  readonly data: {
    readonly session?: string;
    readonly language?: string | null;
    readonly utterances?: readonly { readonly number: number; readonly text: string }[];
    readonly live?: { readonly stable: string; readonly unstable: string };
  };
}

/** Events one by one; comments are left out. */
export class WireReader {
  readonly response: Response;
  readonly #events: AsyncGenerator<WireEvent>;
  readonly #controller: AbortController;

  private constructor(response: Response, controller: AbortController) {
    this.response = response;
    this.#controller = controller;
    this.#events = eventsOf(response);
  }

  static async open(test: { readonly url: string }, { reader }: Share): Promise<WireReader> {
    const controller = new AbortController();
    const { signal } = controller;
    const response = await fetch(`${test.url}/v1/captions`, { headers: bearer(reader), signal });
    return new WireReader(response, controller);
  }

  /** The next event; undefined at the end. */
  async next(): Promise<WireEvent | undefined> {
    const { done, value } = await this.#events.next();
    return done === true ? undefined : value;
  }

  leave(): void {
    this.#controller.abort();
  }
}

async function* eventsOf(response: Response): AsyncGenerator<WireEvent> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const frames = text.split('\n\n');
    text = frames.pop() ?? '';
    for (const frame of frames) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(frame) ?? [];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
    }
  }
}
