import type { Input, Notice, SessionInput, SessionNotice } from '../session/state.js';
import { RawAudioLanes, type RawAudioLanesOptions } from './raw-audio-lanes.js';
import { type TurnEvent, TurnFollower } from './turn-follower.js';
import { WishRefusal } from './wish-refusal.js';

type Configure = Extract<Input, { readonly type: 'configure' }>;

/** What is the same in dialects whose clients send raw audio in binary messages and are told of turns. */
export interface StreamedTurnsOptions {
  readonly audio: RawAudioLanesOptions;
  readonly configure: Configure;
}

/** A turn's event, and whose voice it is. */
export interface VoiceEvent {
  readonly lane: number;
  readonly event: TurnEvent;
}

/** Reads audio and ends of turns to inputs of the session, and its notices to events of turns. */
export class StreamedTurns {
  readonly #configure: Configure;
  readonly #lanes: RawAudioLanes;
  readonly #followers: readonly TurnFollower[];
  #isOpen = false;
  #isBegun = false;
  readonly #refusal = new WishRefusal();

  /** Audio out of bounds → `AudioError` `invalid_argument`. */
  constructor({ audio, configure }: StreamedTurnsOptions) {
    this.#configure = configure;
    this.#lanes = new RawAudioLanes(audio);
    this.#followers = (this.#lanes.labels ?? ['']).map(() => new TurnFollower());
  }

  /** Of each voice so far. */
  get receivedMs(): number {
    return this.#lanes.receivedMs;
  }

  get voices(): number {
    return this.#followers.length;
  }

  push(bytes: Uint8Array): readonly SessionInput[] {
    const appends = this.#lanes.push(bytes);
    if (appends === undefined) {
      const text = 'A message holds more audio than one may. Send it in smaller pieces.';
      return [{ type: 'invalid', problem: { code: 'invalid_audio', text } }];
    }
    const begin = appends.length > 0 ? this.#begin() : [];
    return this.#asked([...begin, ...appends]);
  }

  /** What is being said ends here, and is answered. */
  forceEnd(): readonly SessionInput[] {
    const begin = this.#begin();
    this.#isBegun = false;
    for (const follower of this.#followers) follower.force();
    return this.#asked([...begin, { type: 'end' }]);
  }

  /** A sign of life. It asks for what is so already, since a session is idle to which nothing comes. */
  keepAlive(): readonly SessionInput[] {
    return this.#asked(this.#isOpen ? [this.#configure] : []);
  }

  leave(): readonly SessionInput[] {
    return [{ type: 'leave' }];
  }

  /** What is to be told of it, voice by voice. */
  follow(notice: SessionNotice): readonly VoiceEvent[] {
    if (notice.type === 'closing') return [];
    if (notice.type === 'fault') this.#noteFault(notice);
    const isOfAll = notice.type === 'fault' && notice.lane === undefined;
    const lanes = isOfAll ? this.#followers.keys() : [notice.lane?.index ?? 0];
    return [...lanes].flatMap((lane) =>
      (this.#followers[lane]?.follow(notice) ?? []).map((event) => ({ lane, event })),
    );
  }

  #noteFault(notice: Extract<Notice, { readonly type: 'fault' }>): void {
    if (notice.fault === 'engine_failed') this.#isBegun = false;
    this.#refusal.note(notice);
  }

  #begin(): SessionInput[] {
    if (this.#isBegun) return [];
    this.#isBegun = true;
    return [{ type: 'begin' }];
  }

  #asked(inputs: readonly SessionInput[]): readonly SessionInput[] {
    const { closing } = this.#refusal;
    if (closing !== undefined) return [closing];
    if (this.#isOpen) return inputs;
    this.#isOpen = true;
    const { labels } = this.#lanes;
    const lanes: SessionInput[] = labels === undefined ? [] : [{ type: 'lanes', labels }];
    return [...lanes, this.#configure, ...inputs];
  }
}
