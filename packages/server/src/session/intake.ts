import type { Message } from '@kikitori/transport';

/** What an intake needs. */
export interface IntakeOptions {
  readonly messages: AsyncIterable<Message>;
  /** Messages and their length that may wait here; above it reading stops, and the client waits in its socket. */
  readonly waitingMax: number;
  readonly waitingLengthMax: number;
  /** The connection ended, cleanly or with an error; told at once, also while messages wait. */
  readonly onEnd: (error: unknown) => void;
}

/**
 * Reads ahead of whoever takes the messages. Without it a client that vanishes while the engine is busy would be
 * noticed only when the engine has taken everything that it had sent.
 */
export class Intake {
  readonly #options: IntakeOptions;
  #waiting: Message[] = [];
  #waitingLength = 0;
  #isOver = false;
  #isDropping = false;
  #forMessage: (() => void) | undefined;
  #forRoom: (() => void) | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Reads until the connection ends; once. Never rejects. */
  async run(): Promise<void> {
    let failure: unknown;
    try {
      for await (const message of this.#options.messages) {
        if (this.#isDropping) continue;
        this.#waiting.push(message);
        this.#waitingLength += message.length;
        this.#forMessage?.();
        await this.#room();
      }
    } catch (error) {
      failure = error;
    }
    this.#isOver = true;
    this.#options.onEnd(failure);
    this.#forMessage?.();
  }

  /** The next message; undefined once the connection ended, whatever still waits. One caller at a time. */
  async next(): Promise<Message | undefined> {
    while (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#forMessage = resolve;
      });
    }
    if (this.#isOver) return undefined;
    const message = this.#waiting.shift();
    this.#waitingLength -= message?.length ?? 0;
    this.#forRoom?.();
    return message;
  }

  /** From now on what comes is read and dropped: the session is closing, and the end of the connection is awaited. */
  drop(): void {
    this.#isDropping = true;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#forRoom?.();
  }

  async #room(): Promise<void> {
    const { waitingMax, waitingLengthMax } = this.#options;
    while (this.#waiting.length >= waitingMax || this.#waitingLength >= waitingLengthMax) {
      await new Promise<void>((resolve) => {
        this.#forRoom = resolve;
      });
    }
  }
}
