import { AudioError } from '@kikitori/audio';
import { systemClock, whenAborted } from '@kikitori/core';
import { CREDENTIAL_PROTOCOL_PREFIX, encodeClientEvent, REALTIME_PROTOCOL } from '@kikitori/protocol';
import type { Connection, Message } from '@kikitori/transport';
import { connectWebSocket } from '@kikitori/transport/ws';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import type { ConnectOptions } from './connect-options.js';
import { Deadline } from './deadline.js';
import { aborted, ClientError, fromConnectFailure, fromConnectionEnd, serverError } from './errors.js';
import { eventOf, Leg } from './leg.js';
import { CONNECT_TIMEOUT_MS } from './limits.js';
import { servedModels } from './models.js';
import { RealtimeSession } from './realtime-session.js';
import { Seeker } from './seeker.js';
import type { Session } from './session.js';
import { TurnLimit } from './turn-limit.js';
import { realtimeUrl } from './urls.js';

/**
 * Opens a session. It resolves when the server has greeted and the model was named.
 *
 * Rejects with `ClientError`: `invalid_argument`, `connect_failed`, `refused`, `server_error`, `protocol_error`,
 * `closed`, `timeout` or `aborted`; the first connection is tried once. That a model does not exist is told by the
 * server later and ends the session then.
 */
export async function connect(options: ConnectOptions, { signal }: WaitOptions = {}): Promise<Session> {
  throwIfAborted(signal);
  const leg = await openFirst(options, signal);
  try {
    const session = makeSession(options);
    session.run(leg);
    return session;
  } catch (error) {
    leg.destroy();
    throw error;
  }
}

/**
 * Begins a session at once, so that no word is lost: audio sent before there is a connection is kept and sent when
 * there is. The first connection is sought as every other one; what cannot be mended ends the session.
 *
 * Throws `ClientError` `invalid_argument`.
 */
export function openSession(options: ConnectOptions): Session {
  const session = makeSession(options);
  session.run(undefined);
  return session;
}

/** One try, or as many as there is time for. */
async function openFirst(options: ConnectOptions, signal: AbortSignal | undefined): Promise<Leg> {
  const { waitMs = 0, clock = systemClock, random = Math.random, onWait } = options;
  if (waitMs === 0) return await openLeg(options, signal);
  const seeker = new Seeker({
    open: (each) => openLeg(options, each),
    clock,
    random,
    giveUpAfterMs: waitMs,
    isNeeded: () => true,
    change: () => Promise.resolve(),
    onFailure: onWait,
  });
  try {
    return await seeker.seek(undefined, signal ?? new AbortController().signal);
  } catch (error) {
    throw signal?.aborted === true ? aborted(signal) : error;
  }
}

/** One try, within the time for it. */
async function openLeg(options: ConnectOptions, signal: AbortSignal | undefined): Promise<Leg> {
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort();
  const deadline = new Deadline(connectTimeoutMs, onAbort);
  deadline.restart();
  const leave = whenAborted(signal, onAbort);
  try {
    return await greet(options, giveUp.signal);
  } catch (error) {
    if (signal?.aborted === true) throw aborted(signal);
    if (giveUp.signal.aborted) throw new ClientError('timeout', 'The server did not answer in time.');
    throw error;
  } finally {
    deadline.clear();
    leave();
  }
}

async function greet(options: ConnectOptions, signal: AbortSignal): Promise<Leg> {
  const connection = await openConnection(options, signal);
  try {
    const incoming = connection.messages[Symbol.asyncIterator]();
    const id = await readGreeting(incoming, signal);
    await connection.send(greetingOf(options), { signal });
    return new Leg({ id, connection, incoming });
  } catch (error) {
    connection.destroy();
    throw fromConnectionEnd(error);
  }
}

async function openConnection(options: ConnectOptions, signal: AbortSignal): Promise<Connection> {
  const { connect: open = connectWebSocket, apiKey, token, headers } = options;
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const url = realtimeUrl(options);
  try {
    const secret = await abortable(token?.({ signal }) ?? Promise.resolve(undefined), signal);
    const protocols =
      secret === undefined ? [] : [REALTIME_PROTOCOL, `${CREDENTIAL_PROTOCOL_PREFIX}${secret}`];
    const opening = open({ url, headers: { ...headers, ...authorization }, protocols, signal });
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
  const event = eventOf(first.value);
  if (event.type === 'session.created') return event.id;
  if (event.type === 'error') throw serverError(event);
  throw new ClientError(
    'protocol_error',
    'What answered there is not a Realtime server of the vLLM dialect.',
  );
}

function greetingOf(options: ConnectOptions): string {
  const { model = '', language, words, partials, onsets, delayMs, reconnect } = options;
  const isLasting = reconnect !== false;
  const isPlain = words !== true && partials !== true && !isLasting && delayMs === undefined;
  // Where every word is has to be known to tell it once; whether the caller hears of it is another question.
  const kikitori = {
    words: words === true || isLasting,
    partials: partials === true,
    onsets: (words === true && onsets) || undefined,
    replay: isLasting || undefined,
    delay_ms: delayMs,
  };
  const extras = isPlain ? undefined : kikitori;
  return encodeClientEvent({ type: 'session.update', model, language, kikitori: extras });
}

/** A way of its own leads to a server that cannot be asked. */
function limitOf({ connect: way, url, apiKey, model = '', maxModelLen }: ConnectOptions): TurnLimit {
  const ask = async (at: string): Promise<number | undefined> => {
    const models = await servedModels(at, apiKey === undefined ? {} : { apiKey });
    return (models.find(({ id }) => id === model) ?? models[0]).maxModelLen;
  };
  const isAskable = way === undefined && url !== undefined;
  return new TurnLimit(maxModelLen ?? (isAskable ? () => ask(url) : undefined));
}

function makeSession(options: ConnectOptions): RealtimeSession {
  try {
    return new RealtimeSession(options, (signal) => openLeg(options, signal), limitOf(options));
  } catch (error) {
    if (!(error instanceof AudioError)) throw error;
    throw new ClientError('invalid_argument', 'The sample rate must be a whole number from 1000 to 768000.', {
      cause: error,
    });
  }
}
