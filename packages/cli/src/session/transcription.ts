import { Framer, measureLevel, SPEECH_RATE_HZ } from '@kikitori/audio';
import { type PaceRate, pace } from '@kikitori/client';
import { languageNames } from '@kikitori/protocol/languages';
import type { SpeechSource } from '../audio/source.js';
import type { Context } from '../context.js';
import { FRAME_SAMPLES, INTERRUPT_DRAIN_MS, LEVELS_KEPT } from '../limits.js';
import type { Display } from '../terminal/display.js';
import { speechRow } from '../terminal/status-row.js';
import type { Summary, TranscriptOutput } from '../transcript/output.js';
import { Timeline } from '../transcript/timeline.js';
import { asCliError } from './client-failure.js';
import type { HeardEvent, SpeechLink } from './link.js';

/** One run from the first sample to the last word. */
export interface TranscriptionOptions {
  readonly source: SpeechSource;
  readonly link: SpeechLink;
  readonly output: TranscriptOutput;
  readonly display: Display;
  /** How fast audio is sent. Sound that comes by itself as it is spoken is sent with `max`. */
  readonly pace: PaceRate;
}

/** Before this much time the speed is a guess. */
const SPEED_KNOWN_MS = 500;

const MS_PER_SAMPLE = 1000 / SPEECH_RATE_HZ;

/**
 * Sends the source, writes what is heard, and closes both. Resolves with the summary when everything was answered, or
 * when `context.signal` interrupted it: the words of the audio that was sent are then waited for only a moment, and
 * the output is ended in order either way. Rejects when the source or the session fails, after the output was ended.
 */
export async function runTranscription(options: TranscriptionOptions, context: Context): Promise<Summary> {
  return await new Transcription(options, context).run();
}

class Transcription {
  readonly #options: TranscriptionOptions;
  readonly #context: Context;
  readonly #record: Timeline;
  readonly #laneCount: number;
  readonly #levelsDb: number[] = [];
  #startMs: number | undefined;
  #lastSentAtMs: number | undefined;
  #sentSamples = 0;
  #reconnects = 0;
  #isDoubtNoted = false;

  constructor(options: TranscriptionOptions, context: Context) {
    const { lanes } = options.source;
    this.#options = options;
    this.#context = context;
    this.#record = new Timeline(lanes);
    this.#laneCount = lanes?.labels.length ?? 1;
  }

