import type { Connection, Message } from '../connection.js';

/** Two ends of one open connection. `near` is the side that connected and the one most cases look at. */
export interface ConformancePair {
  readonly near: Connection;
  readonly far: Connection;
  /** Makes the far end disappear as a killed process does: no goodbye, nothing more from it. */
  vanish(): void;
}

/** What a transport cannot do by its nature; the cases that need it are skipped, visibly. */
export interface ConformanceTraits {
  /** A refused handshake tells its HTTP status. Browsers hide it. */
  readonly tellsRefusal: boolean;
  /** The near end can make the far end wait. Browsers cannot. */
  readonly pausesPeer: boolean;
  /** `destroy` cuts the line without a goodbye. Browsers cannot. */
  readonly cutsLine: boolean;
  /** The near end's close code and reason reach the far end. SageMaker has no place for them. */
  readonly tellsCloseCode: boolean;
}

/** A place in which one test runs: a listener and what connects to it. */
export interface ConformanceWorld {
  /** Opens a connection; the far end accepts no larger message than `farMessageBytesMax`. */
  open(options?: { readonly farMessageBytesMax?: number }): Promise<ConformancePair>;
  /** Connects to somebody who refuses with 503, or who never answers. */
  connect(answer: 'refuse' | 'silence', signal?: AbortSignal): Promise<Connection>;
  /** Sockets, timers and the like that are still there. */
  leftovers(): number;
  /** Takes the listener down. Connections are the test's to end. */
  dispose(): Promise<void>;
}

/** The part of a test framework that the suite uses; vitest's own functions fit. */
export interface TestFramework {
  describe(name: string, body: () => void): void;
  readonly it: {
    (name: string, body: () => Promise<void>): void;
    skip(name: string, body: () => Promise<void>): void;
  };
  expect(value: unknown): {
    toBe(expected: unknown): void;
    toEqual(expected: unknown): void;
  };
}

/** One case of the suite. */
export interface ConformanceCase {
  readonly name: string;
  /** Skipped where the transport lacks the trait. */
  readonly needs?: keyof ConformanceTraits;
  run(world: ConformanceWorld, expect: TestFramework['expect']): Promise<void>;
}

/** Everything a connection still delivers, and how it ended. */
export interface Delivery {
  readonly messages: Message[];
  /** What `messages` threw; undefined for a clean end. */
  readonly error: unknown;
}

/** Reads to the end. */
export async function readAll(connection: Connection): Promise<Delivery> {
  const messages: Message[] = [];
  try {
    for await (const message of connection.messages) messages.push(message);
    return { messages, error: undefined };
  } catch (error) {
    return { messages, error };
  }
}

/** Reads exactly so many messages and leaves the connection open. */
export async function readSome(connection: Connection, count: number): Promise<Message[]> {
  return (await openReader(connection)).take(count);
}

/** Reads step by step; the connection's one consumer. */
export interface StepReader {
  take(count: number): Promise<Message[]>;
  rest(): Promise<Delivery>;
  leave(): Promise<void>;
}

/** Begins to read. */
export function openReader(connection: Connection): StepReader {
  const iterator = connection.messages[Symbol.asyncIterator]();
  const take = async (count: number): Promise<Message[]> => {
    const messages: Message[] = [];
    while (messages.length < count) {
      const result = await iterator.next();
      if (result.done === true) break;
      messages.push(result.value);
    }
    return messages;
  };
  return {
    take,
    rest: async () => {
      const messages: Message[] = [];
      try {
        for (let some = await take(1); some.length > 0; some = await take(1)) messages.push(...some);
        return { messages, error: undefined };
      } catch (error) {
        return { messages, error };
      }
    },
    leave: async () => {
      await iterator.return?.();
    },
  };
}

/** The error a promise rejects with; undefined when it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** `code` of an error that has one. */
export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

/** Lets the event loop turn: long enough for loopback, no measure of time. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Turns the event loop until the condition holds, at most `count` times; answers whether it held. */
export async function turnsUntil(condition: () => boolean, count: number): Promise<boolean> {
  for (let turn = 0; turn < count && !condition(); turn += 1) await turns(1);
  return condition();
}
