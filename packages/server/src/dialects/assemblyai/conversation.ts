import type { Message } from '@kikitori/transport';
import type { Fault, SessionInput, SessionNotice } from '../../session/state.js';
import { confidenceOf } from '../confidence.js';
import type { Conversation } from '../dialect.js';
import { faultText } from '../faults.js';
import { type Members, objectOf } from '../json-object.js';
import { StreamedTurns } from '../streamed-turns.js';
import type { Turn, TurnEvent } from '../turn-follower.js';
import { REFUSED } from '../wish-refusal.js';
import { readStreamQuery } from './stream-query.js';

/** The service's codes for what goes wrong, as far as it has one. */
const ERROR_CODES: Readonly<Record<Fault, number>> = {
  model_not_found: 3006,
  unsupported_language: 3006,
  not_configured: 3006,
  buffer_full: 3007,
  engine_failed: 3005,
  engine_busy: 3009,
  idle_timeout: 3005,
  session_expired: 3008,
  slow_reader: 3005,
};
const BAD_INPUT = 3006;
const MS_PER_S = 1_000;
/** What is told of how long a session may last; ours has bounds of its own. */
const LIFE_S = 3 * 3_600;

/** One connection in AssemblyAI's dialect: one voice, in turns. */
export class AssemblyAiConversation implements Conversation {
  readonly #problem: string | undefined;
  readonly #formatTurns: boolean = false;
  readonly #turns: StreamedTurns | undefined;
  #turnOrder = 0;

  constructor(query: string) {
    const read = readStreamQuery(query);
    if (typeof read === 'string') {
      this.#problem = read;
      return;
    }
    this.#formatTurns = read.formatTurns;
    this.#turns = new StreamedTurns({
      audio: { ...read.sound, channels: 1, areApart: false },
      configure: { type: 'configure', model: read.model, utterances: true, partials: true, onsets: true },
    });
  }

  read(message: Message): readonly SessionInput[] {
    const turns = this.#turns;
    if (turns === undefined) {
      const closing = { code: BAD_INPUT, reason: 'Bad request.' };
      return [{ type: 'invalid', problem: { code: 'bad_query', text: this.#problem ?? '', closing } }];
    }
    if (typeof message !== 'string') return turns.push(message);
    switch (objectOf(message)?.['type']) {
      case 'Terminate':
        return turns.leave();
      case 'ForceEndpoint':
        return turns.forceEnd();
      case 'UpdateConfiguration':
      case 'KeepAlive':
        return turns.keepAlive();
      default: {
        const text =
          'A text message is {"type": "Terminate"}, "ForceEndpoint", "UpdateConfiguration" or "KeepAlive".';
        return [{ type: 'invalid', problem: { code: 'unknown_message', text } }];
      }
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    return this.#told(notice).map((members) => JSON.stringify(members));
  }

  #told(notice: SessionNotice): readonly Members[] {
    switch (notice.type) {
      case 'created':
        return [{ type: 'Begin', id: notice.id, expires_at: notice.createdS + LIFE_S }];
      case 'invalid': {
        const { code, text } = notice.problem;
        return code === REFUSED ? [] : [{ type: 'Error', error_code: BAD_INPUT, error: text }];
      }
      case 'fault': {
        const told = this.#events(notice);
        // Every conversation begins with a model: whoever has none was told why.
        if (notice.fault === 'not_configured') return told;
        return [...told, { type: 'Error', error_code: ERROR_CODES[notice.fault], error: faultText(notice) }];
      }
      case 'closing':
        return [
          {
            type: 'Termination',
            // Whole numbers: Python's client takes no others.
            audio_duration_seconds: Math.round((this.#turns?.receivedMs ?? 0) / MS_PER_S),
            session_duration_seconds: Math.round(notice.lifeMs / MS_PER_S),
          },
        ];
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
        return [{ type: 'SpeechStarted', timestamp: event.startMs }];
      case 'said':
        return [this.#turn(event.turn)];
      case 'ended': {
        // It was no speech, and nobody waits for it, also who asked for an end.
        if (event.turn.words.length === 0) return [];
        const ends = this.#formatTurns ? [false, true] : [false];
        const told = ends.map((isFormatted) => this.#turn(event.turn, { isFormatted }));
        this.#turnOrder += 1;
        return told;
      }
      default:
        return event satisfies never;
    }
  }

  /** `end`: it is over. */
  #turn({ words, tail, startMs: beganMs, isUnsure }: Turn, end?: { readonly isFormatted: boolean }): Members {
    const confidence = confidenceOf({ isUnsure });
    const transcript = words.map(({ text }) => text).join(' ');
    const lastMs = words.at(-1)?.endMs ?? beganMs;
    const guessed = tail.split(' ').filter(Boolean);
    return {
      type: 'Turn',
      turn_order: this.#turnOrder,
      turn_is_formatted: end?.isFormatted ?? false,
      end_of_turn: end !== undefined,
      transcript,
      utterance: end === undefined ? '' : transcript,
      end_of_turn_confidence: end === undefined ? 0 : 1,
      words: [
        ...words.map(({ text, startMs, endMs }) => {
          return { text, start: startMs, end: endMs, confidence, word_is_final: true };
        }),
        ...guessed.map((text) => {
          return { text, start: lastMs, end: lastMs, confidence, word_is_final: false };
        }),
      ],
    };
  }
}
