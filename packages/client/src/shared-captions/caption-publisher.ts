import { type Clock, sleep, systemClock } from '@kikitori/core';
import { ClientError } from '../errors.js';
import { CLIENT_LIMITS } from '../limits.js';
import { captionsBackOffMs } from './back-off.js';
import { type CaptionEndpoint, captionEndpoint } from './caption-endpoint.js';
import { nextPublication, type SpokenState } from './publication.js';

/**
 * How a share stands: being opened; readers hear everything; the server is away and is tried again; somebody else shares
 * under the same link now; opening was refused (a key, a bound); or it was ended here. The last three are for good.
 */
export type SharingStatus = 'opening' | 'sharing' | 'away' | 'taken' | 'refused' | 'ended';

/** How to share. */
export interface CaptionPublisherOptions {
  /** Address of the server; with a path, a slash at its end. */
  readonly url: string;
  /** Names what is spoken in one go: 1 to 64 letters, digits, `-`, `_`. With another one readers begin anew. */
  readonly session: string;
  /** BCP 47, such as `en`. */
  readonly language?: string;
  /** The secret of a share that was opened before: the link stays the same. Default: a new one. */
  readonly publisherSecret?: string;
  /** For opening: the `Authorization` header, such as a fresh token. Asked each time; undefined: none is needed. */
  readonly authorization?: () => Promise<string | undefined>;
  readonly onStatus?: (status: SharingStatus, share: CaptionShare | undefined) => void;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** A share that was opened. */
export interface CaptionShare {
  /** Keep it to come back under the same link; give it to nobody. */
  readonly publisherSecret: string;
  /** What readers need. */
  readonly readerSecret: string;
  /** Where others find the server, such as `http://192.168.0.5:8000`, the likeliest first; empty where it knows of none. */
  readonly addresses: readonly string[];
  /** Readers at the last update. */
  readonly readers: number;
}

/** What one request came to. `forgotten`: the server does not know the share it opened. */
type Step = 'opened' | 'published' | 'forgotten' | 'away' | 'taken' | 'refused';

const NOTHING: SpokenState = { utterances: [], stable: '', unstable: '' };

/**
 * Publishes what a speaker says, for readers. It is handed the whole state whenever that changes and sends what is
 * new, one request at a time: a slow line makes the steps larger, nothing waits. When the server has forgotten the share it
 * is opened again and everything is said anew; one that forgets it again and again is asked less and less often.
 */
export class CaptionPublisher {
  readonly #options: CaptionPublisherOptions;
  readonly #clock: Clock;
  readonly #endpoint: CaptionEndpoint;
  readonly #stop = new AbortController();
  #state = NOTHING;
  #isChanged = true;
  #wake: AbortController | undefined;
  #share: CaptionShare | undefined;
  #nextNumber: number | null = null;
  #isOpen = false;
  /** In a row, since words last came through: that it can be opened proves nothing. */
  #failures = 0;
  #running: Promise<void> | undefined;

  constructor(options: CaptionPublisherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#endpoint = captionEndpoint(options);
  }

  /** Begins. Idempotent. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** The state from now on. Never waits; of states in quick succession the last one is sent. */
  update(state: SpokenState): void {
    this.#state = state;
    this.#isChanged = true;
    this.#wake?.abort();
  }

  /** Ends the share for everybody. Idempotent; never rejects. */
  async end(): Promise<void> {
    await this.close();
    const secret = this.#share?.publisherSecret;
    if (secret !== undefined) await this.#endpoint.end(secret).catch(() => undefined);
    this.#tell('ended');
  }

  /** Publishes no more; the share stays for as long as the server keeps it. Idempotent; never rejects. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#tell('opening');
    while (!this.#stop.signal.aborted) {
      const step = await this.#step();
      if (this.#stop.signal.aborted) return;
      if (step === 'taken' || step === 'refused') {
        this.#tell(step);
        return;
      }
      if (step === 'published') this.#failures = 0;
      else if (step !== 'opened') this.#failures += 1;
      // A server that was started anew has forgotten it once.
      if (step === 'away' || (step === 'forgotten' && this.#failures > 1)) {
        this.#tell('away');
        await this.#backOff();
      } else {
        await this.#pause();
      }
    }
  }

  /** One request. */
  async #step(): Promise<Step> {
    const { signal } = this.#stop;
    try {
      if (!this.#isOpen) return await this.#open(signal);
      return await this.#publish(signal);
    } catch (error) {
      const isForGood = error instanceof ClientError && error.code === 'refused';
      return isForGood ? 'refused' : 'away';
    }
  }

  async #open(signal: AbortSignal): Promise<Step> {
    const { session, language, publisherSecret, authorization } = this.#options;
    const opened = await this.#endpoint.open({
      session,
      language,
      publisherSecret: this.#share?.publisherSecret ?? publisherSecret,
      authorization: await authorization?.(),
      signal,
    });
    this.#share = { ...opened, readers: 0 };
    this.#nextNumber = opened.nextNumber;
    this.#isOpen = true;
    this.#isChanged = true;
    if (this.#failures === 0) this.#tell('sharing');
    return 'opened';
  }

  async #publish(signal: AbortSignal): Promise<Step> {
    const share = this.#share;
    if (share === undefined) return 'away';
    const state = this.#state;
    this.#isChanged = false;
    const publication = nextPublication(state, this.#nextNumber);
    const { session } = this.#options;
    const answer = await this.#endpoint.publish(share.publisherSecret, { session, ...publication }, signal);
    if (answer === 'unknown') {
      this.#isOpen = false;
      this.#isChanged = true;
      return 'forgotten';
    }
    if (answer === 'taken') return 'taken';
    this.#nextNumber = answer.nextNumber;
    // What was cut for its length, or stands behind a gap, follows.
    const isWhole = publication.live !== undefined && (answer.nextNumber ?? 0) >= state.utterances.length;
    if (!isWhole && state.utterances.length > 0) this.#isChanged = true;
    this.#share = { ...share, readers: answer.readers };
    this.#tell('sharing');
    return 'published';
  }

  /** Until there is something to say, at least so often that the server does not take the speaker for gone. */
  async #pause(): Promise<void> {
    const { captionsIntervalMs, captionsKeepAliveMs } = CLIENT_LIMITS;
    await this.#sleep(captionsIntervalMs, this.#stop.signal);
    if (this.#isChanged || this.#stop.signal.aborted) return;
    this.#wake = new AbortController();
    await this.#sleep(captionsKeepAliveMs, AbortSignal.any([this.#stop.signal, this.#wake.signal]));
    this.#wake = undefined;
  }

  async #backOff(): Promise<void> {
    this.#isChanged = true;
    const { random = Math.random } = this.#options;
    await this.#sleep(captionsBackOffMs(this.#failures, random), this.#stop.signal);
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await sleep(this.#clock, ms, { signal }).catch(() => undefined);
  }

  #tell(status: SharingStatus): void {
    this.#options.onStatus?.(status, this.#share);
  }
}
