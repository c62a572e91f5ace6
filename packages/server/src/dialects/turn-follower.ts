import type { Notice, PlacedWord } from '../session/state.js';

/** What is being said by one voice. */
export interface Turn {
  /** Stable. */
  readonly words: readonly PlacedWord[];
  /** Behind them, and may still change; may be empty. */
  readonly tail: string;
  readonly startMs: number;
  /** It does not sound like a language that the model hears. */
  readonly isUnsure: boolean;
}

/** What a client that thinks in turns is told. */
export type TurnEvent =
  /** Somebody speaks who did not before. */
  | { readonly type: 'started'; readonly startMs: number }
  /** The turn so far. */
  | { readonly type: 'said'; readonly turn: Turn }
  /** All of it, without a tail; without words where it was no speech, or nothing was said before a forced end. */
  | {
      readonly type: 'ended';
      readonly turn: Turn;
      readonly endMs: number;
      /** The client asked for it; else there was a pause. */
      readonly isForced: boolean;
    };

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

/** An utterance that is over, and was not told yet. */
type Held = Omit<Extract<TurnEvent, { readonly type: 'ended' }>, 'type' | 'isForced'>;

const NOTHING: Turn = { words: [], tail: '', startMs: 0, isUnsure: false };

/**
 * Follows what one lane of a session is told, as turns: utterances that end at a pause, or when the client says so. The end that
 * a client asks for is one: the last utterance before the answer carries it.
 */
export class TurnFollower {
  #turn: Turn = NOTHING;
  #isStarted = false;
  /** Ends that were asked for and are not answered. */
  #forced = 0;
  #held: Held | undefined;
  /** Where the last turn ended. */
  #endedMs = 0;

  /** The client asked for an end: a `done` answers it. */
  force(): void {
    this.#forced += 1;
  }

  follow(notice: Notice): readonly TurnEvent[] {
    switch (notice.type) {
      case 'onset':
        return this.#start(notice.startMs);
      case 'delta':
        return this.#say(notice);
      case 'partial':
        return this.#guess(notice.text);
      case 'utterance':
        return this.#end(notice);
      case 'done':
        return this.#answer(notice.audioMs);
      case 'fault':
        // What was shown stays, and who waits for an answer waits no longer.
        return notice.fault === 'engine_failed' ? this.#answer(this.#endedMs) : [];
      default:
        return [];
    }
  }

  #start(startMs: number): TurnEvent[] {
    if (this.#isStarted) return [];
    const events = this.#release();
    this.#isStarted = true;
    this.#turn = { ...NOTHING, startMs };
    return [...events, { type: 'started', startMs }];
  }

  #say({ words, unsure }: NoticeOf<'delta'>): TurnEvent[] {
    const events = this.#start(words[0]?.startMs ?? this.#endedMs);
    this.#turn = {
      words: [...this.#turn.words, ...words],
      tail: '',
      startMs: Math.min(this.#turn.startMs, words[0]?.startMs ?? this.#turn.startMs),
      isUnsure: this.#turn.isUnsure || unsure === true,
    };
    return [...events, { type: 'said', turn: this.#turn }];
  }

  #guess(tail: string): TurnEvent[] {
    if (tail === this.#turn.tail) return [];
    const events = tail === '' ? [] : this.#start(this.#endedMs);
    this.#turn = { ...this.#turn, tail };
    return [...events, { type: 'said', turn: this.#turn }];
  }

  #end({ words, startMs, endMs, unsure }: NoticeOf<'utterance'>): TurnEvent[] {
    const events = this.#release();
    this.#take({ turn: { words, tail: '', startMs, isUnsure: unsure === true }, endMs });
    return this.#forced > 0 ? events : [...events, ...this.#release()];
  }

  #answer(audioMs: number): TurnEvent[] {
    const { words } = this.#turn;
    if (words.length > 0) {
      const endMs = Math.max(audioMs, words.at(-1)?.endMs ?? 0);
      this.#take({ turn: { ...this.#turn, tail: '' }, endMs });
    } else if (this.#isStarted) {
      this.#take({ turn: { ...NOTHING, startMs: this.#turn.startMs }, endMs: audioMs });
    }
    if (this.#forced === 0) return this.#release();
    this.#forced -= 1;
    const startMs = Math.min(this.#endedMs, audioMs);
    const held = this.#held ?? { turn: { ...NOTHING, startMs }, endMs: audioMs };
    // All of the audio is answered.
    this.#held = { ...held, endMs: Math.max(held.endMs, audioMs) };
    return this.#release(true);
  }

  #take(held: Held): void {
    this.#held = held;
    this.#turn = NOTHING;
    this.#isStarted = false;
  }

  #release(isForced = false): TurnEvent[] {
    const held = this.#held;
    if (held === undefined) return [];
    this.#held = undefined;
    this.#endedMs = Math.max(this.#endedMs, held.endMs);
    return [{ type: 'ended', ...held, isForced }];
  }
}
