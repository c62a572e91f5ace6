import { basicLogin } from '@kikitori/core';
import { BridgeError } from '../errors.js';

/** The model server. */
export interface Upstream {
  /** Of its WebSocket, without a login. */
  readonly url: URL;
  /** Where it says whether it is ready: `/health` beside its `/v1/realtime`, else of its host. */
  readonly healthUrl: URL;
  /** Where it says which models it serves: `/v1/models`, at the same place. */
  readonly modelsUrl: URL;
  /** Where it takes files, in a form: `/v1/audio/transcriptions`, at the same place. */
  readonly transcriptionsUrl: URL;
  /** What each request says: the login of the address. Never into a log. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads an address like `ws://127.0.0.1:8081/v1/realtime`. Throws `BridgeError` `invalid_option`. */
export function parseUpstream(text: string): Upstream {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^wss?:$/.test(url.protocol)) {
    throw new BridgeError(
      'invalid_option',
      'The upstream must be an address like ws://127.0.0.1:8081/v1/realtime.',
    );
  }
  const authorization = basicLogin(url);
  url.username = '';
  url.password = '';
  url.hash = '';
  const [, below = ''] = /^(.*)\/v1\/realtime$/.exec(url.pathname) ?? [];
  const beside = (path: string): URL => {
    const other = new URL(`${below}${path}`, url);
    other.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
    return other;
  };
  return {
    url,
    healthUrl: beside('/health'),
    modelsUrl: beside('/v1/models'),
    transcriptionsUrl: beside('/v1/audio/transcriptions'),
    headers: authorization === undefined ? {} : { authorization },
  };
}
