/** What a client of ours says to a server of vLLM's dialect, and what it is answered, turn by turn. */
import { decodeBase64, pcm16ToInt16 } from '@kikitori/audio';
import { parseClientEvent, parseServerEvent, type Usage } from '@kikitori/protocol';
import { type Connect, type Connection, type Message, TransportError } from '@kikitori/transport';
import { connectWebSocket } from '@kikitori/transport/ws';
import { Listener } from '../sim/hearing.js';

/** One turn, from `commit` to `done`; positions are those of the numbered audio, in milliseconds. */
export interface TappedTurn {
  startMs: number;
  endMs: number;
  samples: number;
  deltas: number;
  isEnded: boolean;
  usage: Usage | null | undefined;
}

const LOST = new TransportError('connection_lost', 'The line was cut.');

/** Stands between a client and its connections. */
export class ClientTap {
  readonly turns: TappedTurn[] = [];
  readonly flaws: string[] = [];
  readonly #open = new Set<Connection>();
  #connections = 0;
  #listener: Listener | undefined;

  readonly connect: Connect = async (options) => {
    const connection = await connectWebSocket(options);
    this.#connections += 1;
    this.#open.add(connection);
    return this.#tapped(connection);
  };

  get connections(): number {
    return this.#connections;
  }

  /** Cuts every line that is open, as a network does. */
  cut(): void {
    for (const connection of this.#open) connection.destroy(LOST);
    this.#open.clear();
  }

  #tapped(connection: Connection): Connection {
    const heard = (message: Message): void => this.#onServer(String(message));
    async function* messages(): AsyncGenerator<Message, void, undefined> {
      for await (const message of connection.messages) {
        heard(message);
        yield message;
      }
    }
    return {
      id: connection.id,
      messages: messages(),
      send: (message, options) => {
        this.#onClient(String(message));
        return connection.send(message, options);
      },
      close: (code, reason) => connection.close(code, reason),
      destroy: (reason) => connection.destroy(reason),
    };
  }

  #onClient(text: string): void {
    const event = parseClientEvent(text);
    if (event.type === 'input_audio_buffer.commit') {
      const last = this.turns.at(-1);
      if (event.final && last !== undefined) last.isEnded = true;
      if (!event.final) {
        this.#listener = new Listener((flaw) => this.flaws.push(flaw));
        this.turns.push({ startMs: 0, endMs: 0, samples: 0, deltas: 0, isEnded: false, usage: undefined });
      }
    }
    const turn = this.turns.at(-1);
    if (event.type !== 'input_audio_buffer.append' || turn === undefined) return;
    const samples = pcm16ToInt16(decodeBase64(event.audio));
    this.#listener?.hear(samples);
    turn.samples += samples.length;
    turn.startMs = this.#listener?.startMs ?? 0;
    turn.endMs = turn.startMs + turn.samples / 16;
  }

  #onServer(text: string): void {
    const event = parseServerEvent(text);
    const turn = this.turns.at(-1);
    if (turn === undefined) return;
    if (event.type === 'transcription.delta') turn.deltas += 1;
    if (event.type === 'transcription.done') turn.usage = event.usage;
  }
}
