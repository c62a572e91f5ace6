import { RawAudioReader } from '@kikitori/audio';
import { APPEND_SAMPLES_MAX } from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';
import type { Notice, SessionInput, SessionNotice } from '../../session/state.js';
import { speechOf } from '../audio-pieces.js';
import { bytesOf } from '../base64-audio.js';
import type { Conversation } from '../dialect.js';
import { FAULT_CODES, faultText } from '../faults.js';
import { type Members, membersOf, objectOf } from '../json-object.js';
import { invalid } from '../problems.js';
import { type ErrorObject, errorObject } from './error-object.js';
import { EventWriter } from './event-writer.js';
import {
  betaSettingsAfter,
  initialSettings,
  type SessionSettings,
  settingsAfter,
} from './session-settings.js';

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

const SAMPLES_PER_MS = 16;
/** One append in four bytes a sample: more is no sound of a moment. */
const APPEND_BYTES_MAX = 4 * APPEND_SAMPLES_MAX;

/**
 * One connection in OpenAI's dialect. Where the client ends turns by `commit`, one utterance of the session is one item; where the
 * server ends them there is one utterance, and each stretch of speech in it is an item.
 */
export class OpenAiConversation implements Conversation {
  readonly #isBeta: boolean;
  readonly #events: EventWriter;
  #settings: SessionSettings;
  /** Those of the last update, which the session may still refuse. */
  #wished: SessionSettings;
  #reader: RawAudioReader;
  /** The session was asked for, whatever it answered: once, or each piece of audio would be refused anew. */
  #isSet = false;
  #isBegun = false;
  /** Audio came since the last `commit` or `clear`. */
  #hasAudio = false;
  /** Who the next deltas are of. */
  #item: string | undefined;
  #transcript = '';
  /** The client's own name for the event that is being read: an error repeats it. */
  #cause: string | undefined;
  /** The setting that an error is about. */
  #param: string | null = null;

  /** `model`: as the address names it; empty: the one that is served. */
  constructor({ isBeta, model }: { readonly isBeta: boolean; readonly model: string }) {
    this.#isBeta = isBeta;
    this.#events = new EventWriter(isBeta);
    this.#settings = initialSettings(model);
    this.#wished = this.#settings;
    this.#reader = new RawAudioReader(this.#settings.sound);
  }

