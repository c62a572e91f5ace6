import type { Message } from '@kikitori/transport';
import type { Notice, SessionInput, SessionNotice } from '../../session/state.js';
import type { Conversation } from '../dialect.js';
import { FAULT_CODES, faultText } from '../faults.js';
import { type Members, membersOf, objectOf } from '../json-object.js';
import { invalid } from '../problems.js';
import { RawAudioLanes, type RawAudioLanesOptions } from '../raw-audio-lanes.js';
import { REFUSED, WishRefusal } from '../wish-refusal.js';
import { audioFormatOf } from './audio-format.js';

/** What the listener says when a client sends nothing more; no event of the protocol. */
export const END_OF_INPUT = 'end-of-input';

const UNSUPPORTED_DATA = 1003;

/** One call in Home Assistant's dialect: what is said from `audio-start` to `audio-stop` is answered by one `transcript`. */
export class WyomingConversation implements Conversation {
  readonly #refusal = new WishRefusal();
  #lanes: RawAudioLanes | undefined;
  #format: RawAudioLanesOptions | undefined;
  #isConfigured = false;
  #isBegun = false;
  /** The next message is audio: the payload of the event before it. */
  #awaitsAudio = false;
  /** Transcripts that were asked for and have not come. */
  #awaited = 0;
  /** Of the utterance that is being said; lives on where the engine fails in the middle of it. */
  #heard = '';
  #isStarted = false;

  read(message: Message): readonly SessionInput[] {
    const { closing } = this.#refusal;
    if (closing !== undefined) return [closing];
    const isAudio = this.#awaitsAudio && typeof message !== 'string';
    this.#awaitsAudio = false;
    if (typeof message !== 'string') return isAudio ? this.#hear(message) : [];
    const event = objectOf(message);
    const data = membersOf(event?.['data']) ?? {};
    switch (event?.['type']) {
      case 'transcribe':
        return [this.#configure(data)];
      case 'audio-start':
        return this.#start(data);
      case 'audio-chunk':
        return this.#expect(data);
      case 'audio-stop':
        return this.#stop();
      case END_OF_INPUT:
        return [{ type: 'leave' }];
      default:
        return this.#other(event);
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    switch (notice.type) {
      case 'delta':
        return this.#say(notice.text);
      case 'done':
        return this.#answer();
      case 'fault':
        return this.#tellFault(notice);
      case 'invalid': {
        const { code, text } = notice.problem;
        return code === REFUSED ? [] : [eventOf('error', { text, code })];
      }
      default:
        return [];
    }
  }

  #configure({ name, language }: Members): SessionInput {
    this.#isConfigured = true;
    return {
      type: 'configure',
      model: typeof name === 'string' ? name : '',
      ...(typeof language === 'string' ? { language } : {}),
    };
  }

  #start(data: Members): readonly SessionInput[] {
    const format = audioFormatOf(data);
    return typeof format === 'string' ? [invalid('invalid_audio', format)] : this.#begin();
  }

  /** Every chunk says what its audio is, so one that is wrong is wrong for all of them. */
  #expect(data: Members): readonly SessionInput[] {
    const format = audioFormatOf(data);
    if (typeof format === 'string') {
      const closing = { code: UNSUPPORTED_DATA, reason: 'This audio cannot be heard.' };
      return [{ type: 'invalid', problem: { code: 'invalid_audio', text: format, closing } }];
    }
    if (!isSame(format, this.#format)) this.#lanes = new RawAudioLanes(format);
    this.#format = format;
    this.#awaitsAudio = true;
    return [];
  }

  #hear(audio: Uint8Array): readonly SessionInput[] {
    const appends = this.#lanes?.push(audio);
    if (appends === undefined) {
      return [invalid('invalid_audio', 'A chunk holds more audio than one may. Send it in smaller pieces.')];
    }
    return [...this.#begin(), ...appends];
  }

  #begin(): SessionInput[] {
    if (this.#isBegun) return [];
    this.#isBegun = true;
    return [...(this.#isConfigured ? [] : [this.#configure({})]), { type: 'begin' }];
  }

  #stop(): readonly SessionInput[] {
    const begin = this.#begin();
    this.#isBegun = false;
    this.#awaited += 1;
    return [...begin, { type: 'end' }];
  }

  /** What servers of this protocol do not know, they pass over. */
  #other(event: Members | undefined): readonly SessionInput[] {
    if (typeof event?.['type'] === 'string') return [];
    return [invalid('unknown_event', 'An event has a type, such as audio-chunk.')];
  }

  #say(text: string): readonly Message[] {
    const told = this.#heard === '' ? text.trimStart() : text;
    if (told === '') return [];
    this.#heard += told;
    return [...this.#begun(), eventOf('transcript-chunk', { text: told })];
  }

  #begun(): Message[] {
    if (this.#isStarted) return [];
    this.#isStarted = true;
    return [eventOf('transcript-start')];
  }

  #answer(): readonly Message[] {
    this.#awaited = Math.max(0, this.#awaited - 1);
    const told = [
      ...this.#begun(),
      eventOf('transcript', { text: this.#heard.trimEnd() }),
      eventOf('transcript-stop'),
    ];
    this.#heard = '';
    this.#isStarted = false;
    return told;
  }

  #tellFault(notice: Extract<Notice, { readonly type: 'fault' }>): readonly Message[] {
    this.#refusal.note(notice);
    const error = eventOf('error', { text: faultText(notice), code: FAULT_CODES[notice.fault] });
    if (notice.fault !== 'engine_failed') return [error];
    this.#isBegun = false;
    // Clients wait for a transcript, and only for that: they get what was heard.
    return this.#awaited > 0 ? [error, ...this.#answer()] : [error];
  }
}

function isSame(one: RawAudioLanesOptions, other: RawAudioLanesOptions | undefined): boolean {
  return (
    one.encoding === other?.encoding &&
    one.sampleRateHz === other.sampleRateHz &&
    one.channels === other.channels
  );
}

function eventOf(type: string, data: Members = {}): string {
  return JSON.stringify({ type, data });
}
