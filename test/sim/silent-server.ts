import { decodeBase64, pcm16ToInt16 } from '@kikitori/audio';
import type { ScriptedUtterance } from '@kikitori/engine';
import { encodeServerEvent, parseClientEvent, type ServerEvent } from '@kikitori/protocol';
import type { Connection } from '@kikitori/transport';
import { heardFrom, Listener } from './hearing.js';

const STEP_SAMPLES = 1_280;
/** Audio before the first step: 562.5 ms. */
const FIRST_STEP_SAMPLES = 9_000;
const STEP_MS = 80;
const TAIL_STEPS = 17;

interface Token {
  readonly text: string;
  readonly atMs: number;
}

/** How such a server is. */
export interface SilentServerOptions {
  readonly script: readonly ScriptedUtterance[];
  readonly onFlaw: (what: string) => void;
}

/**
 * vLLM as a client sees it: a delta for every 80 ms of audio, most of them empty, words in pieces and half a second
 * late, no positions, audio between `final` and `done` dropped, a `commit` during an utterance ignored.
 */
export async function serveSilently(connection: Connection, options: SilentServerOptions): Promise<void> {
  const generation = new Generation(connection, options);
  try {
    await tell(connection, { type: 'session.created', id: 'sess-0123456789abcdef', created: 1 });
    for await (const message of connection.messages) {
      const event = parseClientEvent(String(message));
      if (event.type === 'input_audio_buffer.append') await generation.hear(event.audio);
      else if (event.type === 'input_audio_buffer.commit') await generation.commit(event.final);
      else if (event.type === 'invalid') options.onFlaw('the client said something invalid');
    }
  } catch {
    // The line was lost, or the server was killed.
  }
}

function tell(connection: Connection, event: ServerEvent): Promise<void> {
  return connection.send(encodeServerEvent(event));
}

class Generation {
  readonly #connection: Connection;
  readonly #options: SilentServerOptions;
  #isRunning = false;
  #listener: Listener;
  #tokens: Token[] = [];
  #samples = 0;
  #steps = 0;
  #text = '';

  constructor(connection: Connection, options: SilentServerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#listener = new Listener(options.onFlaw);
  }

  async commit(isFinal: boolean): Promise<void> {
    if (!isFinal) {
      if (this.#isRunning) this.#options.onFlaw('a commit in a running utterance');
      this.#isRunning = true;
      return;
    }
    if (!this.#isRunning) {
      this.#options.onFlaw('a final without an utterance');
      return;
    }
    for (let step = 0; step < TAIL_STEPS || this.#isDue(); step += 1) await this.#step();
    const usage = { prompt_tokens: 39, completion_tokens: this.#steps, total_tokens: 39 + this.#steps };
    const done = { type: 'transcription.done', text: this.#text } as const;
    await tell(this.#connection, { ...done, usage: { ...usage, prompt_tokens_details: null } });
    this.#isRunning = false;
    this.#listener = new Listener(this.#options.onFlaw);
    this.#tokens = [];
    this.#samples = 0;
    this.#steps = 0;
    this.#text = '';
  }

  async hear(audio: string): Promise<void> {
    if (!this.#isRunning) this.#options.onFlaw('audio outside of an utterance');
    const samples = pcm16ToInt16(decodeBase64(audio));
    const isFirst = this.#listener.startMs === undefined;
    this.#listener.hear(samples);
    if (isFirst) this.#tokens = tokensOf(heardFrom(this.#options.script, this.#listener.startMs ?? 0));
    this.#samples += samples.length;
    while (FIRST_STEP_SAMPLES + this.#steps * STEP_SAMPLES <= this.#samples) await this.#step();
  }

  /** A piece that was spoken, and long enough ago, or nothing. */
  async #step(): Promise<void> {
    this.#steps += 1;
    const delta = this.#isDue() ? (this.#tokens.shift()?.text ?? '') : '';
    this.#text += delta;
    await tell(this.#connection, { type: 'transcription.delta', delta });
  }

  #isDue(): boolean {
    const atMs = this.#tokens[0]?.atMs ?? Number.POSITIVE_INFINITY;
    return atMs <= Math.min(this.#samples / 16, this.#steps * STEP_MS);
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
