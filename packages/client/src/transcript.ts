import { type SessionEvent, sumOfUsage, type Usage, type Utterance, type Word } from './events.js';

/** What was said. */
export interface Transcript {
  /** The whole text, without white space around it. */
  readonly text: string;
  /** All words with their times; empty unless words were asked for and the server knows them. */
  readonly words: readonly Word[];
  readonly utterances: readonly Utterance[];
  /** The sum over all ends of utterance; null when the server does not count. */
  readonly usage: Usage | null;
}

/** Collects a transcript from events, whether or not the caller looks at them. */
export class TranscriptBuilder {
  #settledText = '';
  #openText = '';
  readonly #utterances: Utterance[] = [];
  #hasUtterancesSinceDone = false;
  #usage: Usage | null = null;

  /** Takes one event. `span` is the audio sent since the last `done`, for servers that give no times. */
  add(event: SessionEvent, span: { readonly startMs: number; readonly endMs: number }): void {
    switch (event.type) {
      case 'delta':
        this.#openText += event.text;
        return;
      case 'utterance': {
        const { type: _, ...utterance } = event;
        this.#utterances.push(utterance);
        this.#hasUtterancesSinceDone = true;
        return;
      }
      case 'done': {
        const text = event.text.trim();
        if (text !== '' && !this.#hasUtterancesSinceDone) {
          this.#utterances.push({ text, ...span, words: [] });
        }
        this.#settledText += event.text;
        this.#openText = '';
        this.#hasUtterancesSinceDone = false;
        this.#usage = sumOfUsage(this.#usage, event.usage);
        return;
      }
    }
  }

  /** What is known so far. */
  snapshot(): Transcript {
    return {
      text: (this.#settledText + this.#openText).trim(),
      words: this.#utterances.flatMap(({ words }) => words),
      utterances: [...this.#utterances],
      usage: this.#usage,
    };
  }
}
