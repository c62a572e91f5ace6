/**
 * The engine in virtual time: threads that take as long as the model's measured times and hear a script perfectly.
 * Every speaker says the same script; what differs is the pace at which they send it.
 */

import type {
  DecodeRequest,
  DecodeResult,
  Decoder,
  Hypothesis,
  SpeechStream,
  VoiceDetector,
  VoiceRequest,
  VoiceResult,
} from '../../src/index.js';
import { LocalEngine } from '../../src/recognition/local-engine.js';
import { Lexicon, WORDS } from './lexicon.js';
import { Scene, speak } from './scene.js';
import { VirtualClock } from './virtual-clock.js';

const PER_MS = 16;
const FRAME = 512;
const CHUNK_MS = 160;
/** Base on one core: so much of a second of its window, and of each new token. */
const WINDOW_COST = 0.035;
const TOKEN_MS = 7;
const VAD_FRAME_MS = 0.2;

/** Short and long sentences with a breath between them, for half an hour. */
export const SCRIPT = speak(
  Array.from({ length: 4500 }, (_, i) => ({ gapMs: i % 30 === 6 || i % 30 === 0 ? 900 : 60, lengthMs: 280 })),
);

/** How likely there is speech in each frame of it. */
const VOICE = new Float32Array(Math.ceil(((SCRIPT.at(-1)?.endMs ?? 0) * PER_MS) / FRAME)).fill(0.02);
for (const { startMs, endMs } of SCRIPT) {
  VOICE.fill(0.95, Math.ceil((startMs * PER_MS) / FRAME), Math.floor((endMs * PER_MS) / FRAME));
}

/** Audio whose every sample is its own number: one for all who send, as long as the one who came farthest needs it. */
let numbers = new Float32Array(0);

function audioOf(from: number, until: number): Float32Array {
  if (numbers.length < until) {
    const longer = new Float32Array(2 * until);
    for (let at = 0; at < longer.length; at += 1) longer[at] = at;
    numbers = longer;
  }
  return numbers.subarray(from, until);
}

/** So many cores, for whoever works at the moment. */
class Machine {
  readonly clock = new VirtualClock();
  readonly cores: number;
  working = 0;

  constructor(cores: number) {
    this.cores = cores;
  }

  async work(ms: number): Promise<void> {
    this.working += 1;
    await this.clock.pass(ms * Math.max(1, this.working / this.cores));
    this.working -= 1;
  }
}

/** Hears the script, and takes its time. */
class ScriptedDecoder implements Decoder, VoiceDetector {
  readonly #machine: Machine;
  readonly #model = new Scene(SCRIPT);
  readonly isGivenUp = false;
  pending = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** One thing after the other. */
  #tail: Promise<void> = Promise.resolve();

  async decode(request: DecodeRequest): Promise<DecodeResult> {
    const result = this.#model.hear(request);
    await this.#take((request.samples.length / PER_MS) * WINDOW_COST + result.tokens.length * TOKEN_MS);
    return result;
  }

  begin(): undefined {
    return undefined;
  }

  async listen({ samples, state }: VoiceRequest): Promise<VoiceResult> {
    const probabilities = Float32Array.from({ length: samples.length / FRAME }, (_, i) => {
      return VOICE[(samples[i * FRAME] ?? 0) / FRAME] ?? 0;
    });
    await this.#take(probabilities.length * VAD_FRAME_MS);
    return { probabilities, state };
  }

  async close(): Promise<void> {}

  async #take(ms: number): Promise<void> {
    this.pending += 1;
    this.#tail = this.#tail.then(() => this.#machine.work(ms));
    await this.#tail;
    this.pending -= 1;
  }
}

/** Somebody with a stream: what came of it, and when. */
export class Speaker {
  readonly stream: SpeechStream;
  readonly #clock: VirtualClock;
  readonly #beganAt: number;
  readonly #words: { readonly text: string; readonly endMs: number; readonly atMs: number }[] = [];
  settledMs = 0;
  #sentMs = 0;
  #hasLeft = false;

  constructor(stream: SpeechStream, clock: VirtualClock) {
    this.stream = stream;
    this.#clock = clock;
    this.#beganAt = clock.nowMs();
    void this.#listen();
  }

  /** Sends so much at once. */
  async send(ms: number): Promise<void> {
    const from = this.#sentMs * PER_MS;
    this.#sentMs += ms;
    await this.stream.write(audioOf(from, this.#sentMs * PER_MS));
  }

  /** At the pace of speech, from here on. */
  async speakFor(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= CHUNK_MS) {
      await this.#clock.pass(CHUNK_MS);
      await this.send(CHUNK_MS).catch(() => {});
    }
  }

  /** As fast as it is taken, until it leaves. */
  async pour(): Promise<void> {
    while (!this.#hasLeft) await this.send(2000);
  }

  async leave(): Promise<void> {
    this.#hasLeft = true;
    await this.stream.close();
  }

  /** Of words that end in that part of the audio: how long after they were sent they came, 95th percentile. */
  lagMs(fromMs = 0, toMs = Number.POSITIVE_INFINITY, sentAheadMs = 0): number {
    const lags = this.#words
      .filter(({ endMs }) => endMs >= fromMs && endMs < toMs)
      .map(({ endMs, atMs }) => atMs - (endMs - sentAheadMs))
      .sort((a, b) => a - b);
    return lags[Math.floor(lags.length * 0.95)] ?? Number.NaN;
  }

  get text(): string[] {
    return this.#words.map(({ text }) => text);
  }

  async #listen(): Promise<void> {
    try {
      for await (const said of this.stream.hypotheses) this.#note(said);
    } catch {
      // The engine was closed.
    }
  }

  #note(said: Hypothesis): void {
    this.settledMs = said.settledMs;
    const atMs = this.#clock.nowMs() - this.#beganAt;
    if (said.type === 'words') this.#words.push(...said.words.map((word) => ({ ...word, atMs })));
  }
}

/** What so many spoken words are. */
export function expectedText(count: number): string[] {
  return SCRIPT.slice(0, count).map(({ token }) => WORDS[token] ?? '');
}

/** An engine with so many threads in virtual time, and whoever is there; `run` lets that much of it pass. */
export class Crowd {
  readonly engine: LocalEngine;
  readonly #clock: VirtualClock;

  /** `cores`: what they have to run on, by default one for each. */
  constructor(threads: number, cores = threads + 1) {
    const machine = new Machine(cores);
    this.#clock = machine.clock;
    this.engine = new LocalEngine({
      model: 'virtual',
      languages: ['en'],
      vocabulary: new Lexicon(),
      decoders: Array.from({ length: threads }, () => new ScriptedDecoder(machine)),
      voice: new ScriptedDecoder(machine),
      streamsMax: 64,
      clock: machine.clock,
    });
  }

  async enter(mode: 'live' | 'batch' = 'live'): Promise<Speaker> {
    return new Speaker(await this.engine.open({ mode }), this.#clock);
  }

  /** Speakers who send as fast as they can. */
  async pour(count: number, mode: 'live' | 'batch' = 'live'): Promise<Speaker[]> {
    const pouring = await Promise.all(Array.from({ length: count }, () => this.enter(mode)));
    for (const each of pouring) void each.pour().catch(() => {});
    return pouring;
  }

  run(ms: number): Promise<void> {
    return this.#clock.run(ms);
  }

  async end(): Promise<void> {
    await this.engine.close();
  }
}
