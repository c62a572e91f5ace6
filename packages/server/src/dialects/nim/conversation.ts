import {
  type PcmEncoding,
  RawAudioReader,
  SAMPLE_RATE_HZ_MAX,
  SAMPLE_RATE_HZ_MIN,
  SPEECH_RATE_HZ,
} from '@kikitori/audio';
import { APPEND_SAMPLES_MAX } from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';
import type { Notice, PlacedWord, SessionInput, SessionNotice } from '../../session/state.js';
import { speechOf } from '../audio-pieces.js';
import { bytesOf } from '../base64-audio.js';
import { confidenceOf } from '../confidence.js';
import type { Conversation } from '../dialect.js';
import { FAULT_CODES, faultText } from '../faults.js';
import { type Members, membersOf, objectOf, textOf } from '../json-object.js';
import { invalid } from '../problems.js';
import { isSampleRate } from '../sample-rate.js';

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

const APPEND_BYTES_MAX = 4 * APPEND_SAMPLES_MAX;
const ENCODINGS: ReadonlyMap<string, PcmEncoding> = new Map([
  ['pcm16', 's16le'],
  ['g711_ulaw', 'mulaw'],
  ['g711_alaw', 'alaw'],
]);

/** One connection in NIM's dialect: the server ends turns, and each is one result. */
export class NimConversation implements Conversation {
  #reader = new RawAudioReader({ encoding: 's16le', sampleRateHz: SPEECH_RATE_HZ });
  #session: Members = {};
  #id = '';
  #events = 0;
  #items = 1;
  /** The session was asked for, whatever it answered: once, or each piece of audio would be refused anew. */
  #isSet = false;
  #isBegun = false;
  #isLeaving = false;
  #hasText = false;

  read(message: Message): readonly SessionInput[] {
    const event = objectOf(textOf(message));
    switch (event?.['type']) {
      case 'transcription_session.update':
        return this.#update(membersOf(event['session']) ?? {});
      case 'input_audio_buffer.append':
        return this.#append(event);
      case 'input_audio_buffer.commit':
        // It follows each piece of audio, and says nothing of turns.
        return [];
      case 'input_audio_buffer.clear':
        this.#isBegun = false;
        return [{ type: 'clear' }];
      case 'session.end':
      case 'input_audio_buffer.done':
        this.#isLeaving = true;
        return [...this.#beginning(), { type: 'end' }, { type: 'leave' }];
      default:
        return [invalid('unknown_event', 'Not an event that is known here.')];
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    switch (notice.type) {
      case 'created':
        this.#id = notice.id.slice(-16);
        return [this.#event('conversation.created', { conversation: { id: `conv_${this.#id}` } })];
      case 'configured':
        return [this.#event('transcription_session.updated', { session: this.#session })];
      case 'cleared':
        return [this.#event('input_audio_buffer.cleared')];
      case 'delta':
        return this.#delta(notice);
      case 'utterance':
        return [this.#completed(notice.text, notice.words, notice.unsure === true)];
      case 'done':
        return this.#isLeaving ? [this.#completed('', [], false)] : [];
      case 'fault':
        if (notice.fault === 'engine_failed') this.#isBegun = false;
        return [this.#error(faultText(notice), FAULT_CODES[notice.fault])];
      case 'invalid':
        return [this.#error(notice.problem.text, notice.problem.code)];
      case 'onset':
      case 'partial':
      case 'progress':
      case 'closing':
        return [];
      default:
        return notice satisfies never;
    }
  }

  #update(session: Members): readonly SessionInput[] {
    const { sample_rate_hz: rate = SPEECH_RATE_HZ, num_channels: channels = 1 } =
      membersOf(session['input_audio_params']) ?? {};
    const encoding = ENCODINGS.get(String(session['input_audio_format'] ?? 'pcm16'));
    const isRate = isSampleRate(rate);
    if (encoding === undefined || !isRate || channels !== 1) {
      return [
        invalid(
          'invalid_event',
          `Audio has to be one channel of ${[...ENCODINGS.keys()].join(', ')}, with a sample_rate_hz from ${SAMPLE_RATE_HZ_MIN} to ${SAMPLE_RATE_HZ_MAX}.`,
        ),
      ];
    }
    this.#reader = new RawAudioReader({ encoding, sampleRateHz: rate });
    this.#session = session;
    this.#isSet = true;
    const { language } = membersOf(session['input_audio_transcription']) ?? {};
    return [
      {
        type: 'configure',
        // Its names are those of one deployment: whatever is served answers.
        model: '',
        language: typeof language === 'string' && language !== '' ? language : undefined,
        utterances: true,
      },
    ];
  }

  #append({ audio }: Members): readonly SessionInput[] {
    const bytes = bytesOf(audio, APPEND_BYTES_MAX);
    if (bytes === undefined) return [invalid('invalid_audio', 'Not audio in base64: audio')];
    const inputs = this.#beginning();
    return [...inputs, ...speechOf(this.#reader, bytes)];
  }

  #beginning(): SessionInput[] {
    const inputs: SessionInput[] = this.#isSet ? [] : [{ type: 'configure', model: '', utterances: true }];
    this.#isSet = true;
    if (!this.#isBegun) inputs.push({ type: 'begin' });
    this.#isBegun = true;
    return inputs;
  }

  #delta({ text }: NoticeOf<'delta'>): readonly Message[] {
    const delta = this.#hasText ? text : text.trimStart();
    this.#hasText = true;
    return [
      this.#event('conversation.item.input_audio_transcription.delta', {
        item_id: this.#itemId,
        content_index: 0,
        delta,
      }),
    ];
  }

  #completed(transcript: string, words: readonly PlacedWord[], isUnsure: boolean): string {
    const told = words.map(({ text, startMs, endMs }) => ({
      word: text,
      start_time: startMs,
      end_time: endMs,
      confidence: confidenceOf({ isUnsure }),
      speaker_tag: 0,
    }));
    const event = this.#event('conversation.item.input_audio_transcription.completed', {
      item_id: this.#itemId,
      content_index: 0,
      transcript,
      is_last_result: transcript === '' && this.#isLeaving,
      words_info: { words: told },
    });
    this.#items += 1;
    this.#hasText = false;
    return event;
  }

  get #itemId(): string {
    return `item_${this.#id}_${this.#items}`;
  }

  #error(message: string, code: string): string {
    return this.#event('error', { error: { type: 'invalid_request_error', code, message, param: null } });
  }

  #event(type: string, members: Members = {}): string {
    this.#events += 1;
    return JSON.stringify({ type, event_id: `event_${this.#id}_${this.#events}`, ...members });
  }
}
