import type {
  DecodeRequest,
  DecodeResult,
  Decoder,
  HeardWord,
  Token,
  Vocabulary,
  VoiceDetector,
  VoiceRequest,
  VoiceResult,
} from './decoder.js';
import { VOICE_FRAME_SAMPLES } from './decoder.js';
import { EngineError } from './errors.js';

const SAMPLES_PER_MS = 16;
/** A word is a run of samples of one value, loud enough that it is not made louder … */
const LOUD = 1 / 4;
/** … and this much more for each place in the list: exact in 32-bit floats. */
const STEP = 1 / 8192;
/** Less of a word than this is not heard. */
const HEARD_SAMPLES_MIN = 60 * SAMPLES_PER_MS;

/** A word and when it is said, in milliseconds. */
export interface ScriptedSpeech {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
}

interface Run {
  readonly token: Token;
  readonly end: number;
  /** The audio ends before the word does. */
  readonly isCut: boolean;
}

/**
 * A model that hears made-up speech perfectly, but for a word that its window cuts off: that it takes for another one each
 * time, as real ones do. It lets the whole of an engine run where there is no model: what `LocalEngine` does with its
 * answers is the same.
 */
export class ScriptedModel {
  readonly #words: readonly string[];
  #guesses = 0;

  /** `words`: all that can be said, each once. */
  constructor(words: readonly string[]) {
    this.#words = words;
  }

  /** Sound of words that do not overlap, with silence around them. */
  say(speech: readonly ScriptedSpeech[], lengthMs: number): Float32Array {
    const audio = new Float32Array(lengthMs * SAMPLES_PER_MS);
    for (const { text, startMs, endMs } of speech) {
      const place = this.#words.indexOf(text);
      if (place < 0) throw new TypeError(`the script does not know the word ${text}`);
      audio.fill(LOUD + place * STEP, startMs * SAMPLES_PER_MS, endMs * SAMPLES_PER_MS);
    }
    return audio;
  }

  readonly vocabulary: Vocabulary = {
    words: (tokens, heard) =>
      tokens.map(
        (token, i): HeardWord => ({
          tokens: [token],
          text: this.#words[token] ?? `guess${token}`,
          endMs: heard.endMs[i] ?? 0,
          logProbability: heard.logProbabilities[i] ?? 0,
          entropy: heard.entropies[i] ?? 0,
        }),
      ),
  };

  /** One of its threads. */
  decoder(): Decoder {
    let isClosed = false;
    let pending = 0;
    return {
      isGivenUp: false,
      get pending() {
        return pending;
      },
      decode: async (request) => {
        pending += 1;
        // As a thread answers: not in the same turn.
        await new Promise((resolve) => setImmediate(resolve));
        pending -= 1;
        if (isClosed) throw new EngineError('engine_closed', 'The engine was closed.');
        return this.#hear(request);
      },
      close: async () => {
        isClosed = true;
      },
    };
  }

  /** Tells its words from silence. */
  voice(): VoiceDetector {
    return {
      begin: () => undefined,
      listen: async ({ samples }: VoiceRequest): Promise<VoiceResult> => {
        const probabilities = Float32Array.from({ length: samples.length / VOICE_FRAME_SAMPLES }, (_, i) => {
          return samples[(i + 0.5) * VOICE_FRAME_SAMPLES] === 0 ? 0.02 : 0.95;
        });
        return { probabilities, state: undefined };
      },
      close: async () => undefined,
    };
  }

  #hear({ samples, prefix, tokensMax }: DecodeRequest): DecodeResult {
    const heard = runsIn(samples).map(({ token, end, isCut }) => ({
      token: isCut ? this.#guess() : token,
      endMs: end / SAMPLES_PER_MS,
    }));
    const tail = heard.slice(prefix.length, prefix.length + tokensMax);
    return {
      tokens: tail.map(({ token }) => token),
      logProbabilities: tail.map(() => -0.1),
      entropies: tail.map(() => 0.2),
      endMs: heard.slice(0, prefix.length + tokensMax).map(({ endMs }) => endMs),
      ended: heard.length <= prefix.length + tokensMax,
    };
  }

  #guess(): Token {
    this.#guesses += 1;
    return this.#words.length + this.#guesses;
  }
}

function runsIn(samples: Float32Array): Run[] {
  const runs: Run[] = [];
  let start = 0;
  for (let at = 1; at <= samples.length; at += 1) {
    const value = samples[start] ?? 0;
    if (at < samples.length && samples[at] === value) continue;
    if (value !== 0 && at - start >= HEARD_SAMPLES_MIN) {
      runs.push({ token: Math.round((value - LOUD) / STEP), end: at, isCut: at === samples.length });
    }
    start = at;
  }
  return runs;
}
