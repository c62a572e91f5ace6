/** What stands at the other end of an upstream engine in these tests. */
import { createScriptedEngine, type ScriptedEngine, type ScriptedUtterance } from '@kikitori/engine';
import { serveConnection } from '@kikitori/server';
import { type Connect, type Connection, createMemoryPair } from '@kikitori/transport';
import type { Speaker } from '../../../test/vllm/generation.js';
import { type StandInOptions, VllmStandIn } from '../../../test/vllm/stand-in.js';
import { LoudnessSpeaker, type Pieces } from './loudness-speaker.js';

/** Our own server in front of a scripted engine, in this process. */
export function ourServer(script: readonly ScriptedUtterance[]): {
  readonly connect: Connect;
  readonly engine: ScriptedEngine;
} {
  const engine = createScriptedEngine({ script });
  const connect: Connect = async () => {
    const { near, far } = createMemoryPair();
    serveConnection(far, { engine });
    return near;
  };
  return { connect, engine };
}

/** What one connection to something like vLLM was sent, and what was found wrong with it. */
export interface Heard {
  readonly flaws: string[];
  /** Samples of each utterance that was ended. */
  readonly utterances: Int16Array[];
}

/** How such a server is. */
export interface VllmLikeOptions extends Pick<StandInOptions, 'clock' | 'stepMs'> {
  readonly pieces: Pieces;
}

/** Something that behaves like vLLM, what each of its connections heard by its end, and its ends of them. */
export function vllmLike({ pieces, ...traits }: VllmLikeOptions): {
  readonly connect: Connect;
  readonly heard: Promise<Heard>[];
  readonly ends: Connection[];
} {
  const heard: Promise<Heard>[] = [];
  const ends: Connection[] = [];
  const serve = async (connection: Connection): Promise<Heard> => {
    const flaws: string[] = [];
    const utterances: Int16Array[] = [];
    let stretches = 0;
    const openSpeaker = (): Speaker =>
      new LoudnessSpeaker(
        (peak) => pieces(stretches++, peak),
        (samples) => utterances.push(samples),
      );
    await new VllmStandIn({ ...traits, openSpeaker, onFlaw: (what) => flaws.push(what) }).serve(connection);
    return { flaws, utterances };
  };
  const connect: Connect = async () => {
    const { near, far } = createMemoryPair();
    heard.push(serve(far));
    ends.push(far);
    return near;
  };
  return { connect, heard, ends };
}

/** Speech (+, or a digit for how loud) and silence (-), each sign 100 ms, 16 kHz. */
export function sound(picture: string): Float32Array {
  const samples = new Float32Array(picture.length * 1_600);
  for (const [index, sign] of [...picture].entries()) {
    const level = sign === '-' ? 20 : sign === '+' ? 8_000 : Number(sign) * 2_000;
    for (let at = index * 1_600; at < (index + 1) * 1_600; at += 1) {
      // Numbered, so that what arrives can be told from what was sent.
      samples[at] = (level * (at % 2 === 0 ? 1 : -1) + (at % 7)) / 32_768;
    }
  }
  return samples;
}
