import { parseClientEvent, parseServerEvent } from '@kikitori/protocol';
import type { Message } from '@kikitori/transport';

/** A `commit` is short: whatever is longer is audio and is not looked into. */
const COMMIT_LENGTH_MAX = 512;

/**
 * Looks over the shoulder of a relayed session: is an utterance begun, is one unanswered? Only `commit`, `done` and
 * errors are parsed, everything else passes with a look at its length or for a word in it.
 */
export class UtteranceWatch {
  #isBegun = false;
  #unanswered = 0;

  /** A `commit` was said and no `final` yet. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Nothing is begun and nothing unanswered: whoever ends now loses nothing. */
  get isQuiet(): boolean {
    return !this.#isBegun && this.#unanswered === 0;
  }

  /** What the client says, on its way up. */
  onClient(message: Message): void {
    if (message.length > COMMIT_LENGTH_MAX) return;
    const text = textOf(message);
    if (!text.includes('"input_audio_buffer.commit"')) return;
    const event = parseClientEvent(text);
    if (event.type !== 'input_audio_buffer.commit') return;
    if (event.final !== true) this.#isBegun = true;
    else if (this.#isBegun) {
      this.#isBegun = false;
      this.#unanswered += 1;
    }
  }

  /** What the model says, on its way down. */
  onServer(message: Message): void {
    const text = textOf(message);
    // Inside of a string the quotes would be escaped.
    if (!text.includes('"transcription.done"') && !text.includes('"error"')) return;
    const event = parseServerEvent(text);
    // An engine that failed answers the utterance with an error and no `done`.
    if (event.type === 'error' && event.code === 'processing_error') this.#isBegun = false;
    else if (event.type !== 'transcription.done') return;
    this.#unanswered = Math.max(0, this.#unanswered - 1);
  }
}

function textOf(message: Message): string {
  return typeof message === 'string' ? message : new TextDecoder().decode(message);
}
