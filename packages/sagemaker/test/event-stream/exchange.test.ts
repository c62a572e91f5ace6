import { describe, expect, it } from 'vitest';
import { EventStreamDecoder } from '../../src/event-stream/decoder.js';
import { EventChain } from '../../src/event-stream/event-signature.js';
import { EventSigner } from '../../src/event-stream/event-signer.js';
import { decodeMessage } from '../../src/event-stream/message.js';
import { readStreamEvent } from '../../src/event-stream/payload-part.js';
import {
  canonicalRequest,
  parseAuthorization,
  verifyRequest,
} from '../../src/event-stream/request-signature.js';
import { SigningKeys } from '../../src/event-stream/signing-key.js';
import { EXCHANGES, type Exchange, headerOf } from '../shared-exchange.js';

const keys = new SigningKeys();

function chainOptions(exchange: Exchange): ConstructorParameters<typeof EventChain>[0] {
  const authorization = parseAuthorization(headerOf(exchange, 'authorization'));
  const { secretAccessKey } = exchange.credentials;
  return { secretAccessKey, region: exchange.region, seedSignature: authorization?.signature ?? '', keys };
}

for (const { name, exchange } of EXCHANGES) {
  describe(`${name}${exchange === undefined ? ' (absent here)' : ''}`, () => {
    it.skipIf(exchange === undefined)('has the canonical request and signature that we compute', () => {
      if (exchange === undefined) return;
      const headers = Object.fromEntries(exchange.request.pseudoAndHeadersInOrder);
      const request = { method: 'POST', path: headerOf(exchange, ':path'), headers };
      const authorization = parseAuthorization(headerOf(exchange, 'authorization'));
      if (authorization === undefined) throw new Error('The header was not understood.');
      expect(canonicalRequest(request, authorization.signedHeaders)).toBe(exchange.request.canonicalRequest);
      const { secretAccessKey } = exchange.credentials;
      const amzDate = headerOf(exchange, 'x-amz-date');
      expect(verifyRequest(request, authorization, { secretAccessKey, amzDate, keys })).toBe(true);
    });

    it.skipIf(exchange === undefined)(
      'has the events that we sign, byte for byte, from the same parts and times',
      () => {
        if (exchange === undefined) return;
        const signer = new EventSigner(chainOptions(exchange));
        for (const { hex, outerHeaders, inner } of exchange.requestEvents) {
          const dateMs = Number(outerHeaders[0]?.[2]);
          if (inner === null) {
            expect(signer.signEnd(dateMs).toString('hex')).toBe(hex);
            continue;
          }
          const found = readStreamEvent(
            decodeMessage(decodeMessage(Buffer.from(hex, 'hex')).payload).headers,
          );
          if (found.kind !== 'part') throw new Error('Every event of a request is a part.');
          const bytes = signer.sign(found.headers, Buffer.from(inner.bodyHex, 'hex'), dateMs);
          expect(bytes.toString('hex')).toBe(hex);
        }
      },
    );

    it.skipIf(exchange === undefined)(
      'has events that verify, and none that does with one bit changed',
      () => {
        if (exchange === undefined) return;
        const chain = new EventChain(chainOptions(exchange));
        for (const { hex } of exchange.requestEvents) {
          const envelope = decodeMessage(Buffer.from(hex, 'hex'));
          const damaged = damagedEnvelopes(envelope);
          expect(damaged.some((one) => chain.verify(one))).toBe(false);
          expect(chain.verify(envelope)).toBe(true);
        }
      },
    );

    it.skipIf(exchange === undefined)('has the answers that its client read', () => {
      if (exchange === undefined) return;
      const frames = exchange.http2.serverToClient.filter(({ type }) => type === 'DATA');
      const bytes = Buffer.concat(frames.map(({ payloadHex = '' }) => Buffer.from(payloadHex, 'hex')));
      const decoder = new EventStreamDecoder();
      const answers: unknown[] = [];
      decoder.push(bytes, ({ headers, payload }) => {
        const event = readStreamEvent(headers);
        if (event.kind !== 'part') throw new Error('Every answer is a part.');
        const { dataType, completionState } = event.headers;
        answers.push({
          DataType: dataType,
          CompletionState: completionState,
          BytesHex: Buffer.from(payload).toString('hex'),
        });
      });
      decoder.end();
      expect(answers).toEqual(exchange.responseEventsAsParsedByClient);
    });
  });
}

/** The envelope with each bit of its date, its signature and its payload turned, one at a time. */
function damagedEnvelopes(envelope: ReturnType<typeof decodeMessage>): ReturnType<typeof decodeMessage>[] {
  const date = envelope.headers.get(':date');
  const signature = envelope.headers.get(':chunk-signature');
  if (date?.type !== 'timestamp' || signature?.type !== 'binary') throw new Error('Not an envelope.');
  const withHeaders = (dateMs: number, value: Uint8Array): ReturnType<typeof decodeMessage> => ({
    headers: new Map([
      [':date', { type: 'timestamp', value: dateMs }],
      [':chunk-signature', { type: 'binary', value }],
    ]),
    payload: envelope.payload,
  });
  const dates = Array.from({ length: 41 }, (_, bit) =>
    withHeaders(Number(BigInt(date.value) ^ (1n << BigInt(bit))), signature.value),
  );
  const signatures = turned(signature.value).map((value) => withHeaders(date.value, value));
  const payloads = turned(envelope.payload).map((payload) => ({ headers: envelope.headers, payload }));
  return [...dates, ...signatures, ...payloads];
}

function turned(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.byteLength * 8 }, (_, bit) => {
    const copy = Uint8Array.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy;
  });
}