  async run(): Promise<Summary> {
    const { link, source, output, display } = this.#options;
    const ended = new AbortController();
    try {
      const listening = this.#listen().finally(() => ended.abort());
      const speaking = this.#speak(ended.signal).finally(() => link.close());
      const [heard, spoken] = await Promise.allSettled([listening, speaking]);
      // What the server said before it hung up tells more than that nothing more could be sent.
      if (heard.status === 'rejected') throw asCliError(heard.reason, link);
      if (spoken.status === 'rejected') throw asCliError(spoken.reason, link);
    } finally {
      await Promise.allSettled([link.close(), source.close()]);
      for (const rest of this.#record.closeOpen(this.#sentMs)) output.change(rest, this.#nowMs());
      display.tail('', '');
      display.status(undefined);
      display.close();
      output.end(this.#summary());
      await this.#context.stdout.drained();
    }
    return this.#summary();
  }

  /** `ended`: nobody listens any more, so there is no use in sending. */
  async #speak(ended: AbortSignal): Promise<void> {
    const { source, pace: rate } = this.#options;
    const { signal: interrupted, clock } = this.#context;
    const signal = AbortSignal.any([interrupted, ended]);
    const frameSamples = FRAME_SAMPLES * this.#laneCount;
    const sampleRateHz = SPEECH_RATE_HZ * this.#laneCount;
    const frames = pace(framesOf(source.samples, frameSamples), { rate, sampleRateHz, signal, clock });
    // Not `for await`: leaving such a loop waits for a pipe that gives nothing.
    while (!signal.aborted) {
      const next = await orInterrupted(frames.next(), signal);
      if (next === undefined || next.done === true) break;
      // Frames come out as they went in.
      await this.#send(next.value as Float32Array, signal);
    }
    await this.#finish(ended);
  }

  async #send(frame: Float32Array, signal: AbortSignal): Promise<void> {
    this.#startMs ??= this.#context.clock.nowMs();
    await orInterrupted(this.#options.link.send(frame), signal);
    this.#sentSamples += frame.length / this.#laneCount;
    this.#lastSentAtMs = this.#context.clock.nowMs();
    this.#levelsDb.push(measureLevel(frame).rmsDbfs);
    if (this.#levelsDb.length > LEVELS_KEPT) this.#levelsDb.shift();
    this.#showStatus();
  }

  /** Waits for the last word; once interrupted, only for a moment. */
  async #finish(ended: AbortSignal): Promise<void> {
    const { signal: interrupted, clock } = this.#context;
    const givenUp = new AbortController();
    let cancel: (() => void) | undefined;
    const onInterrupt = (): void => {
      cancel = clock.after(INTERRUPT_DRAIN_MS, () => givenUp.abort());
    };
    if (interrupted.aborted) onInterrupt();
    else interrupted.addEventListener('abort', onInterrupt, { once: true });
    try {
      await this.#options.link.finish({ signal: AbortSignal.any([ended, givenUp.signal]) });
    } catch (error) {
      // Given up on: the transcript so far is what there is.
      if (!interrupted.aborted) throw error;
    } finally {
      cancel?.();
      interrupted.removeEventListener('abort', onInterrupt);
    }
  }

  async #listen(): Promise<void> {
    const { link, output } = this.#options;
    try {
      for await (const event of link.heard) {
        this.#noteBreak(event);
        this.#noteDoubt(event);
        const changes = this.#record.add(event, this.#nowMs(), this.#sentMs);
        for (const change of changes) output.change(change, this.#nowMs());
        this.#showStatus();
        await this.#context.stdout.drained();
      }
    } catch (error) {
      if (!this.#context.signal.aborted) throw error;
    }
  }

  /** What happened to the line, as a remark: nothing of it changes the transcript, but a gap. */
  #noteBreak(event: HeardEvent): void {
    const { display } = this.#options;
    if (event.type === 'disconnect') {
      display.note(
        event.error.code === 'limit_reached'
          ? 'The model bears no longer utterance and ended it; the rest is sent again, and what follows is parted before.'
          : 'The connection was lost; audio is kept, and another one is sought.',
      );
    } else if (event.type === 'reconnect') {
      if (!event.isPlanned) this.#reconnects += 1;
      const what = event.isPlanned ? 'A new connection took over' : 'Connected again';
      display.note(`${what}; audio is sent from ${seconds(event.fromMs)} s on.`);
    } else if (event.type === 'gap') {
      const span = `${seconds(event.startMs)} s to ${seconds(event.endMs)} s`;
      display.note(`Audio from ${span} is lost: more had to be kept than fits.`);
    } else if (event.type === 'ambiguous') {
      const from = seconds(event.fromMs);
      display.note(
        `From ${from} s on the server heard other words than before; some may be doubled or missing.`,
      );
    }
  }

  /** What does not sound like a language that the model hears: once for each run of such utterances. */
  #noteDoubt(event: HeardEvent): void {
    if (event.type !== 'delta' && event.type !== 'utterance') return;
    const isUnsure = event.unsure === true;
    if (isUnsure && !this.#isDoubtNoted) {
      const { display, link } = this.#options;
      const atMs = (event.type === 'utterance' ? event.endMs : event.audioMs) ?? this.#sentMs;
      const heard = link.languages.length === 0 ? 'what the model hears' : languageNames(link.languages);
      display.note(
        `At ${seconds(atMs)} s: this does not sound like ${heard}; what is written may be invented.`,
      );
    }
    // The first words of an utterance tell nothing yet.
    if (isUnsure || event.type === 'utterance') this.#isDoubtNoted = isUnsure;
  }

  get #sentMs(): number {
    return this.#sentSamples * MS_PER_SAMPLE;
  }

  /** Since the first audio was sent. */
  #nowMs(): number {
    return this.#startMs === undefined ? 0 : this.#context.clock.nowMs() - this.#startMs;
  }

  #showStatus(): void {
    const { display, source, pace } = this.#options;
    if (!display.isLive) return;
    display.status((cells) => {
      const { settledMs, isWithoutPlaces } = this.#record;
      // A server that tells no places of audio has mostly heard what it was sent.
      const doneMs = settledMs ?? (isWithoutPlaces ? this.#sentMs : 0);
      const isAhead = source.durationMs !== undefined && pace === 'max';
      const elapsedMs = this.#nowMs();
      const status = {
        sentMs: this.#sentMs,
        doneMs,
        totalMs: source.durationMs,
        // What is sent as fast as it is taken waits by intent.
        lagMs: settledMs === undefined || isAhead ? undefined : Math.max(0, this.#sentMs - settledMs),
        speed: elapsedMs > SPEED_KNOWN_MS ? doneMs / elapsedMs : undefined,
        levelsDb: this.#levelsDb,
      };
      return speechRow(status, cells, display.style);
    });
  }

  #summary(): Summary {
    const { text, utterances, firstDeltaAtMs, lastTextAtMs } = this.#record;
    const sentAtMs = (this.#lastSentAtMs ?? 0) - (this.#startMs ?? 0);
    return {
      text,
      utterances,
      audioMs: this.#sentMs,
      firstDeltaMs: firstDeltaAtMs,
      finalMs: lastTextAtMs === undefined ? undefined : Math.max(0, lastTextAtMs - sentAtMs),
      reconnects: this.#reconnects,
    };
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

/** Even blocks, so that pace, level and progress are even; the last one may be shorter. */
async function* framesOf(
  samples: AsyncIterable<Float32Array>,
  frameSamples: number,
): AsyncGenerator<Float32Array> {
  const framer = new Framer(frameSamples);
  for await (const block of samples) yield* framer.push(block);
  const rest = framer.flush();
  if (rest !== undefined) yield rest;
}

/** What `promise` gives, or undefined once the signal is aborted: then it is left to itself. */
async function orInterrupted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    return undefined;
  }
  return await new Promise<T | undefined>((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
