import { CREDENTIAL_PROTOCOL_PREFIX, REALTIME_PROTOCOL } from '@kikitori/protocol';

/** What somebody shows at the door, and where it was carried. */
export interface Credential {
  readonly text: string;
  /** `query`: it may stand in logs of whatever is on the way, so only what is good for a minute is taken there. */
  readonly carriage: 'header' | 'subprotocol' | 'query';
  /** The subprotocol that the answer has to name, where the client offered some. */
  readonly protocol?: string;
}

/** The parts of a request that may hold one. Header names in lower case. */
export interface Carrier {
  readonly authorization: string | undefined;
  /** Subprotocols that a WebSocket offers. */
  readonly protocols?: readonly string[];
  /** Without the leading `?`. */
  readonly query?: string;
}

/** `Authorization: Bearer …`, else the subprotocol `openai-insecure-api-key.…`, else `?token=…`. */
export function credentialOf({ authorization, protocols = [], query = '' }: Carrier): Credential | undefined {
  const protocol = chosenProtocol(protocols);
  const answer = protocol === undefined ? {} : { protocol };
  const [, bearer] = /^bearer +(\S.*)$/i.exec(authorization ?? '') ?? [];
  if (bearer !== undefined) return { text: bearer, carriage: 'header', ...answer };
  const carried = protocols.find((each) => each.startsWith(CREDENTIAL_PROTOCOL_PREFIX));
  if (carried !== undefined) {
    return { text: carried.slice(CREDENTIAL_PROTOCOL_PREFIX.length), carriage: 'subprotocol', ...answer };
  }
  const token = new URLSearchParams(query).get('token');
  return token === null || token === '' ? undefined : { text: token, carriage: 'query', ...answer };
}

/** The subprotocol to answer with; never the one that holds a credential. */
export function chosenProtocol(protocols: readonly string[]): string | undefined {
  return protocols.includes(REALTIME_PROTOCOL) ? REALTIME_PROTOCOL : undefined;
}
