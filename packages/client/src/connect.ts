import { AudioError } from '@kikitori/audio';
import { encodeClientEvent, parseServerEvent, SAMPLE_RATE_HZ } from '@kikitori/protocol';
import type { Connect, Connection, Message } from '@kikitori/transport';
import { connectWebSocket } from '@kikitori/transport/ws';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import { aborted, ClientError, fromConnectFailure, fromConnectionEnd } from './errors.js';
import { CLIENT_LIMITS } from './limits.js';
import { RealtimeSession, type Session, serverError } from './session.js';
import { realtimeUrl } from './urls.js';

/** Where to connect, and how to speak. */
export interface ConnectOptions {
  /**
   * `ws://host:port`, with `/v1/realtime` added when it names no path; `http:` and `https:` are taken for `ws:` and
   * `wss:`. May be left out when `connect` knows where to go.
   */
  readonly url?: string;
  /** Another way to travel than WebSocket: in memory, or to SageMaker. */
  readonly connect?: Connect;
  /** Sent as `Authorization: Bearer …`. Browsers cannot send it (`invalid_argument`): put a proxy in front there. */
  readonly apiKey?: string;
  /** Further headers of the handshake, where the platform sends them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The model's name. Default: the empty name, which servers take for their only model (see `firstModel`). */
  readonly model?: string;
  /** Rate of the audio that will be sent; it is resampled to 16 kHz. Default 16,000. */
  readonly sampleRateHz?: number;
  /** Ask for word times, utterances and progress. Servers that do not know them ignore it. */
  readonly words?: boolean;
  /** Ask for the unstable tail of the text. Servers that do not know it ignore it. */
  readonly partials?: boolean;
  /** Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of the server while the end is awaited, beside the utterance's own duration. Default 60,000. */
  readonly finishTimeoutMs?: number;
}

/**
 * Opens a session. It resolves when the server has greeted and the model was named.
 *
 * Rejects with `ClientError`: `invalid_argument`, `connect_failed`, `refused`, `server_error`, `protocol_error`,
 * `closed`, `timeout` or `aborted`. That a model does not exist is told by the server later and ends the session then.
 */
export async function connect(options: ConnectOptions, { signal }: WaitOptions = {}): Promise<Session> {
  throwIfAborted(signal);
  const { connectTimeoutMs = CLIENT_LIMITS.connectTimeoutMs } = options;
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort();
  const timer = setTimeout(onAbort, connectTimeoutMs);
  signal?.addEventListener('abort', onAbort);
  try {
    return await open(options, giveUp.signal);
  } catch (error) {
    if (signal?.aborted === true) throw aborted(signal);
    if (giveUp.signal.aborted) throw new ClientError('timeout', 'The server did not answer in time.');
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

async function open(options: ConnectOptions, signal: AbortSignal): Promise<Session> {
  const connection = await openConnection(options, signal);
  try {
    const incoming = connection.messages[Symbol.asyncIterator]();
    const id = await readGreeting(incoming, signal);
    await connection.send(greetingOf(options), { signal });
    const session = makeSession(options, { id, connection, incoming });
    session.run();
    return session;
  } catch (error) {
    connection.destroy();
    throw fromConnectionEnd(error);
  }
}

async function openConnection(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { connect: open = connectWebSocket, apiKey, headers } = options;
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const url = realtimeUrl(options);
  try {
    const opening = open({ url, headers: { ...headers, ...authorization }, signal });
    return await abortable(opening, signal).catch((error: unknown) => {
      // A transport that answers after all, too late.
      if (signal.aborted) opening.then((late) => late.destroy()).catch(() => undefined);
      throw error;
    });
  } catch (error) {
    throw fromConnectFailure(error);
  }
}

async function readGreeting(incoming: AsyncIterator<Message>, signal: AbortSignal): Promise<string> {
  const first = await abortable(incoming.next(), signal);
  if (first.done === true) throw fromConnectionEnd(undefined);
  const event = parseServerEvent(
    typeof first.value === 'string' ? first.value : new TextDecoder().decode(first.value),
  );
  if (event.type === 'session.created') return event.id;
  if (event.type === 'error') throw serverError(event);
  throw new ClientError(
    'protocol_error',
    'What answered there is not a Realtime server of the vLLM dialect.',
  );
}

function greetingOf({ model = '', words, partials }: ConnectOptions): string {
  const isPlain = words !== true && partials !== true;
  const kikitori = { words: words === true, partials: partials === true };
  return encodeClientEvent({ type: 'session.update', model, ...(isPlain ? {} : { kikitori }) });
}

interface OpenParts {
  readonly id: string;
  readonly connection: Connection;
  readonly incoming: AsyncIterator<Message>;
}

function makeSession(options: ConnectOptions, parts: OpenParts): RealtimeSession {
  const { sampleRateHz = SAMPLE_RATE_HZ, finishTimeoutMs = CLIENT_LIMITS.finishTimeoutMs } = options;
  try {
    return new RealtimeSession({ ...parts, sampleRateHz, finishTimeoutMs });
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
    throw new ClientError('invalid_argument', 'The sample rate must be a whole number from 1000 to 768000.', {
      cause: error,
    });
  }
}
