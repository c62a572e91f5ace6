import { whenAborted } from '@kikitori/core';
import { abortable, type WaitOptions } from './abortable.js';
import { connect } from './connect.js';
import type { ConnectOptions } from './connect-options.js';
import { aborted } from './errors.js';
import type { SessionEvent } from './events.js';
import { type AudioSource, chunksOf, type PaceRate, pace } from './pace.js';
import type { Session } from './session.js';
import type { Transcript } from './transcript.js';

/** What `transcribe` takes: where to connect, and how fast to send. */
export interface TranscribeOptions extends ConnectOptions, WaitOptions {
  /** Default `max`: as fast as the server takes it. */
  readonly pace?: PaceRate;
}

/** A transcription that is under way: loop over it, or await what comes out of it, or both. */
export interface Transcription extends AsyncIterable<SessionEvent> {
  /** The whole text, when everything was transcribed. */
  readonly text: Promise<string>;
  /** The same with words, utterances and usage. */
  readonly transcript: Promise<Transcript>;
}

/**
 * Transcribes audio from beginning to end: connects, sends all of it, waits for the text, and closes. It begins at
 * once. What goes wrong rejects `text` and `transcript` and is thrown by a loop; an error of the source is passed on
 * as it is. Leaving the loop early ends everything.
 */
export function transcribe(source: AudioSource, options: TranscribeOptions): Transcription {
  const leave = new AbortController();
  const { signal } = options;
  const forget = whenAborted(signal, () => leave.abort(signal?.reason));

  const opening = connect(options, { signal: leave.signal });
  const transcript = run(opening, source, { ...options, signal: leave.signal }).finally(forget);
  const text = transcript.then((result) => result.text);
  // Whoever only loops gets the failure there; unused promises must not end the process.
  transcript.catch(() => undefined);
  text.catch(() => undefined);
  return {
    text,
    transcript,
    [Symbol.asyncIterator]: () => eventsOf(opening, transcript, leave),
  };
}

async function* eventsOf(
  opening: Promise<Session>,
  transcript: Promise<Transcript>,
  leave: AbortController,
): AsyncGenerator<SessionEvent, undefined, undefined> {
  let isLeft = true;
  try {
    yield* await opening;
    isLeft = false;
    // A failure that is not the session's: the source broke, or the caller aborted.
    await transcript;
  } catch (error) {
    isLeft = false;
    throw error;
  } finally {
    if (isLeft) leave.abort();
  }
  return undefined;
}

async function run(
  opening: Promise<Session>,
  source: AudioSource,
  options: TranscribeOptions & { readonly signal: AbortSignal },
): Promise<Transcript> {
  const session = await opening;
  try {
    await sendAll(session, source, options);
    return await session.finish({ signal: options.signal });
  } catch (error) {
    // The session's own failure is what the caller wants to know, not what followed from it.
    const failure: unknown = session.ended.aborted ? session.ended.reason : error;
    session.destroy(failure instanceof Error ? failure : undefined);
    throw failure;
  }
}

async function sendAll(
  session: Session,
  source: AudioSource,
  options: TranscribeOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const { pace: rate = 'max', signal } = options;
  const chunks = rate === 'max' ? chunksOf(source) : pace(source, { ...options, rate });
  const iterator =
    Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  const stop = AbortSignal.any([session.ended, signal]);
  try {
    // Not `for await`: a microphone that is silent must not hide that the session has ended.
    for (;;) {
      const next = await abortable(Promise.resolve(iterator.next()), stop);
      if (next.done === true) return;
      await session.send(next.value, { signal: stop });
    }
  } catch (error) {
    // Not awaited: a source may be stuck in the very read that we gave up.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
    if (!session.ended.aborted && signal.aborted) throw aborted(signal);
    throw error;
  }
}
