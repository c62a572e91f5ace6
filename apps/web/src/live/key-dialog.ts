import type { Credentials } from './credentials.js';
import { byId } from './element.js';
import type { Wording } from './wording.js';

/** Asks for the key. */
export class KeyDialog {
  readonly #dialog = byId('key-dialog', HTMLDialogElement);
  readonly #form = byId('key-form', HTMLFormElement);
  readonly #key = byId('key', HTMLInputElement);
  readonly #keep = byId('key-keep', HTMLInputElement);
  readonly #wrong = byId('key-wrong', HTMLElement);
  readonly #wording: Wording;
  readonly #credentials: Credentials;
  #done: ((isGiven: boolean) => void) | undefined;

  constructor(wording: Wording, credentials: Credentials) {
    this.#wording = wording;
    this.#credentials = credentials;
    this.#form.addEventListener('submit', () => {
      credentials.use(this.#key.value.trim(), { isKept: this.#keep.checked });
      this.#settle(true);
    });
    this.#dialog.addEventListener('close', () => {
      // It comes a moment after the closing: somebody may have been asked anew meanwhile.
      if (!this.#dialog.open) this.#settle(false);
    });
  }

  /** Asks only where one is needed and missing. */
  async hasKey(): Promise<boolean> {
    return !this.#credentials.isMissing || (await this.ask({ isWrong: false }));
  }

  /** Resolves with true when there is a key to try. `isWrong`: the last one was not known. */
  async ask({ isWrong }: { readonly isWrong: boolean }): Promise<boolean> {
    if (isWrong) this.#credentials.forget();
    this.#wrong.textContent = isWrong ? this.#wording.say('keyWrong') : '';
    this.#settle(false);
    this.#dialog.showModal();
    return await new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  #settle(isGiven: boolean): void {
    this.#key.value = '';
    this.#done?.(isGiven);
    this.#done = undefined;
  }
}
