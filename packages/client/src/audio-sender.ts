import { encodeBase64 } from '@kikitori/audio';
import { encodeClientEvent, SAMPLE_RATE_HZ } from '@kikitori/protocol';
import { type Connection, Gate } from '@kikitori/transport';
import { abortable, throwIfAborted, type WaitOptions } from './abortable.js';
import { AudioIntake, type Pcm } from './audio-intake.js';
import { Deadline } from './deadline.js';
import { ClientError } from './errors.js';
import { CLIENT_LIMITS } from './limits.js';

/** What a sender is made of. */
export interface AudioSenderParts {
  readonly connection: Connection;
  readonly sampleRateHz: number;
  /** Silence of the server that is borne while its text is awaited, in addition to the utterance's duration. */
  readonly finishTimeoutMs: number;
  /** Told when the server did not answer in time or the connection does not take what is sent. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Where the dialect's utterances stand. `idle`: none; `open`: `commit` was sent, audio may follow; `ending`: `final`
 * was sent, `transcription.done` has not come, and audio sent now would be lost in vLLM.
 */
type UtteranceState = 'idle' | 'open' | 'ending';

const NO_BYTES = new Uint8Array(0);
const FRAME_BYTES = CLIENT_LIMITS.frameSamples * 2;
const APPEND_BYTES_MAX = CLIENT_LIMITS.appendSamplesMax * 2;
const BYTES_PER_MS = (SAMPLE_RATE_HZ * 2) / 1000;

/**
 * Everything about sending, in one place: conversion, framing, the order of things, and which utterance is open.
 *
 * Everything runs in one chain, in the order in which it was called. An utterance begins with the first audio, so an
 * empty one is never sent; it gets exactly one `final`; the next one begins after its `done`.
 */
export class AudioSender {
  readonly #connection: Connection;
  readonly #onFailure: (error: unknown) => void;
  readonly #finishTimeoutMs: number;
  readonly #intake: AudioIntake;
  readonly #answered = new Gate();
  readonly #stopped = new AbortController();
  #chain: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #endsAskedCount = 0;
  #doneCount = 0;
  #state: UtteranceState = 'idle';
  /** Converted audio, less than what makes a message. */
  #rest: Uint8Array = NO_BYTES;
  #sentBytes = 0;
  #utteranceStartBytes = 0;
  #failure: ClientError | undefined;
  #deadline: Deadline | undefined;

  constructor({ connection, sampleRateHz, finishTimeoutMs, onFailure }: AudioSenderParts) {
    this.#connection = connection;
    this.#onFailure = onFailure;
    this.#finishTimeoutMs = finishTimeoutMs;
    this.#intake = new AudioIntake(sampleRateHz);
  }

  /** Audio sent since the last utterance began, on the session's timeline. */
  get span(): { readonly startMs: number; readonly endMs: number } {
    return {
      startMs: Math.round(this.#utteranceStartBytes / BYTES_PER_MS),
      endMs: Math.round(this.#sentBytes / BYTES_PER_MS),
    };
  }

  /** True when everything that was sent is transcribed and nothing waits. */
  get isDrained(): boolean {
    const isWaiting = this.#waitingBytes > 0 || this.#endsAskedCount > 0 || this.#rest.length > 0;
    return this.#state === 'idle' && !isWaiting;
  }

  /** See `Session.send`. */
  send(pcm: Pcm, { signal }: WaitOptions = {}): Promise<void> {
    const bytes = pcm.byteLength;
    if (this.#waitingBytes + bytes > CLIENT_LIMITS.waitingBytesMax && this.#waitingBytes > 0) {
      return Promise.reject(
        new ClientError('overflow', 'Too much audio waits to be sent; await every send.'),
      );
    }
    this.#waitingBytes += bytes;
    const isHeld =
      (this.#endsAskedCount > 0 || this.#state === 'ending') &&
      this.#waitingBytes <= CLIENT_LIMITS.heldBytesMax;
    const audio = isHeld ? pcm.slice() : pcm;
    const sending = this.#enqueue(async () => {
      try {
        throwIfAborted(signal);
        await this.#sendSlices(audio, isHeld ? undefined : signal);
      } finally {
        this.#waitingBytes -= bytes;
      }
    });
    if (!isHeld) return sending;
    sending.catch(() => undefined);
    return Promise.resolve();
  }

  /** Ends the utterance and resolves when its `done` has come; at once when there is none. */
  async endUtterance({ signal }: WaitOptions = {}): Promise<void> {
    this.#endsAskedCount += 1;
    let doneCount = 0;
    const ending = this.#enqueue(async () => {
      this.#endsAskedCount -= 1;
      doneCount = await this.#sendFinal();
    });
    await abortable(ending, signal);
    while (this.#doneCount < doneCount) {
      this.#throwIfFailed();
      await abortable(this.#answered.wait(), signal);
    }
  }

