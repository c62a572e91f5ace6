import type { Connect, Connection } from '@kikitori/transport';

/**
 * What one connection suffers. `at` counts what passes in both directions together, from 1: messages, or bytes where
 * the way is one of bytes.
 */
export type LineFault =
  /** Cut without a goodbye in front of that message, or behind that byte. */
  | { readonly type: 'cut'; readonly at: number }
  /** Nothing passes for so long, then everything. */
  | { readonly type: 'stall'; readonly at: number; readonly ms: number }
  /**
   * Nothing passes any more, and nobody says so. The transport's own keep-alive notices it: after so long between
   * messages; between bytes the real one is at work.
   */
  | { readonly type: 'half-open'; readonly at: number; readonly noticedAfterMs: number };

/** What one try to connect meets. */
export type DoorFault =
  | { readonly type: 'refuse'; readonly httpStatus: number; readonly retryAfterMs?: number }
  | { readonly type: 'unreachable' }
  | { readonly type: 'slow'; readonly ms: number };

/** The way between clients and whoever serves them. */
export interface NetworkOptions {
  /** What the nth connection suffers, from 0. */
  readonly lineFaults: readonly (readonly LineFault[])[];
  /** What the nth try meets, from 0; behind the last one all are let in. */
  readonly doorFaults: readonly (DoorFault | undefined)[];
  /** Every message, or every write of bytes, takes so long, given anew for each. */
  readonly delayMs: () => number;
  readonly serve: (connection: Connection) => void;
  /** Told what has struck: of what is planned, much comes too late for a connection that is over. */
  readonly onFault: (type: (LineFault | DoorFault)['type']) => void;
}

/** A network whose every trouble is planned. */
export interface Network {
  readonly connect: Connect;
  /** Connections made so far. */
  readonly connections: number;
  /** Connections that are open now. */
  readonly open: number;
  /** What lies between the two ends of the fullest open connection, in one direction. */
  readonly heldBytes: number;
  /** Resolves when nothing is left of any connection, on the server's side either. */
  ended(): Promise<void>;
  /** The server is killed: every connection is cut, and nobody listens for so long. */
  kill(downMs: number): void;
  /** Nobody is let in for so long. */
  shut(downMs: number): void;
}
