import { timerMs } from '@kikitori/core';

/** When to ask for a sign of life, and what to do when none comes. */
export interface KeepaliveOptions {
  /** Not finite: never ask. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Sends a ping. */
  readonly ping: () => void;
  /** Anything that grows whenever the peer is heard. */
  readonly signsOfLife: () => number;
  /** True while we do not read: then silence says nothing about the peer. */
  readonly isPaused: () => boolean;
  readonly onDead: () => void;
}

/**
 * Finds peers that vanished without a word.
 *
 * Any byte counts as a sign of life, not only a pong: a peer that streams audio and does not get to reading its pings
 * is alive. While we make the peer wait its pong may be stuck behind the data, so no verdict is passed. When this
 * process was held up itself, the answer lies in the socket: it is read before the verdict.
 */
export class Keepalive {
  readonly #options: KeepaliveOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: KeepaliveOptions) {
    this.#options = options;
  }

  /** Begins with the wait for the first ping. */
  start(): void {
    const { intervalMs } = this.#options;
    if (Number.isFinite(intervalMs)) this.#timer = setTimeout(() => this.#ask(), timerMs(intervalMs));
  }

  /** Leaves no timer behind. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #ask(): void {
    const { intervalMs, timeoutMs, ping, signsOfLife, isPaused, onDead } = this.#options;
    const heardBefore = signsOfLife();
    const wasPaused = isPaused();
    ping();
    const isAlive = (): boolean => signsOfLife() !== heardBefore || wasPaused || isPaused();
    const goOn = (): void => {
      if (intervalMs <= timeoutMs) this.#ask();
      else this.#timer = setTimeout(() => this.#ask(), timerMs(intervalMs - timeoutMs));
    };
    this.#timer = setTimeout(() => {
      if (isAlive()) return goOn();
      // Sockets are read between two timers.
      this.#timer = setTimeout(() => (isAlive() ? goOn() : onDead()), 0);
    }, timerMs(timeoutMs));
  }
}
