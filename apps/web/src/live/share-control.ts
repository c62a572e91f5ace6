import {
  CaptionPublisher,
  type CaptionShare,
  type SharingStatus,
  type SpeakerState,
} from '@kikitori/client/shared-captions';
import { serverAddress } from '../shared/server-address.js';
import type { Conversation, SpokenRecord } from './conversation.js';
import type { Credentials } from './credentials.js';
import { byId, setText } from './element.js';
import { hasTabShared, type KeptShare, keepShare, keptShare } from './kept-share.js';
import type { MessageKey, MessageValues } from './messages.js';
import { newId } from './session-id.js';
import { ShareDialog } from './share-dialog.js';
import { shareLinks } from './share-links.js';
import type { Wording } from './wording.js';

const SENTENCES: Readonly<Record<SharingStatus, MessageKey>> = {
  opening: 'shareOpening',
  sharing: 'sharing',
  away: 'shareAway',
  taken: 'shareTaken',
  refused: 'shareRefused',
  ended: 'stateIdle',
};

/** What readers read: the running conversation, or the one that was said before the page was loaded again. */
type Spoken = Pick<Conversation, 'id' | 'utterances' | 'open'> & { readonly unstable?: string };

/**
 * Lets others read along by a link. It is made when the visitor asks for it, and stays the same, whatever session is spoken and
 * however often the page is opened, until it is ended or another one is asked for.
 */
export class ShareControl {
  readonly #dialog: ShareDialog;
  readonly #state = byId('share-state', HTMLElement);
  readonly #wording: Wording;
  readonly #credentials: Credentials;
  readonly #hasKey: () => Promise<boolean>;
  #publisher: CaptionPublisher | undefined;
  #kept: KeptShare | undefined = keptShare();
  #addresses: readonly string[] = [];
  #spoken: Spoken | undefined;
  #session = '';
  #speaker: SpeakerState = 'waiting';
  #said: readonly [MessageKey, MessageValues] = ['stateIdle', {}];

  /** `hasKey`: asks for the key where one is needed and missing. */
  constructor(wording: Wording, credentials: Credentials, hasKey: () => Promise<boolean>) {
    this.#wording = wording;
    this.#credentials = credentials;
    this.#hasKey = hasKey;
    this.#dialog = new ShareDialog(wording, { end: () => void this.#end(), renew: () => void this.#renew() });
    byId('share', HTMLButtonElement).addEventListener('click', () => void this.#open());
    addEventListener('pagehide', () => this.#leave());
    wording.watch(() => this.#say(...this.#said));
    this.#showLinks();
    if (this.#kept !== undefined) this.#say('shareKept');
  }

  /** Readers hear this conversation from now on. */
  follow(conversation: Conversation): void {
    this.#spoken = conversation;
    if (this.#publisher === undefined && this.#kept === undefined) return;
    this.#publish();
  }

  /** The page was loaded again: a tab that shared goes on, with what was said before. */
  resume(record: SpokenRecord | undefined): void {
    if (this.#kept === undefined || this.#publisher !== undefined || !hasTabShared()) return;
    if (this.#credentials.isMissing) return;
    this.#spoken ??= record;
    this.#publish();
  }

  /** Something was said. */
  update(): void {
    const { utterances = [], open: stable = '', unstable = '' } = this.#spoken ?? {};
    // Nothing can have ended that has not begun.
    const speaker = this.#spoken === undefined ? 'waiting' : this.#speaker;
    this.#publisher?.update({ utterances, stable, unstable, speaker });
  }

  /** How the speaker stands, for the readers. */
  tell(speaker: SpeakerState): void {
    if (speaker === this.#speaker) return;
    this.#speaker = speaker;
    this.update();
  }

  async #open(): Promise<void> {
    if (this.#publisher === undefined) {
      if (!(await this.#hasKey())) return;
      this.#publish();
    }
    this.#dialog.open();
  }

  #publish(): void {
    void this.#publisher?.close();
    const publisherSecret = this.#kept?.publisherSecret;
    this.#session = this.#spoken?.id ?? newId();
    const publisher = new CaptionPublisher({
      url: serverAddress(),
      session: this.#session,
      authorization: () => this.#credentials.authorization(),
      onStatus: (status, share) => {
        if (this.#publisher === publisher) this.#onStatus(status, share);
      },
      fetch: (input, init) => fetch(input, init),
      ...(publisherSecret === undefined ? {} : { publisherSecret }),
    });
    this.#publisher = publisher;
    publisher.start();
    this.update();
  }

  #onStatus(status: SharingStatus, share: CaptionShare | undefined): void {
    if (share !== undefined) {
      const { publisherSecret, readerSecret, addresses } = share;
      const isKept = this.#kept?.publisherSecret === publisherSecret && hasTabShared();
      this.#kept = { publisherSecret, readerSecret };
      if (!isKept) keepShare(this.#kept);
      this.#addresses = addresses;
      this.#showLinks();
    }
    this.#say(SENTENCES[status], { n: share?.readers ?? 0 });
    document.body.toggleAttribute('data-sharing', status === 'sharing');
    if (status === 'taken' || status === 'refused') this.#publisher = undefined;
  }

  #showLinks(): void {
    const secret = this.#kept?.readerSecret;
    this.#dialog.show(
      secret === undefined ? undefined : shareLinks(serverAddress(), this.#addresses, secret),
    );
  }

  #say(key: MessageKey, values: MessageValues = {}): void {
    this.#said = [key, values];
    setText(this.#state, this.#wording.say(key, values));
  }

  async #end(): Promise<void> {
    this.#dialog.close();
    await this.#forget();
  }

  async #renew(): Promise<void> {
    const ended = this.#forget();
    this.#publish();
    await ended;
  }

  async #forget(): Promise<void> {
    const publisher = this.#publisher;
    this.#publisher = undefined;
    this.#kept = undefined;
    keepShare(undefined);
    this.#showLinks();
    document.body.removeAttribute('data-sharing');
    this.#say('stateIdle');
    await publisher?.end();
  }

  /** Whoever leaves in the middle of speech is not live any more; with a request that outlives the page. */
  #leave(): void {
    const secret = this.#kept?.publisherSecret;
    if (this.#publisher === undefined || secret === undefined || this.#speaker !== 'live') return;
    void fetch('v1/captions/updates', {
      method: 'POST',
      keepalive: true,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: JSON.stringify({ session: this.#session, speaker: 'paused' }),
    }).catch(() => undefined);
  }
}