  read(message: Message): readonly SessionInput[] {
    this.#param = null;
    const event = objectOf(message);
    const id = event?.['event_id'];
    this.#cause = typeof id === 'string' ? id.slice(0, 128) : undefined;
    if (event === undefined)
      return [invalid('invalid_json', 'Not a JSON object; audio goes in as base64, in JSON.')];
    switch (event['type']) {
      case 'session.update':
      case 'transcription_session.update':
        return this.#update(event);
      case 'input_audio_buffer.append':
        return this.#append(event);
      case 'input_audio_buffer.commit':
        return this.#commit();
      case 'input_audio_buffer.clear':
        this.#isBegun = this.#hasAudio = false;
        return [{ type: 'clear' }];
      default:
        return [
          invalid(
            'unknown_event',
            'An event that this server does not know: it transcribes, and nothing else.',
          ),
        ];
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    switch (notice.type) {
      case 'created':
        this.#events.open(notice.id);
        return [this.#events.session('created', this.#settings)];
      case 'configured':
        return this.#configured();
      case 'cleared':
        this.#item = undefined;
        this.#transcript = '';
        return [this.#events.event('input_audio_buffer.cleared')];
      case 'onset': {
        const members = { audio_start_ms: notice.startMs, item_id: this.#openItem() };
        return [this.#events.event('input_audio_buffer.speech_started', members)];
      }
      case 'delta':
        return this.#delta(notice);
      case 'utterance':
        return this.#utterance(notice);
      case 'done':
        if (this.#settings.turnEnds === 'pause' && this.#item === undefined) return [];
        return this.#complete(notice.samples / SAMPLES_PER_MS);
      case 'fault':
        return this.#fault(notice);
      case 'invalid':
        return [this.#error(errorObject(notice.problem.text, notice.problem.code, { param: this.#param }))];
      case 'partial':
      case 'progress':
      case 'closing':
        return [];
      default:
        return notice satisfies never;
    }
  }

  #update(event: Members): readonly SessionInput[] {
    const session = membersOf(event['session']);
    if (session === undefined) return [invalid('invalid_event', 'Missing required member: session')];
    const isBeta = this.#isBeta || event['type'] === 'transcription_session.update';
    const settings = (isBeta ? betaSettingsAfter : settingsAfter)(this.#settings, session);
    if ('param' in settings) {
      this.#param = settings.param;
      return [invalid('invalid_value', settings.message)];
    }
    return this.#configure(settings);
  }

  #configure(settings: SessionSettings): readonly SessionInput[] {
    this.#wished = settings;
    this.#isSet = true;
    const isPause = settings.turnEnds === 'pause';
    const { model, language } = settings;
    return [{ type: 'configure', model, language, utterances: isPause, onsets: isPause }];
  }

  #configured(): readonly Message[] {
    const wasAsked = this.#wished !== this.#settings;
    const [before, after] = [this.#settings.sound, this.#wished.sound];
    const isOther = before.encoding !== after.encoding || before.sampleRateHz !== after.sampleRateHz;
    if (isOther) this.#reader = new RawAudioReader(after);
    this.#settings = this.#wished;
    return wasAsked ? [this.#events.session('updated', this.#settings)] : [];
  }

  #append({ audio }: Members): readonly SessionInput[] {
    const bytes = bytesOf(audio, APPEND_BYTES_MAX);
    if (bytes === undefined) return [invalid('invalid_audio', 'Not audio in base64: audio')];
    const inputs: SessionInput[] = this.#isSet ? [] : [...this.#configure(this.#settings)];
    if (!this.#isBegun) inputs.push({ type: 'begin' });
    this.#isBegun = true;
    this.#hasAudio ||= bytes.length > 0;
    return [...inputs, ...speechOf(this.#reader, bytes)];
  }

  #commit(): readonly SessionInput[] {
    if (!this.#hasAudio) {
      return [
        invalid('input_audio_buffer_commit_empty', 'Nothing to commit: no audio came since the last commit.'),
      ];
    }
    this.#hasAudio = false;
    if (this.#settings.turnEnds === 'pause') return [{ type: 'end' }, { type: 'begin' }];
    this.#isBegun = false;
    return [{ type: 'end' }];
  }

  #openItem(): string {
    this.#item ??= this.#events.nextItem();
    return this.#item;
  }

  #delta({ text }: NoticeOf<'delta'>): readonly Message[] {
    const item = this.#openItem();
    const delta = this.#transcript === '' ? text.trimStart() : text;
    if (delta === '') return [];
    this.#transcript += delta;
    return [this.#events.delta(item, delta, this.#settings)];
  }

  #utterance({ startMs, endMs }: NoticeOf<'utterance'>): readonly Message[] {
    if (this.#settings.turnEnds === 'commit') return [];
    const members = { audio_end_ms: endMs, item_id: this.#openItem() };
    return [
      this.#events.event('input_audio_buffer.speech_stopped', members),
      ...this.#complete(endMs - startMs),
    ];
  }

  #complete(lengthMs: number): readonly Message[] {
    const item = this.#openItem();
    const transcript = this.#transcript.trimEnd();
    this.#item = undefined;
    this.#transcript = '';
    return [...this.#events.committed(item), this.#events.completed(item, transcript, lengthMs)];
  }

  #fault(notice: NoticeOf<'fault'>): readonly Message[] {
    const isLost = notice.fault === 'engine_failed';
    const type = isLost || notice.fault === 'engine_busy' ? 'server_error' : 'invalid_request_error';
    const error = errorObject(faultText(notice), FAULT_CODES[notice.fault], { type });
    if (!isLost) return [this.#error(error)];
    // What the client said last did not cause it; its next audio begins anew.
    this.#cause = undefined;
    this.#isBegun = false;
    const item = this.#item;
    this.#item = undefined;
    this.#transcript = '';
    return [...(item === undefined ? [] : [this.#events.failed(item, error)]), this.#error(error)];
  }

  #error(error: ErrorObject): string {
    return this.#events.error(error, this.#cause);
  }
}
