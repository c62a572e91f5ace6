import type { ErrorCode } from '@kikitori/protocol';
import { TransportError } from '@kikitori/transport';
import { isWireCloseCode } from '@kikitori/transport/frames';

/** How the client's side of a relayed session is ended. */
export interface RelayEnding {
  readonly closeCode: number;
  readonly closeReason: string;
  /** An `error` event that is said before. */
  readonly error?: ErrorCode;
  /** What begun speech is still waited for, milliseconds; absent: nothing is waited for. */
  readonly finishMs?: number;
}

export const CLIENT_GONE: RelayEnding = { closeCode: 1000, closeReason: '' };
export const SLOW_READER: RelayEnding = {
  closeCode: 1008,
  closeReason: 'Events are not read.',
  error: 'slow_reader',
};

const BAD_GATEWAY = 1014;
const TRY_LATER = 1013;
const INTERNAL = 1011;

/** The other server ended the session: the client hears its code and reason where a close frame can hold them. */
export function endingOfUpstream(error: unknown): RelayEnding {
  if (error === undefined) return { closeCode: 1000, closeReason: '' };
  const { closeCode, closeReason, code } = asTransportError(error);
  if (code === 'peer_closed' && closeCode !== undefined && isWireCloseCode(closeCode)) {
    return { closeCode, closeReason: closeReason ?? '' };
  }
  return { closeCode: BAD_GATEWAY, closeReason: 'The connection to the model was lost; connect again.' };
}

/** The other server was not reached, or did not let us in. */
export function endingOfOpening(error: unknown): RelayEnding {
  return asTransportError(error).retryable
    ? { closeCode: TRY_LATER, closeReason: 'The model is not reachable now; try again later.' }
    : { closeCode: INTERNAL, closeReason: 'The model refused the session; the log of the server says why.' };
}

/** The seam's code of a failure, safe for logs and metric labels. */
export function failureCode(error: unknown): string {
  return asTransportError(error).code;
}

function asTransportError(error: unknown): TransportError {
  if (error instanceof TransportError) return error;
  return new TransportError('connection_lost', 'Not an error of a transport.', { cause: error });
}
