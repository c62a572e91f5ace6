import type { Clock } from '@kikitori/core';
import type { Connect } from '@kikitori/transport';
import type { ClientError } from './errors.js';

/** Where to connect, and how to speak. */
export interface ConnectOptions {
  /**
   * `ws://host:port`; `v1/realtime` is added below a path that ends in a slash (`https://host/stt/`), and what is missing
   * of it behind `/v1`. `http:` and `https:` are taken for `ws:` and `wss:`. May be left out when `connect` knows where to go.
   */
  readonly url?: string;
  /** Another way to travel than WebSocket: in memory, or to SageMaker. */
  readonly connect?: Connect;
  /** Sent as `Authorization: Bearer …`. Browsers cannot send it (`invalid_argument`): give a `token` there. */
  readonly apiKey?: string;
  /**
   * Gives a short-lived token for each connection, the first and every later one, or undefined where none is needed.
   * It goes as a WebSocket subprotocol, which browsers can send. Within `connectTimeoutMs`; a `TransportError` that it
   * throws counts as the connection's own, anything else as `connect_failed`.
   */
  readonly token?: (wait: { readonly signal: AbortSignal }) => Promise<string | undefined>;
  /** Further headers of the handshake, where the platform sends them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The model's name. Default: the empty name, which servers take for their only model (see `firstModel`). */
  readonly model?: string;
  /**
   * What is spoken: a tag such as `en` or `pt-BR`, an English name, or `auto`. Our server refuses what its model does
   * not hear (`server_error`, `unsupported_language`); others ignore it. Default: the model finds out.
   */
  readonly language?: string;
  /** Rate of the audio that will be sent; it is resampled to 16 kHz. Default 16,000. */
  readonly sampleRateHz?: number;
  /** Ask for word times, utterances and progress. Servers that do not know them ignore it. */
  readonly words?: boolean;
  /** Ask for the unstable tail of the text. Servers that do not know it ignore it. */
  readonly partials?: boolean;
  /** With `words`: ask to be told when somebody begins to speak. Servers that do not know it ignore it. */
  readonly onsets?: boolean;
  /**
   * How long words may wait so that what is said next can help: whole milliseconds of audio, 0…5,000. With more, words
   * come later and are more often right; 2,000 takes the embedded engine as far as it goes. Servers that do not know
   * it ignore it. Default: what the server thinks right.
   */
  readonly delayMs?: number;
  /**
   * Tokens that the model bears in one utterance (vLLM's `--max-model-len`): a longer one is ended before, in a pause if one
   * comes in time, and goes on as another without a word lost. A function is asked once, and only where the server places no
   * words itself. Default: such a server at a `url` is asked (`/v1/models`).
   */
  readonly maxModelLen?: number | (() => Promise<number | undefined>);
  /**
   * How long to wait for a server that is not there yet, milliseconds: a model takes minutes to load. It is tried again and
   * again until then, at the beginning and, with `reconnect`, after a loss. Default 0: the first connection is tried once.
   */
  readonly waitMs?: number;
  /** Told while a first connection is waited for, after each try. */
  readonly onWait?: (failure: ClientError) => void;
  /** One try to connect. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of the server while the end is awaited, beside the utterance's own duration. Default 60,000. */
  readonly finishTimeoutMs?: number;
  /**
   * What to do when the connection is lost: go on over another one (default, docs/client.md), or, with `false`, fail.
   */
  readonly reconnect?: boolean | ReconnectOptions;
  /**
   * Longest life of one connection, in time and in audio, where something limits it (SageMaker: 30 minutes; a model's
   * length). Before that the session goes on over another one, if it can in a pause. Default: none.
   */
  readonly sessionMsMax?: number;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: 0…1, as `Math.random`. */
  readonly random?: () => number;
}

/** Bounds of reconnecting. */
export interface ReconnectOptions {
  /** Audio that is kept because its words have not all come, at least 5,000 ms. Default 120,000 (3.8 MB). */
  readonly keepMs?: number;
  /** Longest time without a connection that proved good; then the session fails. Default 120,000, or `waitMs` if that is more. */
  readonly giveUpAfterMs?: number;
}
