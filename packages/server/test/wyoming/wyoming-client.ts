/** A client that speaks Wyoming over TCP, and everything it was told. */
import { connect, type Socket } from 'node:net';
import { eventFrame } from '../../src/wyoming/event-frame.js';
import { EventReader, type WyomingEvent } from '../../src/wyoming/event-reader.js';
import { WYOMING_LIMITS } from '../../src/wyoming/limits.js';

const SPEECH = { rate: 16_000, width: 2, channels: 1 };
const BYTES_PER_MS = 32;

export class WyomingClient {
  readonly told: WyomingEvent[] = [];
  readonly socket: Socket;
  /** Settles when the other side has ended. */
  readonly ended: Promise<void>;
  #news: () => void = () => undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    const reader = new EventReader(WYOMING_LIMITS);
    this.socket.on('data', (bytes) => {
      this.told.push(...reader.push(bytes));
      this.#news();
    });
    this.ended = new Promise((resolve) => {
      for (const name of ['end', 'close']) this.socket.on(name, () => resolve());
    });
    void this.ended.then(() => this.#news());
  }

  say(type: string, data: Readonly<Record<string, unknown>> = {}): void {
    this.socket.write(eventFrame(type, data));
  }

  /** Silence. */
  hum(lengthMs: number): void {
    const header = { type: 'audio-chunk', data: SPEECH, payload_length: lengthMs * BYTES_PER_MS };
    this.socket.write(`${JSON.stringify(header)}\n`);
    this.socket.write(new Uint8Array(lengthMs * BYTES_PER_MS));
  }

  start(): void {
    this.say('audio-start', SPEECH);
  }

  /** The first event of that type; the test's own timeout is the bound. */
  async hears(type: string): Promise<WyomingEvent> {
    for (;;) {
      const event = this.told.find((each) => each.type === type);
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#news = resolve;
      });
    }
  }

  types(): string {
    return this.told.map(({ type }) => type).join(' ');
  }
}
