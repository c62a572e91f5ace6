import { make } from './element.js';
import type { MessageKey, MessageValues } from './messages.js';
import type { Wording } from './wording.js';

/** A sentence above the controls that says what went wrong, with a way back. One at a time. */
export class Notice {
  readonly #place: HTMLElement;
  readonly #wording: Wording;
  readonly #refuge: HTMLElement;

  /** `refuge` gets the focus when a button that had it goes away. */
  constructor(place: HTMLElement, wording: Wording, refuge: HTMLElement) {
    this.#place = place;
    this.#wording = wording;
    this.#refuge = refuge;
  }

  /** Shows it until it is closed, or until something else begins. `retry`: what "Try again" does. */
  show(key: MessageKey, retry?: () => void, values?: MessageValues): void {
    const sentence = make('p', 'notice-text', this.#wording.say(key, values));
    const tools = make('div', 'notice-tools');
    if (retry !== undefined) {
      tools.append(
        this.#button('tryAgain', 'solid', () => {
          this.clear();
          retry();
        }),
      );
    }
    tools.append(this.#button('dismiss', 'quiet', () => this.clear()));
    this.#place.replaceChildren(sentence, tools);
  }

  clear(): void {
    if (this.#place.contains(document.activeElement)) this.#refuge.focus();
    this.#place.replaceChildren();
  }

  #button(key: MessageKey, className: string, onClick: () => void): HTMLButtonElement {
    const button = make('button', className, this.#wording.say(key));
    button.type = 'button';
    button.addEventListener('click', onClick);
    return button;
  }
}
