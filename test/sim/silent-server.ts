import type { ScriptedUtterance } from '@kikitori/engine';
import type { Connection } from '@kikitori/transport';
import type { Speaker, Step } from '../vllm/generation.js';
import { type StandInOptions, VllmStandIn } from '../vllm/stand-in.js';
import { heardFrom, Listener } from './hearing.js';

const STEP_MS = 80;

interface Token {
  readonly text: string;
  readonly atMs: number;
}

/** How such a server is. */
export interface SilentServerOptions {
  readonly script: readonly ScriptedUtterance[];
  readonly onFlaw: (what: string) => void;
  /** Whatever else decides how it behaves. */
  readonly traits?: StandInOptions;
}

/**
 * vLLM as a client sees it (`test/vllm/stand-in.ts`), with a model that hears the script: words in pieces and half a second
 * late. A server of its own for each connection.
 */
export async function serveSilently(
  connection: Connection,
  { script, onFlaw, traits }: SilentServerOptions,
): Promise<void> {
  const openSpeaker = (): Speaker => new ScriptSpeaker(script, onFlaw);
  await new VllmStandIn({ ...traits, openSpeaker, onFlaw }).serve(connection);
}

/** Says of one utterance what the script says of its audio. */
export class ScriptSpeaker implements Speaker {
  readonly #script: readonly ScriptedUtterance[];
  readonly #listener: Listener;
  #tokens: Token[] = [];

  constructor(script: readonly ScriptedUtterance[], onFlaw: (what: string) => void) {
    this.#script = script;
    this.#listener = new Listener(onFlaw);
  }

  hear(samples: Int16Array): void {
    const isFirst = this.#listener.startMs === undefined;
    this.#listener.hear(samples);
    if (isFirst) this.#tokens = tokensOf(heardFrom(this.#script, this.#listener.startMs ?? 0));
  }

  /** A piece that was spoken, and long enough ago, or nothing; with the last step, what is left. */
  speak({ index, samples, isLast }: Step): string {
    const isDue = ({ atMs }: Token): boolean => atMs <= Math.min(samples / 16, (index + 1) * STEP_MS);
    let text = '';
    for (;;) {
      const [next] = this.#tokens;
      if (next === undefined || !(isLast ? next.atMs <= samples / 16 : isDue(next))) return text;
      this.#tokens.shift();
      text += next.text;
      if (!isLast) return text;
    }
  }
}

/** Words in pieces of at most three characters, each due when its share of the word has been spoken. */
function tokensOf(script: readonly ScriptedUtterance[]): Token[] {
  return script.flatMap(({ words }) =>
    words.flatMap(({ text, startMs, endMs }) => {
      const pieces = ` ${text}`.match(/.{1,4}/g) ?? [];
      return pieces.map((piece, index) => ({
        text: piece,
        atMs: startMs + ((endMs - startMs) * (index + 1)) / pieces.length,
      }));
    }),
  );
}
