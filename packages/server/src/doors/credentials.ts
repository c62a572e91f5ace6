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

/** Headers of a request, names in lower case. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Where clients show a key besides `Authorization`: those of Azure, and of Genesys and others. */
const KEY_HEADERS = ['api-key', 'x-api-key'];

/** Subprotocols that are a credential behind this: of OpenAI's clients in browsers, and of NVIDIA's. */
const CREDENTIAL_PREFIXES = [CREDENTIAL_PROTOCOL_PREFIX, 'realtime-token.'];

/** Subprotocols behind which the next one is a credential: of Deepgram's clients in browsers. */
const CREDENTIAL_LEADS: ReadonlySet<string> = new Set(['token', 'bearer']);

/**
 * `Authorization: Bearer …`, `Token …`, or the key alone; else a subprotocol (`openai-insecure-api-key.…`, or the one behind `token`); else
 * `?token=…`. What other headers hold (`headerCredential`) the server looks for itself.
 */
export function credentialOf({ authorization, protocols = [], query = '' }: Carrier): Credential | undefined {
  const shown = keyOf(authorization);
  if (shown !== undefined) return { text: shown, carriage: 'header' };
  const carried = subprotocolCredential(protocols);
  if (carried !== undefined) return carried;
  const token = new URLSearchParams(query).get('token');
  return token === null || token === '' ? undefined : { text: token, carriage: 'query' };
}

/** `Authorization`, as `credentialOf` reads it, else `api-key`, else `x-api-key`. */
export function headerCredential(headers: Headers): Credential | undefined {
  const text =
    keyOf(first(headers['authorization'])) ?? KEY_HEADERS.map((name) => first(headers[name])).find(isShown);
  return text === undefined ? undefined : { text, carriage: 'header' };
}

/** What is shown among the subprotocols of a handshake. */
export function subprotocolCredential(protocols: readonly string[]): Credential | undefined {
  for (const [index, protocol] of protocols.entries()) {
    const text = CREDENTIAL_LEADS.has(protocol) ? protocols[index + 1] : behindPrefix(protocol);
    if (isShown(text)) return { text, carriage: 'subprotocol' };
  }
  return undefined;
}

/** The subprotocols that hold no credential: a handshake is answered with one of these or with none. */
export function plainProtocols(protocols: readonly string[]): readonly string[] {
  return protocols.filter(
    (protocol, index) =>
      behindPrefix(protocol) === undefined && !CREDENTIAL_LEADS.has(protocols[index - 1] ?? ''),
  );
}

function behindPrefix(protocol: string): string | undefined {
  const prefix = CREDENTIAL_PREFIXES.find((each) => protocol.startsWith(each));
  return prefix === undefined ? undefined : protocol.slice(prefix.length);
}

/** Of a header; undefined where it is another scheme's (`Basic …`). */
function keyOf(authorization: string | undefined): string | undefined {
  const [, behindScheme, alone] = /^(?:(?:bearer|token) +(\S.*)|(\S+))$/i.exec(authorization ?? '') ?? [];
  return behindScheme ?? alone;
}

function isShown(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}
