/** vLLM as a client sees it, deaf: a delta for every 80 ms of audio, words when the test's audio was loud. */
import { decodeBase64, pcm16ToInt16 } from '@kikitori/audio';
import { encodeServerEvent, parseClientEvent, type ServerEvent } from '@kikitori/protocol';
import type { Connection } from '@kikitori/transport';

const STEP_SAMPLES = 1_280;
const FIRST_STEP_SAMPLES = 9_000;
const TAIL_STEPS = 17;
const LOUD = 1_000;

/** What such a server was sent, and what it found wrong with it. */
export interface Heard {
  readonly flaws: string[];
  /** Samples of each utterance that was ended. */
  readonly utterances: Int16Array[];
}

/** How it writes. */
export interface StandInOptions {
  /** Text of the next stretch of loud audio, in pieces, one delta each; `peak`: how loud it was, 16-bit. */
  readonly pieces: (stretch: number, peak: number) => readonly string[];
  /** Waits before it answers a `final`. */
  readonly beforeAnswer?: () => Promise<void>;
}

/** Answers until the connection ends. Audio outside of an utterance, and behind a `final`, is lost, as in vLLM. */
export async function serveLikeVllm(
  connection: Connection,
  { pieces, beforeAnswer }: StandInOptions,
): Promise<Heard> {
  const heard: Heard = { flaws: [], utterances: [] };
  let generation: Generation | undefined;
  let stretches = 0;
  let ending: Promise<void> = Promise.resolve();
  const tell = (event: ServerEvent): Promise<void> => connection.send(encodeServerEvent(event));
  const finish = async (ended: Generation): Promise<void> => {
    await beforeAnswer?.();
    for (const delta of ended.tail()) await tell({ type: 'transcription.delta', delta });
    const { text, steps } = ended;
    const usage = {
      prompt_tokens: 39,
      total_tokens: 39 + steps,
      completion_tokens: steps,
      prompt_tokens_details: null,
    };
    heard.utterances.push(ended.samples);
    generation = undefined;
    await tell({ type: 'transcription.done', text, usage });
  };
  try {
    await tell({ type: 'session.created', id: 'sess-0123456789abcdef', created: 1 });
    for await (const message of connection.messages) {
      const event = parseClientEvent(String(message));
      if (event.type === 'input_audio_buffer.append') {
        const samples = pcm16ToInt16(decodeBase64(event.audio));
        if (generation === undefined || generation.isEnded) heard.flaws.push('audio was lost');
        for (const delta of generation?.hear(samples) ?? [])
          await tell({ type: 'transcription.delta', delta });
      } else if (event.type === 'input_audio_buffer.commit') {
        if (!event.final) {
          if (generation !== undefined) heard.flaws.push('a commit in a running utterance');
          generation ??= new Generation((peak) => pieces(stretches++, peak));
        } else if (generation === undefined) {
          heard.flaws.push('a final without an utterance');
        } else {
          generation.isEnded = true;
          ending = finish(generation);
        }
      }
    }
    await ending;
  } catch {
    // The way to the relay was lost.
  }
  return heard;
}

class Generation {
  isEnded = false;
  text = '';
  steps = 0;
  readonly #next: (peak: number) => readonly string[];
  readonly #waiting: { readonly piece: string; readonly step: number }[] = [];
  readonly #parts: Int16Array[] = [];
  #length = 0;
  #wasLoud = false;
  #peak = 0;

  constructor(next: (peak: number) => readonly string[]) {
    this.#next = next;
  }

  get samples(): Int16Array {
    const whole = new Int16Array(this.#length);
    let filled = 0;
    for (const part of this.#parts) {
      whole.set(part, filled);
      filled += part.length;
    }
    return whole;
  }

  hear(samples: Int16Array): string[] {
    this.#look(samples);
    this.#parts.push(samples);
    this.#length += samples.length;
    const deltas: string[] = [];
    while (FIRST_STEP_SAMPLES + this.steps * STEP_SAMPLES <= this.#length) deltas.push(this.#step());
    return deltas;
  }

  tail(): string[] {
    const deltas: string[] = [];
    for (let step = 0; step < TAIL_STEPS || this.#waiting.length > 0; step += 1) deltas.push(this.#step());
    return deltas;
  }

  /** A stretch has its words once it is over. */
  #look(samples: Int16Array): void {
    for (let at = 0; at < samples.length; at += 16) {
      const level = Math.abs(samples[at] ?? 0);
      const isLoud = level > LOUD;
      if (isLoud) this.#peak = Math.max(this.#peak, level);
      if (this.#wasLoud && !isLoud) {
        const step = Math.ceil((this.#length + at) / STEP_SAMPLES);
        this.#waiting.push(...this.#next(this.#peak).map((piece) => ({ piece, step })));
        this.#peak = 0;
      }
      this.#wasLoud = isLoud;
    }
  }

  #step(): string {
    this.steps += 1;
    const isDue = (this.#waiting[0]?.step ?? Number.POSITIVE_INFINITY) <= this.steps;
    const delta = isDue ? (this.#waiting.shift()?.piece ?? '') : '';
    this.text += delta;
    return delta;
  }
}
