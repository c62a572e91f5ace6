import { createHash } from 'node:crypto';
import type { Message } from '@kikitori/transport';
import type { Notice, SessionInput, SessionNotice } from '../../session/state.js';
import { confidenceOf } from '../confidence.js';
import type { Conversation } from '../dialect.js';
import { faultText } from '../faults.js';
import { type Members, objectOf } from '../json-object.js';
import { StreamedTurns, type VoiceEvent } from '../streamed-turns.js';
import type { Turn } from '../turn-follower.js';
import { REFUSED } from '../wish-refusal.js';
import { ContainerWatch } from './container-watch.js';
import { FAULT_NAMES, refusedInput } from './failures.js';
import { type ListenQuery, readListenQuery } from './listen-query.js';
import { MODEL_UUID, modelInfo } from './model-info.js';
import { listenWords, seconds, textOf } from './words.js';

type NoticeOf<N extends Notice['type']> = Extract<Notice, { readonly type: N }>;

/** One connection to `/v1/listen`. */
export class ListenConversation implements Conversation {
  readonly #query: ListenQuery | undefined;
  /** Why the query cannot be served. */
  readonly #problem: string | undefined;
  readonly #turns: StreamedTurns | undefined;
  readonly #watch: ContainerWatch;
  readonly #hash = createHash('sha256');
  #created: NoticeOf<'created'> = { type: 'created', id: '', createdS: 0 };
  /** Where the last final result of each channel ended: they leave nothing out. */
  readonly #finalMs: number[] = [];

  constructor(query: string) {
    const read = readListenQuery(query);
    this.#watch = new ContainerWatch('problem' in read || read.hasEncoding);
    if ('problem' in read) {
      this.#problem = read.problem;
      return;
    }
    this.#query = read;
    const { model, language, audio, interimResults, vadEvents } = read;
    this.#turns = new StreamedTurns({
      audio,
      configure: {
        type: 'configure',
        model,
        language,
        utterances: true,
        partials: interimResults,
        onsets: vadEvents,
      },
    });
  }

  read(message: Message): readonly SessionInput[] {
    const turns = this.#turns;
    if (turns === undefined) return [refusedInput('bad_query', this.#problem ?? '')];
    if (typeof message !== 'string') return this.#audio(turns, message);
    const type = objectOf(message)?.['type'];
    switch (type) {
      case 'KeepAlive':
        return turns.keepAlive();
      case 'Finalize':
        return turns.forceEnd();
      case 'CloseStream':
        return turns.leave();
      default: {
        const text = 'A text message is {"type": "KeepAlive"}, "Finalize" or "CloseStream".';
        return [{ type: 'invalid', problem: { code: 'unknown_message', text } }];
      }
    }
  }

  write(notice: SessionNotice): readonly Message[] {
    return this.#told(notice).map((members) => JSON.stringify(members));
  }

  /** Older clients say with an empty message that they are done. */
  #audio(turns: StreamedTurns, bytes: Uint8Array): readonly SessionInput[] {
    if (bytes.length === 0) return turns.leave();
    const problem = this.#watch.problemOf(bytes);
    if (problem !== undefined) return [refusedInput('container', problem)];
    this.#hash.update(bytes);
    return turns.push(bytes);
  }

  #told(notice: SessionNotice): readonly Members[] {
    switch (notice.type) {
      case 'created':
        this.#created = notice;
        return [];
      case 'invalid': {
        const { code, text } = notice.problem;
        return code === REFUSED ? [] : [errorOf('BAD_REQUEST', text)];
      }
      case 'fault':
        // Every conversation begins with a model: whoever has none was told why.
        if (notice.fault === 'not_configured') return this.#events(notice);
        return [...this.#events(notice), errorOf(FAULT_NAMES[notice.fault], faultText(notice))];
      case 'closing':
        return this.#turns === undefined ? [] : [this.#metadata(this.#turns)];
      default:
        return this.#events(notice);
    }
  }

  #events(notice: SessionNotice): readonly Members[] {
    const turns = this.#turns;
    if (turns === undefined) return [];
    return turns.follow(notice).flatMap((each) => this.#event(turns, each));
  }

  #event(turns: StreamedTurns, { lane, event }: VoiceEvent): readonly Members[] {
    const channel = [lane, turns.voices];
    switch (event.type) {
      case 'started':
        if (this.#query?.vadEvents !== true) return [];
        return [{ type: 'SpeechStarted', channel, timestamp: seconds(event.startMs) }];
      case 'said': {
        if (this.#query?.interimResults !== true) return [];
        return [this.#results(turns, { lane, turn: event.turn, isFinal: false, isForced: false })];
      }
      case 'ended': {
        const { turn, endMs, isForced } = event;
        const results = this.#results(turns, { lane, turn, isFinal: true, isForced, endMs });
        const last = turn.words.at(-1);
        if (this.#query?.utteranceEnds !== true || last === undefined) return [results];
        return [results, { type: 'UtteranceEnd', channel, last_word_end: seconds(last.endMs) }];
      }
      default:
        return event satisfies never;
    }
  }

  #results(turns: StreamedTurns, result: Result): Members {
    const { lane, turn, isFinal, isForced } = result;
    const words = listenWords(turn, turns.receivedMs);
    const fromMs = this.#finalMs[lane] ?? 0;
    const wordsEndMs = (words.at(-1)?.end ?? 0) * 1_000;
    const toMs = Math.max(fromMs, result.endMs ?? 0, wordsEndMs);
    if (isFinal) this.#finalMs[lane] = toMs;
    const transcript = textOf(turn);
    const confidence = transcript === '' ? 0 : confidenceOf(turn);
    return {
      type: 'Results',
      channel_index: [lane, turns.voices],
      duration: seconds(toMs - fromMs),
      start: seconds(fromMs),
      is_final: isFinal,
      speech_final: isFinal,
      channel: { alternatives: [{ transcript, confidence, words }] },
      metadata: {
        request_id: this.#created.id,
        model_info: modelInfo(this.#query?.askedModel ?? ''),
        model_uuid: MODEL_UUID,
      },
      from_finalize: isForced,
    };
  }

  #metadata(turns: StreamedTurns): Members {
    return {
      type: 'Metadata',
      transaction_key: 'deprecated',
      request_id: this.#created.id,
      sha256: this.#hash.copy().digest('hex'),
      created: new Date(this.#created.createdS * 1_000).toISOString(),
      duration: seconds(turns.receivedMs),
      channels: this.#query?.audio.channels ?? 1,
    };
  }
}

interface Result {
  readonly lane: number;
  readonly turn: Turn;
  readonly isFinal: boolean;
  readonly isForced: boolean;
  readonly endMs?: number;
}

function errorOf(variant: string, description: string): Members {
  return { type: 'Error', variant, description, message: description };
}
