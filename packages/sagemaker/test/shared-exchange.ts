import { existsSync, readFileSync } from 'node:fs';

/** One exchange, byte by byte: what a client was given, what it sent, what it was answered. */
export interface Exchange {
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly region: string;
  readonly request: {
    readonly pseudoAndHeadersInOrder: readonly (readonly [string, string])[];
    readonly canonicalRequest: string;
  };
  readonly requestEvents: readonly {
    readonly hex: string;
    readonly outerHeaders: readonly (readonly [string, string, string])[];
    readonly inner: null | {
      readonly headers: readonly (readonly [string, string, string])[];
      readonly bodyHex: string;
    };
  }[];
  readonly responseEventsAsParsedByClient: readonly {
    readonly DataType?: string;
    readonly CompletionState?: string;
    readonly BytesHex: string;
  }[];
  readonly http2: {
    readonly clientToServer: readonly Http2Frame[];
    readonly serverToClient: readonly Http2Frame[];
  };
}

export interface Http2Frame {
  readonly type?: string;
  readonly flags?: number;
  readonly payloadHex?: string;
}

/** Made from our own client by `client/exchange.test.ts` (`npx vitest run exchange -u`). */
const OWN = new URL('./vectors/exchange.json', import.meta.url);
/** Captured from AWS's own JavaScript client; not part of this repository. */
const CAPTURED = new URL('../../../../shared/fixtures/sagemaker-exchange.json', import.meta.url);

/** The exchanges to hold code against; `exchange` is undefined where the capture is absent. */
export const EXCHANGES: readonly { readonly name: string; readonly exchange: Exchange | undefined }[] = [
  { name: 'our own exchange', exchange: read(OWN) },
  { name: "the capture of AWS's client", exchange: read(CAPTURED) },
];

function read(url: URL): Exchange | undefined {
  return existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')) : undefined;
}

/** A header of a request. */
export function headerOf({ request }: Exchange, name: string): string {
  const found = request.pseudoAndHeadersInOrder.find(([header]) => header === name);
  if (found === undefined) throw new Error(`The exchange has no header ${name}.`);
  return found[1];
}
