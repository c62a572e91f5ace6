import {
  canShareTabAudio,
  listMicrophones,
  type MicrophoneInfo,
  openMicrophone,
  openTabAudio,
  watchMicrophones,
} from '@kikitori/client/browser';
import { make } from './element.js';
import type { Wording } from './wording.js';

const TAB = 'tab';

/** Which microphone, or the sound of a tab. Follows devices as they come and go. */
export class SourcePicker {
  readonly #select: HTMLSelectElement;
  readonly #wording: Wording;
  #microphones: readonly MicrophoneInfo[] = [];

  constructor(select: HTMLSelectElement, wording: Wording) {
    this.#select = select;
    this.#wording = wording;
    wording.watch(() => this.#draw());
    watchMicrophones(() => void this.refresh());
    this.#draw();
  }

  /** The chosen one, in words. */
  get label(): string {
    return this.#select.selectedOptions[0]?.textContent ?? '';
  }

  /** Opens the chosen one. Rejects with `CaptureError`. */
  async open(): Promise<MediaStream> {
    const { value } = this.#select;
    if (value === TAB) return await openTabAudio();
    const stream = await openMicrophone(value === '' ? {} : { deviceId: value });
    // Names are told only now that one was allowed.
    await this.refresh();
    return stream;
  }

  async refresh(): Promise<void> {
    this.#microphones = await listMicrophones().catch(() => []);
    this.#draw();
  }

  #draw(): void {
    const chosen = this.#select.value;
    const named = this.#microphones
      .filter(({ id }) => id !== 'default' && id !== 'communications')
      .map(({ id, label }, index) =>
        optionOf(id, label || this.#wording.say('sourceNamed', { n: index + 1 })),
      );
    const options = [optionOf('', this.#wording.say('sourceDefault')), ...named];
    if (canShareTabAudio()) options.push(optionOf(TAB, this.#wording.say('sourceTab')));
    this.#select.replaceChildren(...options);
    this.#select.value = options.some(({ value }) => value === chosen) ? chosen : '';
  }
}

function optionOf(value: string, label: string): HTMLOptionElement {
  const option = make('option', '', label);
  option.value = value;
  return option;
}
