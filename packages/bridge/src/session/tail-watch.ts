import { applyMask, type FrameHeader, OPCODE } from '@kikitori/transport/frames';

/**
 * How the server of the dialect begins the message after which an utterance is over. vLLM and our own server write
 * their events compactly and with the type first.
 */
const DONE_PREFIX = Buffer.from('{"type":"transcription.done"');
const ERROR_PREFIX = Buffer.from('{"type":"error"');

/** Messages up to this size are looked into for the end of the audio; audio itself is longer. */
const COMMAND_BYTES_MAX = 160;
const FINAL = /"final"\s*:\s*true/;

/** What a client that closes may still have coming. */
export type Tail =
  /** Nothing: its last utterance was answered, and it has said nothing since. */
  | 'nothing'
  /** Words for what it sent may come, and nothing will say that they are over. */
  | 'words'
  /** It ended its audio, so `transcription.done` will come. */
  | 'done';

/**
 * Knows what a transcript still owes when the client closes, from a glance at the first bytes of messages: a few bytes
 * compared for each message of the server, and commands (not audio) of the client. Messages are not decoded. Where a
 * glance is not possible, because the bytes came in pieces, it errs on the side of waiting; every wait is bounded.
 */
export class TailWatch {
  #hasUnanswered = false;
  #awaitsDone = false;
  #isDonePassing = false;
  /** A command of the client came in pieces, so that it cannot be told from the end of the audio. */
  #isCutCommand = false;

  /** A data frame of the client begins; its payload is in `buffer` from `start`, as far as it is there. */
  onClientFrame(frame: FrameHeader, buffer: Buffer, start: number, available: number): void {
    this.#hasUnanswered = true;
    if (frame.payloadBytes > COMMAND_BYTES_MAX || this.#awaitsDone) return;
    if (available < frame.payloadBytes) {
      this.#isCutCommand = true;
      return;
    }
    const text = Buffer.from(buffer.subarray(start, start + frame.payloadBytes));
    applyMask(text, frame.maskKey);
    this.#awaitsDone = FINAL.test(text.toString('latin1'));
  }

  /** A data frame of the client has passed. */
  onClientFrameEnd(): void {
    if (!this.#isCutCommand) return;
    this.#isCutCommand = false;
    this.#awaitsDone = true;
  }

  /** A data frame of the server begins. */
  onUpstreamFrame(frame: FrameHeader, buffer: Buffer, start: number, available: number): void {
    if (frame.opcode === OPCODE.continuation) return;
    this.#isDonePassing = begins(buffer, start, available, DONE_PREFIX);
    // After an error there may be no `transcription.done`.
    if (this.#awaitsDone && begins(buffer, start, available, ERROR_PREFIX)) this.#awaitsDone = false;
  }

  /** A message of the server has passed. @returns Whether it ended an utterance. */
  onUpstreamMessage(): boolean {
    if (!this.#isDonePassing) return false;
    this.#isDonePassing = false;
    this.#awaitsDone = false;
    this.#hasUnanswered = false;
    return true;
  }

  /** What is owed now. */
  get tail(): Tail {
    if (this.#awaitsDone || this.#isDonePassing) return 'done';
    return this.#hasUnanswered ? 'words' : 'nothing';
  }
}

function begins(buffer: Buffer, start: number, available: number, prefix: Buffer): boolean {
  const length = prefix.length;
  // Types differ in their middle; most messages are told by one byte.
  const last = start + length - 2;
  if (available < length || buffer[last] !== prefix[length - 2]) return false;
  return buffer.compare(prefix, 0, length, start, start + length) === 0;
}
