/** AWS's event stream: messages, headers, signed envelopes, parts; and addresses of endpoints. */
import { endpointFromUrl } from '../../../packages/sagemaker/src/client/endpoint.js';
import { PartAssembler } from '../../../packages/sagemaker/src/client/part-assembler.js';
import { SageMakerError } from '../../../packages/sagemaker/src/errors.js';
import { EventStreamDecoder } from '../../../packages/sagemaker/src/event-stream/decoder.js';
import { EventChain } from '../../../packages/sagemaker/src/event-stream/event-signature.js';
import { decodeHeaders } from '../../../packages/sagemaker/src/event-stream/headers.js';
import {
  decodeMessage,
  encodeMessage,
  sealMessage,
} from '../../../packages/sagemaker/src/event-stream/message.js';
import {
  encodeException,
  encodePart,
  encodePartHeaders,
  readStreamEvent,
} from '../../../packages/sagemaker/src/event-stream/payload-part.js';
import { SigningKeys } from '../../../packages/sagemaker/src/event-stream/signing-key.js';
import { cutAnywhere, joined, mutated, mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzTarget, insist, pure } from '../target.js';

const FRAME_BYTES_MAX = 64 * 1024;

function someMessage(random: Random): Uint8Array {
  const payload = random.bytes(random.pick([0, 1, 40, 700]));
  switch (random.whole(3)) {
    case 0:
      return encodeException('ModelStreamError', { Message: 'WebSocket closed with code 1012: x' });
    case 1:
      return encodeMessage(
        [
          [':date', { type: 'timestamp', value: 1_760_000_000_000 }],
          [':chunk-signature', { type: 'binary', value: random.bytes(32) }],
          ['id', { type: 'uuid', value: '0123456789abcdef0123456789abcdef' }],
          ['n', { type: 'long', value: -1n }],
          ['flag', { type: 'boolean', value: true }],
        ],
        payload,
      );
    default:
      return encodePart(
        {
          dataType: random.pick(['UTF8', 'BINARY']),
          completionState: random.pick(['PARTIAL', 'COMPLETE']),
          padding: 'p'.repeat(random.whole(20)),
        },
        payload,
      );
  }
}

/** Makes the checksums right again, so that the damage gets behind them. */
function resealed(bytes: Uint8Array, headersBytes: number): Uint8Array {
  const buffer = Buffer.from(bytes);
  if (buffer.length >= 16) sealMessage(buffer, 0, buffer.length, headersBytes);
  return buffer;
}

function read(pieces: readonly Uint8Array[]): string {
  const decoder = new EventStreamDecoder(FRAME_BYTES_MAX);
  const parts = new PartAssembler(FRAME_BYTES_MAX);
  const keys = new SigningKeys();
  const chain = new EventChain({ secretAccessKey: 's', region: 'eu-west-1', seedSignature: '00', keys });
  const seen: string[] = [];
  const failure = answerOf(() => {
    for (const piece of pieces) {
      decoder.push(piece, (message) => {
        const event = readStreamEvent(message.headers);
        insist(!chain.verify(message), 'A signature by nobody is right.');
        seen.push(`${event.kind} ${Buffer.from(message.payload).toString('base64')}`);
        if (event.kind === 'part') seen.push(String(parts.take(event.headers, message.payload)));
      });
    }
    decoder.end();
  }, SageMakerError);
  return [...seen, String(failure)].join('\n');
}

function eventStream(random: Random): void {
  const messages = Array.from({ length: 1 + random.whole(3) }, () => {
    const message = someMessage(random);
    if (random.chance(0.3)) return message;
    const headersBytes = Buffer.from(message).readUInt32BE(4);
    const damaged = mutated(message, random);
    const stated = random.chance(0.8) ? headersBytes : random.whole(0xffff_ffff);
    return random.chance(0.8) ? resealed(damaged, stated) : damaged;
  });
  const bytes = joined(messages);
  insist(
    read([bytes.slice()]) === read(cutAnywhere(bytes, random)),
    'Messages depend on how the bytes are cut.',
  );
  answerOf(() => decodeMessage(messages[0] ?? bytes), SageMakerError);
  const block = encodePartHeaders({ dataType: 'UTF8', completionState: 'PARTIAL', padding: 'pp' });
  answerOf(() => decodeHeaders(mutated(block, random)), SageMakerError);
}

function endpoints(random: Random): void {
  const address = random.pick(['https://runtime.sagemaker.eu-west-1.amazonaws.com:8443', 'http://[::1]:9/']);
  const found = answerOf(() => endpointFromUrl(mutatedText(address, random)), SageMakerError);
  if (found instanceof Error) return;
  insist(found.port >= 0 && found.port <= 65_535 && found.host !== '', 'An endpoint has no place.');
}

export const EVENT_STREAM_TARGETS: readonly FuzzTarget[] = [
  { name: 'event-stream', attacks: 2_500, open: pure(eventStream) },
  { name: 'endpoints', attacks: 10_000, open: pure(endpoints) },
];
