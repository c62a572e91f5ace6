import type { Message } from '@kikitori/transport';
import type { Credential } from '../doors/credentials.js';
import type { SessionInput, SessionNotice } from '../session/state.js';

/** What a connection is asked for with, and once it came its first message: by these, dialects are told apart. */
export interface DialectRequest {
  readonly path: string;
  /** Without the leading `?`. May hold credentials: never log it. */
  readonly query: string;
  /** Names in lower case. May hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** Subprotocols that the client offers. */
  readonly protocols: readonly string[];
  /** Absent until it came. */
  readonly firstMessage?: Message;
}

/** How the dialect reads a handshake. */
export interface Greeting {
  /** What the client shows to be let in, wherever this dialect carries it. */
  readonly credential: Credential | undefined;
  /** The subprotocol to answer with: browsers fail where none of those they offered is chosen. */
  readonly protocol: string | undefined;
}

/** A handshake that is not let in. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** A sentence for people. */
  readonly message: string;
}

/** The HTTP answer to it. */
export interface RefusalAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How a protocol of the outside maps to a session: the seam behind which everything lies that clients of one kind
 * expect and others do not. One object a protocol, without state; what a connection needs to remember is in its
 * `Conversation`. Registered in `registry.ts`; `test/dialects/conformance.ts` is the suite that each of them passes.
 */
export interface Dialect {
  /** For logs: lower case, `vllm`. */
  readonly name: string;
  /**
   * Whether a connection speaks it. Asked with the request alone when a client knocks, and once more with its first
   * message, so that dialects that share a path can be told apart; the first in the registry that says yes gets it.
   */
  claims(request: DialectRequest): boolean;
  /** Where the client shows its key, and which subprotocol it hears. */
  greet(request: DialectRequest): Greeting;
  /** How a handshake is refused so that clients of this dialect understand it. */
  refuse(refusal: Refusal): RefusalAnswer;
  /** The mapping of one connection. */
  converse(request: DialectRequest): Conversation;
}

/** The dialect of one connection, with what it has to remember: item ids, formats, the state of a resampler. */
export interface Conversation {
  /** What one message asks of the session, in order; none where it asks nothing. Never throws: what cannot be read is `invalid`. */
  read(message: Message): readonly SessionInput[];
  /** What the client is told of one notice, in order; none where its dialect has no words for it. Never throws. */
  write(notice: SessionNotice): readonly Message[];
}
