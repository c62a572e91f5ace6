import { type Connection, type Message, TRANSPORT_LIMITS } from '@kikitori/transport';

/** A message that waits to be taken, and what lies in the buffers of a line of bytes. */
const ON_THE_WAY_BYTES_MAX = 256 * 1024;

/** What may lie between two ends in one direction: what waits to be written, what is on its way, what is unread. */
export const FLOW_BYTES_MAX: number =
  TRANSPORT_LIMITS.receiveHighWaterBytes + TRANSPORT_LIMITS.sendHighWaterBytes + ON_THE_WAY_BYTES_MAX;

/** Counts what lies between the two ends of one connection: what one has said and the other has not read. */
export class Flow {
  #toServer = 0;
  #toClient = 0;

  /** In the fuller direction. */
  get heldBytes(): number {
    return Math.max(this.#toServer, this.#toClient);
  }

  /** The client's end, counted. */
  client(connection: Connection): Connection {
    return counted(connection, {
      onSend: (bytes) => {
        this.#toServer += bytes;
      },
      onRead: (bytes) => {
        this.#toClient -= bytes;
      },
    });
  }

  /** The server's end, counted. */
  server(connection: Connection): Connection {
    return counted(connection, {
      onSend: (bytes) => {
        this.#toClient += bytes;
      },
      onRead: (bytes) => {
        this.#toServer -= bytes;
      },
    });
  }
}

interface Counters {
  readonly onSend: (bytes: number) => void;
  readonly onRead: (bytes: number) => void;
}

function counted(connection: Connection, { onSend, onRead }: Counters): Connection {
  return {
    id: connection.id,
    messages: { [Symbol.asyncIterator]: () => read(connection, onRead) },
    send: (message, options) => {
      onSend(message.length);
      return connection.send(message, options);
    },
    close: (code, reason) => connection.close(code, reason),
    destroy: (reason) => connection.destroy(reason),
  };
}

async function* read(
  connection: Connection,
  onRead: (bytes: number) => void,
): AsyncGenerator<Message, undefined, undefined> {
  for await (const message of connection.messages) {
    onRead(message.length);
    yield message;
  }
  return undefined;
}
