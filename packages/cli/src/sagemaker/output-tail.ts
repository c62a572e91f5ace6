import { StringDecoder } from 'node:string_decoder';
import { MODEL_OUTPUT_LINE_CHARS_MAX, MODEL_OUTPUT_LINES_MAX } from '../limits.js';

/** The last lines of what another program writes, each cut to a length. */
export class OutputTail {
  readonly #lines: string[] = [];
  readonly #decoder = new StringDecoder('utf8');
  #unfinished = '';

  /** The oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** The last one that said anything; empty before there was one. */
  get last(): string {
    return this.#lines.findLast((line) => line.trim() !== '') ?? '';
  }

  /** @returns The lines that are whole by now. */
  take(bytes: Uint8Array): readonly string[] {
    const text = this.#unfinished + this.#decoder.write(Buffer.from(bytes));
    // A bar that is drawn over ends its states with a return.
    const [unfinished = '', ...whole] = text.split(/\r?\n|\r/).reverse();
    this.#unfinished = unfinished.slice(0, MODEL_OUTPUT_LINE_CHARS_MAX);
    const lines = whole.reverse().map((line) => line.slice(0, MODEL_OUTPUT_LINE_CHARS_MAX));
    this.#lines.push(...lines.slice(-MODEL_OUTPUT_LINES_MAX));
    this.#lines.splice(0, this.#lines.length - MODEL_OUTPUT_LINES_MAX);
    return lines;
  }
}
