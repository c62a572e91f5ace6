import { byId, make, setText } from './element.js';
import { qrCode } from './qr/qr-code.js';
import type { ShareLinks } from './share-links.js';
import type { Wording } from './wording.js';

/** What can be pressed. */
export interface ShareWishes {
  readonly end: () => void;
  /** Ends this link and makes another one. */
  readonly renew: () => void;
}

/** Light modules around a code, which a camera needs to find it. */
const MARGIN = 4;

/** The link, to be copied, opened or photographed; and what ends it. */
export class ShareDialog {
  readonly #dialog = byId('share-dialog', HTMLDialogElement);
  readonly #link = byId('share-link', HTMLInputElement);
  readonly #overlay = byId('share-overlay', HTMLInputElement);
  readonly #address = byId('share-address', HTMLSelectElement);
  readonly #wording: Wording;
  #links: ShareLinks | undefined;

  constructor(wording: Wording, wishes: ShareWishes) {
    this.#wording = wording;
    wording.watch(() => this.#draw());
    byId('share-end', HTMLButtonElement).addEventListener('click', wishes.end);
    byId('share-new', HTMLButtonElement).addEventListener('click', wishes.renew);
    this.#address.addEventListener('change', () => this.#draw());
    for (const input of [this.#link, this.#overlay]) {
      const button = byId(`${input.id}-copy`, HTMLButtonElement);
      button.addEventListener('click', () => void this.#copy(input));
    }
  }

  open(): void {
    setText(byId('share-told', HTMLElement), '');
    this.#dialog.showModal();
    this.#link.select();
  }

  close(): void {
    this.#dialog.close();
  }

  /** The links from now on; undefined: there is none yet. */
  show(links: ShareLinks | undefined): void {
    if (JSON.stringify(links) === JSON.stringify(this.#links)) return;
    this.#links = links;
    const hosts = links?.room.map((link) => new URL(link).host) ?? [];
    const chosen = this.#address.value;
    const options = hosts.map((host, index) => {
      const option = make('option', '', host);
      option.value = String(index);
      return option;
    });
    this.#address.replaceChildren(...options);
    // Of the same addresses the one that was chosen.
    if (chosen !== '' && Number(chosen) < hosts.length) this.#address.value = chosen;
    byId('share-addresses', HTMLElement).hidden = hosts.length < 2;
    this.#draw();
    if (this.#dialog.open && document.activeElement === this.#link) this.#link.select();
  }

  #draw(): void {
    const link = this.#links?.room[Number(this.#address.value || 0)] ?? '';
    this.#link.value = link;
    this.#overlay.value = this.#links?.overlay ?? '';
    const open = byId('share-open', HTMLAnchorElement);
    if (link === '') open.removeAttribute('href');
    else open.href = link;
    const reach = this.#links?.isHereOnly === true ? this.#wording.say('shareHereOnly') : '';
    setText(byId('share-reach', HTMLElement), reach);
    this.#drawCode(link);
  }

  #drawCode(link: string): void {
    const rows = link === '' ? undefined : qrCode(link);
    const code = byId('share-code', SVGSVGElement);
    // An attribute: what is drawn is no HTML element, and has no such property.
    code.toggleAttribute('hidden', rows === undefined);
    if (rows === undefined) return;
    const size = rows.length + 2 * MARGIN;
    code.setAttribute('viewBox', `0 0 ${size} ${size}`);
    const bars = rows.flatMap((row, y) =>
      [...row.matchAll(/1+/g)].map(
        ({ index, 0: bar }) => `M${index + MARGIN} ${y + MARGIN}h${bar.length}v1h-${bar.length}z`,
      ),
    );
    code.querySelector('path')?.setAttribute('d', bars.join(''));
  }

  async #copy(input: HTMLInputElement): Promise<void> {
    input.select();
    const told = byId('share-told', HTMLElement);
    try {
      await navigator.clipboard.writeText(input.value);
      setText(told, this.#wording.say('copied'));
    } catch {
      // Over plain http there is no clipboard; it is selected.
      setText(told, this.#wording.say('copyByKeys'));
    }
  }
}
