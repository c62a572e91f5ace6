import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAmzDate, parseAmzDate } from '../../src/event-stream/amz-date.js';
import { EventChain } from '../../src/event-stream/event-signature.js';
import { EventSigner } from '../../src/event-stream/event-signer.js';
import { decodeMessage } from '../../src/event-stream/message.js';
import { encodePart } from '../../src/event-stream/payload-part.js';
import {
  canonicalRequest,
  parseAuthorization,
  requestSignature,
  STREAMING_PAYLOAD_HASH,
  verifyRequest,
} from '../../src/event-stream/request-signature.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { SAGEMAKER_LIMITS } from '../../src/limits.js';

const region = 'eu-west-3';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not/a+real=secret' };
const seedSignature = 'a'.repeat(64);
const keys = new SigningKeys();
const chainOptions = { secretAccessKey: credentials.secretAccessKey, region, seedSignature, keys };

/** SHA-256 in the form that AWS's signer takes. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', toBuffer(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(toBuffer(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {}
}

function toBuffer(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}

const oracle = new SignatureV4({
  credentials,
  region,
  service: 'sagemaker',
  sha256: Sha256,
  applyChecksum: false,
});

// Any second of a day from 2000 to 2100, with its milliseconds.
const dateMs = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });
const payload = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 }));

describe('a chain of event signatures', () => {
  it("gives the signatures of AWS's signer, event after event", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(payload, dateMs), { minLength: 1, maxLength: 5 }),
        async (events) => {
          const signer = new EventSigner(chainOptions);
          let priorSignature = seedSignature;
          for (const [content, atMs] of events) {
            const bytes = signer.sign({ dataType: 'UTF8' }, content, atMs);
            const inner = encodePart({ dataType: 'UTF8' }, toBuffer(content));
            const { signature } = await oracle.sign(
              {
                message: { headers: { ':date': { type: 'timestamp', value: new Date(atMs) } }, body: inner },
                priorSignature,
              },
              { signingDate: new Date(atMs) },
            );
            const envelope = decodeMessage(bytes);
            expect(envelope.headers.get(':chunk-signature')).toEqual({
              type: 'binary',
              value: Uint8Array.from(Buffer.from(signature, 'hex')),
            });
            expect(Buffer.from(envelope.payload).equals(inner)).toBe(true);
            priorSignature = signature;
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('verifies what it signed, also across midnight and when the clock steps back', () => {
    const midnightMs = Date.parse('2026-01-01T00:00:00Z');
    const signer = new EventSigner(chainOptions);
    const verifier = new EventChain(chainOptions);
    for (const atMs of [midnightMs - 1, midnightMs, midnightMs - 800, midnightMs + 86_400_000]) {
      expect(verifier.verify(decodeMessage(signer.sign({}, 'x', atMs)))).toBe(true);
    }
    const end = signer.signEnd(midnightMs);
    expect(end.byteLength).toBe(83);
    expect(verifier.verify(decodeMessage(end))).toBe(true);
  });

  it('does not verify an event that was changed, left out, said twice or signed with another key', () => {
    const signer = new EventSigner(chainOptions);
    const [first, second] = [0, 1].map(() => decodeMessage(signer.sign({}, 'x', 1e12)));
    if (first === undefined || second === undefined) throw new Error('Two were signed.');
    expect(new EventChain(chainOptions).verify(second)).toBe(false);
    expect(new EventChain({ ...chainOptions, secretAccessKey: 'other' }).verify(first)).toBe(false);
    expect(new EventChain({ ...chainOptions, region: 'eu-west-1' }).verify(first)).toBe(false);
    expect(new EventChain(chainOptions).verify({ ...first, payload: Buffer.from('y') })).toBe(false);
    const chain = new EventChain(chainOptions);
    expect([chain.verify(first), chain.verify(first), chain.verify(second)]).toEqual([true, false, true]);
  });

  it('does not verify an envelope without its two headers, or with a date outside the calendar', () => {
    const chain = new EventChain(chainOptions);
    const body = Buffer.alloc(0);
    const signature = { type: 'binary', value: new Uint8Array(32) } as const;
    const envelope = (entries: readonly (readonly [string, unknown])[]): boolean =>
      chain.verify({ headers: new Map(entries) as never, payload: body });
    expect(envelope([])).toBe(false);
    expect(envelope([[':chunk-signature', signature]])).toBe(false);
    expect(envelope([[':date', { type: 'timestamp', value: 1e12 }]])).toBe(false);
    for (const value of [-1, 1e18, Number.NaN]) {
      const date = { type: 'timestamp', value };
      expect(
        envelope([
          [':date', date],
          [':chunk-signature', signature],
        ]),
      ).toBe(false);
    }
    const short = { type: 'binary', value: new Uint8Array(31) };
    expect(
      envelope([
        [':date', { type: 'timestamp', value: 1e12 }],
        [':chunk-signature', short],
      ]),
    ).toBe(false);
  });
});

describe('a signing key', () => {
  it('is kept, but only the last few are', () => {
    const own = new SigningKeys();
    const scope = { day: '20260101', region };
    const first = own.get('secret', scope);
    expect(own.get('secret', scope)).toBe(first);
    for (let index = 0; index < SAGEMAKER_LIMITS.signingKeysMax; index += 1)
      own.get(`secret-${index}`, scope);
    const again = own.get('secret', scope);
    expect(again).not.toBe(first);
    expect(again.equals(first)).toBe(true);
  });
});

describe('a request signature', () => {
  const headerValue = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 30 });
  const path = fc
    .array(fc.stringMatching(/^[A-Za-z0-9._~ %()*'!-]{1,12}$/), { minLength: 1, maxLength: 4 })
    .map((segments) => `/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`);

  it("is the one of AWS's signer, whatever path and headers", async () => {
    await fc.assert(
      fc.asyncProperty(path, headerValue, dateMs, async (wirePath, value, atMs) => {
        const headers = {
          ':authority': 'runtime.sagemaker.eu-west-3.amazonaws.com:8443',
          'x-amz-content-sha256': STREAMING_PAYLOAD_HASH,
          'x-amzn-sagemaker-target-variant': value,
        };
        const signed = await oracle.sign(
          { method: 'POST', protocol: 'https:', hostname: 'h', path: wirePath, query: {}, headers },
          { signingDate: new Date(atMs) },
        );
        const request = { method: 'POST', path: wirePath, headers: signed.headers };
        const authorization = parseAuthorization(signed.headers['authorization'] ?? '');
        if (authorization === undefined) throw new Error('The header was not understood.');
        const amzDate = formatAmzDate(atMs).second;
        const { secretAccessKey } = credentials;
        expect(verifyRequest(request, authorization, { secretAccessKey, amzDate, keys })).toBe(true);
        expect(
          verifyRequest({ ...request, path: `${wirePath}x` }, authorization, {
            secretAccessKey,
            amzDate,
            keys,
          }),
        ).toBe(false);
        expect(verifyRequest(request, authorization, { secretAccessKey: 'other', amzDate, keys })).toBe(
          false,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('takes :authority for a host that was signed and is not there', () => {
    const request = { method: 'POST', path: '/a', headers: { ':authority': 'h:8443' } };
    expect(canonicalRequest(request, ['host'])).toBe(
      `POST\n/a\n\nhost:h:8443\n\nhost\n${STREAMING_PAYLOAD_HASH}`,
    );
    expect(
      canonicalRequest({ ...request, headers: { ...request.headers, host: 'other' } }, ['host']),
    ).toContain('host:other');
    expect(canonicalRequest(request, ['x-missing'])).toBe(undefined);
  });

  it('encodes the path a second time and sorts the query', () => {
    const request = { method: 'POST', path: '/endpoints/Echo%20Name/x', query: 'b=2&a=1&c', headers: {} };
    expect(canonicalRequest(request, [])?.split('\n').slice(0, 3)).toEqual([
      'POST',
      '/endpoints/Echo%2520Name/x',
      'a=1&b=2&c=',
    ]);
  });

  it('changes with every input', () => {
    const options = {
      secretAccessKey: 's',
      day: '20260101',
      region,
      service: 'sagemaker',
      amzDate: '20260101T000000Z',
      keys,
    };
    const others = [{ day: '20260102' }, { region: 'x' }, { service: 'y' }, { amzDate: '20260101T000001Z' }];
    const all = [options, ...others.map((other) => ({ ...options, ...other }))];
    expect(new Set(all.map((one) => requestSignature('canonical', one))).size).toBe(5);
  });

  it('is read from its header only when that is complete', () => {
    const right =
      'AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sagemaker/aws4_request, ' +
      `SignedHeaders=:authority;x-amz-date, Signature=${'0'.repeat(64)}`;
    expect(parseAuthorization(right)).toEqual({
      accessKeyId: 'AKID',
      day: '20260101',
      region: 'us-east-1',
      service: 'sagemaker',
      signedHeaders: [':authority', 'x-amz-date'],
      signature: '0'.repeat(64),
    });
    for (const wrong of [
      '',
      'Bearer x',
      right.slice(0, -1),
      right.replace('aws4_request', 'aws5'),
      `${right}0`,
    ]) {
      expect(parseAuthorization(wrong)).toBe(undefined);
    }
  });
});

describe('a date of SigV4', () => {
  it('is the same after writing and reading, to the second', () => {
    fc.assert(
      fc.property(dateMs, (timeMs) => {
        expect(parseAmzDate(formatAmzDate(timeMs).second)).toBe(Math.floor(timeMs / 1000) * 1000);
      }),
    );
    for (const wrong of ['', '2026', '20261341T000000Z', '20260101T000000', '2026-01-01T00:00:00Z']) {
      expect(parseAmzDate(wrong)).toBe(undefined);
    }
  });
});