  /** To be called for every event: a server that speaks is waited for. */
  noteEvent(): void {
    this.#deadline?.restart();
  }

  /** To be called for `transcription.done`. */
  noteDone(): void {
    if (this.#state === 'ending') this.#disarm();
    this.#state = 'idle';
    this.#doneCount += 1;
    this.#utteranceStartBytes = this.#sentBytes;
    this.#answered.open();
  }

  /** Nothing is sent any more; whoever waits gets the error. */
  stop(error: ClientError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#disarm();
    this.#stopped.abort(error);
    this.#answered.open();
  }

  /** Runs one thing after the other; a failure of one does not keep the next from being refused properly. */
  #enqueue(run: () => Promise<void>): Promise<void> {
    const done = this.#chain.then(async () => {
      this.#throwIfFailed();
      await run();
    });
    this.#chain = done.catch(() => undefined);
    return done;
  }

  async #sendSlices(pcm: Pcm, signal: AbortSignal | undefined): Promise<void> {
    // A slice of bytes has an even length, so a caller's half sample stays at the end.
    const step = CLIENT_LIMITS.sliceSamples * (pcm instanceof Uint8Array ? 2 : 1);
    for (let start = 0; start < pcm.length; start += step) {
      await this.#takeIn(this.#intake.push(pcm.subarray(start, start + step)), signal);
    }
  }

  async #takeIn(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const audio = joined(this.#rest, bytes);
    let start = 0;
    while (audio.length - start >= FRAME_BYTES) {
      const available = Math.min(audio.length - start, APPEND_BYTES_MAX);
      const length = available - (available % FRAME_BYTES);
      // Taken off before the wait: what an aborted call has begun to send is not sent twice.
      this.#rest = audio.subarray(start + length);
      await this.#append(audio.subarray(start, start + length), signal);
      start += length;
    }
    this.#rest = audio.slice(start);
  }

  async #append(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    await this.#open(signal);
    this.#sentBytes += bytes.length;
    await this.#write(
      encodeClientEvent({ type: 'input_audio_buffer.append', audio: encodeBase64(bytes) }),
      signal,
    );
  }

  async #open(signal: AbortSignal | undefined): Promise<void> {
    while (this.#state === 'ending') {
      await abortable(this.#answered.wait(), signal);
      this.#throwIfFailed();
    }
    if (this.#state === 'open') return;
    this.#state = 'open';
    this.#utteranceStartBytes = this.#sentBytes;
    await this.#write(encodeClientEvent({ type: 'input_audio_buffer.commit', final: false }), signal);
  }

  /** Answers how many `done` there will have been when the utterance is over. */
  async #sendFinal(): Promise<number> {
    const bytes = joined(this.#rest, this.#intake.flush());
    this.#rest = NO_BYTES;
    if (bytes.length > 0) await this.#append(bytes, undefined);
    const doneCount = this.#doneCount + (this.#state === 'idle' ? 0 : 1);
    if (this.#state !== 'open') return doneCount;
    this.#state = 'ending';
    await this.#write(encodeClientEvent({ type: 'input_audio_buffer.commit', final: true }), undefined);
    // A quick server has answered already.
    if (this.#doneCount < doneCount) {
      const { startMs, endMs } = this.span;
      this.#arm(this.#finishTimeoutMs + endMs - startMs);
    }
    return doneCount;
  }

  async #write(text: string, signal: AbortSignal | undefined): Promise<void> {
    this.#throwIfFailed();
    this.#arm(CLIENT_LIMITS.sendTimeoutMs);
    try {
      await abortable(this.#connection.send(text, { signal: this.#stopped.signal }), signal);
    } catch (error) {
      throwIfAborted(signal);
      this.#onFailure(error);
      this.#throwIfFailed();
      throw error;
    } finally {
      this.#disarm();
    }
  }

  /** One wait at a time is bounded: for a message to be written, or for the server's `done`. */
  #arm(timeoutMs: number): void {
    this.#disarm();
    this.#deadline = new Deadline(timeoutMs, () => {
      this.#onFailure(new ClientError('timeout', 'The server did not take the audio or answer in time.'));
    });
    this.#deadline.restart();
  }

  #disarm(): void {
    this.#deadline?.clear();
    this.#deadline = undefined;
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
