import type { Connection } from '@kikitori/transport';
import type { SessionYield } from './doors/quick-ends.js';
import type { Route } from './http/router.js';
import type { Claimed } from './session/serve-connection.js';

/** A session as the server around it sees it. */
export interface HostedSession {
  /** Settles when the session is over. Never rejects. */
  readonly ended: Promise<SessionYield>;
  /** Audio received whose words were not all sent, milliseconds; 0 where that is not known. */
  readonly backlogMs: number;
  /** Answers what is running, then closes with 1012; at the deadline closes without the answer. */
  drain(deadlineMs: number): void;
  /** Ends now. */
  destroy(): void;
}

/**
 * Who answers. The server around it lets people in, counts them and sends them away, and knows nothing else of what is
 * behind it.
 */
export interface SessionHost {
  /** Sessions and files at once. */
  readonly placesMax: number;
  /** True when nobody can be answered any more. */
  readonly isGone: boolean;
  /** Routes that only make sense with this host, beside those of every server. */
  readonly routes: Readonly<Record<string, Route>>;
  /** The connection belongs to the session from here on. */
  startSession(connection: Connection, claimed: Claimed): HostedSession;
  /** Ends everything that is no session. */
  abort(): void;
  /** Settles when nothing runs that is no session. */
  idle(): Promise<void>;
}
