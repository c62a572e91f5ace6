import { CREDENTIAL_PROTOCOL_PREFIX } from '@kikitori/protocol';

/** What somebody shows at the door, and where it was carried. */
export interface Credential {
  readonly text: string;
  /** `query`: it may stand in logs of whatever is on the way, so only what is good for a minute is taken there. */
  readonly carriage: 'header' | 'subprotocol' | 'query';
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
  const [, bearer] = /^bearer +(\S.*)$/i.exec(authorization ?? '') ?? [];
  if (bearer !== undefined) return { text: bearer, carriage: 'header' };
  const carried = protocols.find((each) => each.startsWith(CREDENTIAL_PROTOCOL_PREFIX));
  if (carried !== undefined) {
    return { text: carried.slice(CREDENTIAL_PROTOCOL_PREFIX.length), carriage: 'subprotocol' };
  }
  const token = new URLSearchParams(query).get('token');
  return token === null || token === '' ? undefined : { text: token, carriage: 'query' };
}
