import type { ErrorObject } from './error-object.js';
import type { SessionSettings } from './session-settings.js';

type Members = Readonly<Record<string, unknown>>;

const SECONDS_DIGITS = 3;
const LOGPROBS = 'item.input_audio_transcription.logprobs';

/** Writes the events of one session: each has an id, and items have theirs. */
export class EventWriter {
  readonly #isBeta: boolean;
  /** Makes ids unlike those of other sessions. */
  #tag = '';
  #events = 0;
  #items = 0;
  /** The item that was committed last. */
  #lastId: string | null = null;
  #sessionId = '';

  constructor(isBeta: boolean) {
    this.#isBeta = isBeta;
  }

  /** `sess-` and 16 hexadecimal digits. */
  open(sessionId: string): void {
    this.#sessionId = sessionId.replace('-', '_');
    this.#tag = sessionId.slice(-16);
  }

  /** The id of an item that begins: audio that is being said. */
  nextItem(): string {
    this.#items += 1;
    return `item_${this.#tag}_${this.#items}`;
  }

  event(type: string, members: Members = {}): string {
    this.#events += 1;
    return JSON.stringify({ type, event_id: `event_${this.#tag}_${this.#events}`, ...members });
  }

  session(what: 'created' | 'updated', settings: SessionSettings): string {
    if (this.#isBeta) {
      return this.event(`transcription_session.${what}`, { session: this.#betaSession(settings) });
    }
    return this.event(`session.${what}`, { session: this.#session(settings) });
  }

  error(error: ErrorObject, cause: string | undefined): string {
    return this.event('error', { error: { ...error, event_id: cause ?? null } });
  }

  delta(id: string, delta: string, { written }: SessionSettings): string {
    return this.event('conversation.item.input_audio_transcription.delta', {
      item_id: id,
      content_index: 0,
      delta,
      // Nobody knows them here; a client that asked looks for the member.
      ...(Array.isArray(written.include) && written.include.includes(LOGPROBS) ? { logprobs: null } : {}),
    });
  }

  /** What is told of an item whose audio is over. */
  committed(id: string): string[] {
    const previousId = this.#lastId;
    this.#lastId = id;
    const content = [{ type: 'input_audio', transcript: null }];
    const whole = {
      id,
      object: 'realtime.item',
      type: 'message',
      status: 'completed',
      role: 'user',
      content,
    };
    const added = { previous_item_id: previousId, item: whole };
    const kinds = this.#isBeta ? ['created'] : ['added', 'done'];
    return [
      this.event('input_audio_buffer.committed', { item_id: id, previous_item_id: previousId }),
      ...kinds.map((kind) => this.event(`conversation.item.${kind}`, added)),
    ];
  }

  /** `lengthMs`: of its audio. */
  completed(id: string, transcript: string, lengthMs: number): string {
    return this.event('conversation.item.input_audio_transcription.completed', {
      item_id: id,
      content_index: 0,
      transcript,
      usage: { type: 'duration', seconds: Number((lengthMs / 1_000).toFixed(SECONDS_DIGITS)) },
    });
  }

  failed(id: string, error: ErrorObject): string {
    return this.event('conversation.item.input_audio_transcription.failed', {
      item_id: id,
      content_index: 0,
      error,
    });
  }

  #session({ written, model }: SessionSettings): Members {
    return {
      type: 'transcription',
      object: 'realtime.transcription_session',
      id: this.#sessionId,
      audio: {
        input: {
          format: written.format,
          transcription: written.transcription ?? { model },
          turn_detection: written.turnDetection,
          noise_reduction: written.noiseReduction,
        },
      },
      include: written.include,
    };
  }

  #betaSession({ written, model }: SessionSettings): Members {
    return {
      id: this.#sessionId,
      object: 'realtime.transcription_session',
      modalities: ['text'],
      input_audio_format: written.format,
      input_audio_transcription: written.transcription ?? { model },
      turn_detection: written.turnDetection,
      input_audio_noise_reduction: written.noiseReduction,
      include: written.include,
    };
  }
}
