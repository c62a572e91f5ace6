import type { Message } from '@kikitori/transport';
import type { SessionInput, SessionNotice } from '../../session/state.js';
import { confidenceOf } from '../confidence.js';
import type { Conversation } from '../dialect.js';
import { faultText } from '../faults.js';
import { type Members, objectOf } from '../json-object.js';
import { StreamedTurns } from '../streamed-turns.js';
import type { Turn, TurnEvent } from '../turn-follower.js';
import { REFUSED } from '../wish-refusal.js';
import { ContainerWatch } from './container-watch.js';
import { FAULT_NAMES, refusedInput } from './failures.js';
import { changedSettings, type FluxSettings, settingsOf } from './flux-thresholds.js';
import { readListenQuery } from './listen-query.js';
import { placedWords, seconds, textOf } from './words.js';

type EventName = 'StartOfTurn' | 'Update' | 'EndOfTurn';

const SILENT: Turn = { words: [], tail: '', startMs: 0, isUnsure: false };

/** One connection to `/v2/listen`: one voice, in turns. */
export class FluxConversation implements Conversation {
  readonly #problem: string | undefined;
  readonly #watch: ContainerWatch;
  readonly #turns: StreamedTurns | undefined;
  #settings: FluxSettings = { thresholds: {}, keyterms: [], language_hints: [] };
  /** What is said to the next `configured`: a `Configure` is answered at its place among the other messages. */
  #answer: Members | undefined;
  #requestId = '';
  #sequenceId = 0;
  #turnIndex = 0;
  /** Where the last turn ended. */
  #windowMs = 0;

  constructor(query: string) {
    const read = readListenQuery(query);
    const settings = settingsOf(query);
    this.#watch = new ContainerWatch('problem' in read || read.hasEncoding);
    if ('problem' in read || typeof settings === 'string') {
      this.#problem = 'problem' in read ? read.problem : String(settings);
      return;
    }
    this.#settings = settings;
    const { model, language, audio } = read;
    this.#turns = new StreamedTurns({
      audio: { ...audio, areApart: false },
      configure: { type: 'configure', model, language, utterances: true, partials: true, onsets: true },
    });
  }

  read(message: Message): readonly SessionInput[] {
    this.#answer = undefined;
    const turns = this.#turns;
    if (turns === undefined) return [refusedInput('bad_query', this.#problem ?? '')];
    if (typeof message !== 'string') return this.#audio(turns, message);
    const members = objectOf(message) ?? {};
    switch (members['type']) {
      case 'KeepAlive':
        return turns.keepAlive();
      case 'ForceEndTurn':
        return turns.forceEnd();
      case 'CloseStream':
        return turns.leave();
      case 'Configure':
        return this.#configure(turns, members);
      default: {
        const text = 'A text message is {"type": "Configure"}, "ForceEndTurn", "KeepAlive" or "CloseStream".';
        return [{ type: 'invalid', problem: { code: 'unknown_message', text } }];
      }
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    return this.#told(notice).map((members) => JSON.stringify(members));
  }

  #audio(turns: StreamedTurns, bytes: Uint8Array): readonly SessionInput[] {
    if (bytes.length === 0) return turns.leave();
    const problem = this.#watch.problemOf(bytes);
    return problem === undefined ? turns.push(bytes) : [refusedInput('container', problem)];
  }

  #configure(turns: StreamedTurns, members: Members): readonly SessionInput[] {
    const settings = changedSettings(this.#settings, members);
    if (typeof settings === 'string') {
      this.#answer = { type: 'ConfigureFailure' };
    } else {
      this.#settings = settings;
      this.#answer = { type: 'ConfigureSuccess', ...settings };
    }
    return turns.keepAlive();
  }

  #told(notice: SessionNotice): readonly Members[] {
    switch (notice.type) {
      case 'created':
        this.#requestId = notice.id;
        return [this.#numbered({ type: 'Connected' })];
      case 'configured': {
        const answer = this.#answer;
        this.#answer = undefined;
        return answer === undefined ? [] : [this.#numbered(answer)];
      }
      case 'invalid': {
        const { code, text } = notice.problem;
        return code === REFUSED ? [] : [this.#error('BAD_REQUEST', text)];
      }
      case 'fault': {
        const told = this.#events(notice);
        // Every conversation begins with a model: whoever has none was told why.
        if (notice.fault === 'not_configured') return told;
        return [...told, this.#error(FAULT_NAMES[notice.fault], faultText(notice))];
      }
      default:
        return this.#events(notice);
    }
  }

  #events(notice: SessionNotice): readonly Members[] {
    return this.#turns?.follow(notice).flatMap(({ event }) => this.#event(event)) ?? [];
  }

  #event(event: TurnEvent): readonly Members[] {
    switch (event.type) {
      case 'started':
        return [this.#info('StartOfTurn', { ...SILENT, startMs: event.startMs }, event.startMs)];
      case 'said':
        return [this.#info('Update', event.turn, this.#windowMs)];
      case 'ended': {
        const { turn, endMs, isForced } = event;
        const trigger = isForced ? 'manual' : 'model';
        const told = { ...this.#info('EndOfTurn', turn, endMs), end_of_turn_confidence: 1, trigger };
        this.#turnIndex += 1;
        this.#windowMs = Math.max(this.#windowMs, endMs);
        return [told];
      }
      default:
        return event satisfies never;
    }
  }

  #info(event: EventName, turn: Turn, endMs: number): Members {
    const confidence = confidenceOf(turn);
    const words = placedWords(turn, this.#turns?.receivedMs ?? 0);
    const windowEndMs = Math.max(this.#windowMs, endMs, words.at(-1)?.endMs ?? 0);
    return this.#numbered({
      type: 'TurnInfo',
      event,
      turn_index: this.#turnIndex,
      audio_window_start: seconds(this.#windowMs),
      audio_window_end: seconds(windowEndMs),
      transcript: textOf(turn),
      words: words.map(({ text, startMs, endMs: wordEndMs }) => ({
        word: text,
        confidence,
        start: seconds(startMs),
        end: seconds(wordEndMs),
      })),
      end_of_turn_confidence: 0,
    });
  }

  #error(code: string, description: string): Members {
    return this.#numbered({ type: 'Error', code, description });
  }

  /** Every message has a number of its own. */
  #numbered(members: Members): Members {
    const { type, ...rest } = members;
    const numbered = { type, request_id: this.#requestId, sequence_id: this.#sequenceId, ...rest };
    this.#sequenceId += 1;
    return numbered;
  }
}
