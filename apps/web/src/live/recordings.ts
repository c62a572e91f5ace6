import { byId } from './element.js';
import { WEB_LIMITS } from './limits.js';
import type { LivePage } from './live-page.js';
import type { Notice } from './notice.js';

/** Recordings, wherever the page stands: picked, dropped, or the samples; on the first page, and behind a button everywhere else. */
export class Recordings {
  readonly #page: LivePage;
  readonly #notice: Notice;
  readonly #tools = byId('recordings', HTMLElement);
  readonly #dialog = byId('recordings-dialog', HTMLDialogElement);
  readonly #open = byId('open-recordings', HTMLButtonElement);

  constructor(page: LivePage, notice: Notice) {
    this.#page = page;
    this.#notice = notice;
    this.#open.addEventListener('click', () => this.#dialog.showModal());
    this.#listenToPicks();
    this.#listenToDrops();
    for (const button of this.#tools.querySelectorAll<HTMLElement>('[data-sample]')) {
      button.addEventListener('click', () => void this.#readSample(button.dataset['sample'] ?? ''));
    }
  }

  /** Puts the tools where they are wanted. */
  draw({ isIntro }: { readonly isIntro: boolean }): void {
    const place = byId(isIntro ? 'intro' : 'recordings-place', HTMLElement);
    if (this.#tools.parentElement !== place) place.append(this.#tools);
    this.#open.hidden = isIntro;
    this.#open.disabled = this.#page.isBusy;
  }

  get #rate(): 'realtime' | 'max' {
    const chosen = this.#tools.querySelector<HTMLInputElement>('input[name="rate"]:checked');
    return chosen?.value === 'max' ? 'max' : 'realtime';
  }

  #read(files: FileList | null | undefined): void {
    const file = files?.[0];
    if (file === undefined) return;
    this.#dialog.close();
    void this.#page.read(file, file.name, this.#rate);
  }

  #listenToPicks(): void {
    const input = byId('file', HTMLInputElement);
    byId('pick-file', HTMLButtonElement).addEventListener('click', () => input.click());
    input.addEventListener('change', () => {
      this.#read(input.files);
      input.value = '';
    });
  }

  #listenToDrops(): void {
    // Without this the browser would leave the page and show the file.
    addEventListener('dragover', (event) => {
      event.preventDefault();
      const hasFile = event.dataTransfer?.types.includes('Files') ?? false;
      document.body.toggleAttribute('data-dropping', hasFile && !this.#page.isBusy);
    });
    addEventListener('dragleave', ({ relatedTarget }) => {
      // Null: out of the window, not from one part of the page to the next.
      if (relatedTarget === null) document.body.removeAttribute('data-dropping');
    });
    addEventListener('drop', (event) => {
      event.preventDefault();
      document.body.removeAttribute('data-dropping');
      this.#read(event.dataTransfer?.files);
    });
  }

  async #readSample(name: string): Promise<void> {
    this.#dialog.close();
    try {
      const response = await fetch(`samples/${name}.flac`, {
        signal: AbortSignal.timeout(WEB_LIMITS.sampleTimeoutMs),
      });
      if (!response.ok) throw new TypeError('The sample is not there.');
      await this.#page.read(await response.blob(), `${name}.flac`, this.#rate);
    } catch {
      this.#notice.show('errorLoad');
    }
  }
}
