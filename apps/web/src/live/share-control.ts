import {
  CaptionPublisher,
  type CaptionShare,
  type SharingStatus,
  type SpeakerState,
} from '@kikitori/client/shared-captions';
import { serverAddress } from '../shared/server-address.js';
import type { Conversation } from './conversation.js';
import type { Credentials } from './credentials.js';
import { byId, setText } from './element.js';
import type { MessageKey } from './messages.js';
import { newId } from './session-id.js';
import type { Wording } from './wording.js';

const SENTENCES: Readonly<Record<SharingStatus, MessageKey>> = {
  opening: 'shareOpening',
  sharing: 'sharing',
  away: 'shareAway',
  taken: 'shareTaken',
  refused: 'shareRefused',
  ended: 'stateIdle',
};

/**
 * Lets others read along by a link. The link stays the same for as long as the page is open, whatever session is spoken; it is made
 * when the visitor asks for it, not before.
 */
export class ShareControl {
  readonly #dialog = byId('share-dialog', HTMLDialogElement);
  readonly #link = byId('share-link', HTMLInputElement);
  readonly #state = byId('share-state', HTMLElement);
  readonly #wording: Wording;
  readonly #credentials: Credentials;
  #publisher: CaptionPublisher | undefined;
  #share: CaptionShare | undefined;
  #conversation: Conversation | undefined;
  #speaker: SpeakerState = 'waiting';

  constructor(wording: Wording, credentials: Credentials) {
    this.#wording = wording;
    this.#credentials = credentials;
    byId('share', HTMLButtonElement).addEventListener('click', () => this.#open());
    byId('share-end', HTMLButtonElement).addEventListener('click', () => void this.#end());
    byId('share-copy', HTMLButtonElement).addEventListener('click', () => void this.#copy());
  }

  /** Readers hear this conversation from now on. */
  follow(conversation: Conversation): void {
    this.#conversation = conversation;
    if (this.#publisher === undefined) return;
    void this.#publisher.close();
    this.#publish();
  }

  /** Something was said. */
  update(): void {
    const { utterances = [], open: stable = '', unstable = '' } = this.#conversation ?? {};
    // Nothing can have ended that has not begun.
    const speaker = this.#conversation === undefined ? 'waiting' : this.#speaker;
    this.#publisher?.update({ utterances, stable, unstable, speaker });
  }

  /** How the speaker stands, for the readers. */
  tell(speaker: SpeakerState): void {
    if (speaker === this.#speaker) return;
    this.#speaker = speaker;
    this.update();
  }

  #open(): void {
    if (this.#publisher === undefined) this.#publish();
    this.#dialog.showModal();
    this.#link.select();
  }

  #publish(): void {
    const publisherSecret = this.#share?.publisherSecret;
    this.#publisher = new CaptionPublisher({
      url: serverAddress(),
      session: this.#conversation?.id ?? newId(),
      authorization: () => this.#credentials.authorization(),
      onStatus: (status, share) => this.#onStatus(status, share),
      fetch: (input, init) => fetch(input, init),
      ...(publisherSecret === undefined ? {} : { publisherSecret }),
    });
    this.#publisher.start();
    this.update();
  }

  #onStatus(status: SharingStatus, share: CaptionShare | undefined): void {
    if (share !== undefined && status !== 'ended') {
      const isNew = this.#share === undefined;
      this.#share = share;
      this.#link.value = `${serverAddress()}captions#k=${share.readerSecret}`;
      if (isNew) this.#link.select();
    }
    setText(this.#state, this.#wording.say(SENTENCES[status], { n: share?.readers ?? 0 }));
    if (status === 'taken' || status === 'refused') this.#publisher = undefined;
  }

  async #end(): Promise<void> {
    this.#dialog.close();
    const publisher = this.#publisher;
    this.#publisher = undefined;
    this.#share = undefined;
    this.#link.value = '';
    await publisher?.end();
    setText(this.#state, '');
  }

  async #copy(): Promise<void> {
    this.#link.select();
    await navigator.clipboard?.writeText(this.#link.value).catch(() => undefined);
    setText(this.#state, this.#wording.say('copied'));
  }
}
