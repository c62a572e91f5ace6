/** WebSocket by bytes: frames in both roles, and the heads of both sides of the handshake. */
import { TransportError } from '../../../packages/transport/src/errors.js';
import {
  acceptFor,
  ClientHandshake,
  checkUpgrade,
  decodeClosePayload,
  encodeCloseFrame,
  encodeFrame,
  encodeRefusal,
  encodeUpgradeAnswer,
  FrameCollector,
  FrameReader,
  OPCODE,
} from '../../../packages/transport/src/frames/index.js';
import { cutAnywhere, joined, mutated, mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzTarget, insist, pure } from '../target.js';

const MESSAGE_BYTES_MAX = 4_096;

/** Frames as one side may send them: messages in fragments, control frames between, perhaps a close frame. */
export function someFrames(role: 'server' | 'client', random: Random): Uint8Array {
  const parts: Uint8Array[] = [];
  const key = (): { maskKey?: number } => (role === 'server' ? { maskKey: random.whole(2 ** 31 - 1) } : {});
  for (let message = random.whole(4); message >= 0; message -= 1) {
    const fragments = 1 + random.whole(2);
    for (let index = 0; index < fragments; index += 1) {
      if (random.chance(0.3)) {
        const opcode = random.pick([OPCODE.ping, OPCODE.pong]);
        parts.push(encodeFrame(random.bytes(random.whole(125)), { opcode, ...key() }));
      }
      const opcode = index > 0 ? OPCODE.continuation : random.pick([OPCODE.text, OPCODE.binary]);
      const payload = random.bytes(random.pick([0, 1, 5, 125, 126, 127, 700]));
      parts.push(encodeFrame(payload, { opcode, isFinal: index === fragments - 1, ...key() }));
    }
  }
  if (random.chance(0.5)) {
    const code = random.pick([1000, 1001, 1009, 3000, 4999]);
    parts.push(encodeCloseFrame(code, 'bye', ...(role === 'server' ? [random.whole(2 ** 31 - 1)] : [])));
  }
  return joined(parts);
}

interface Frames {
  readonly bytes: number;
  readonly text: string;
}

function collected(role: 'server' | 'client', pieces: readonly Uint8Array[]): Frames {
  const collector = new FrameCollector({ role, messageBytesMax: MESSAGE_BYTES_MAX });
  const seen: string[] = [];
  let bytes = 0;
  const failure = answerOf(() => {
    for (const piece of pieces) {
      collector.push(piece);
      for (let frame = collector.next(); frame !== undefined; frame = collector.next()) {
        bytes += frame.payload.length;
        seen.push(`${frame.opcode} ${frame.isFinal} ${Buffer.from(frame.payload).toString('base64')}`);
      }
    }
  }, TransportError);
  seen.push(failure instanceof Error ? failure.message : String(collector.isBetweenMessages));
  return { bytes, text: seen.join('\n') };
}

function frames(random: Random): void {
  const role = random.pick(['server', 'client']);
  const bytes = mutated(someFrames(role, random), random);
  const whole = collected(role, [bytes.slice()]);
  const cut = collected(role, cutAnywhere(bytes, random));
  insist(whole.text === cut.text, 'Frames depend on how the bytes are cut.');
  insist(whole.bytes <= bytes.length, 'Frames hold more than came.');
  const reader = new FrameReader({ role, messageBytesMax: MESSAGE_BYTES_MAX });
  answerOf(() => {
    reader.push(bytes);
    while (reader.next() !== 'starved');
  }, TransportError);
  answerOf(() => decodeClosePayload(bytes.subarray(0, 125)), TransportError);
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function clientHandshake(random: Random): void {
  const url = new URL('ws://localhost/v1/realtime');
  const handshake = new ClientHandshake({ url, protocols: ['realtime'] });
  const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(handshake.request)?.[1] ?? KEY;
  const opened = Buffer.from(encodeUpgradeAnswer(key, { protocol: 'realtime' }));
  const refused = encodeRefusal({ status: 503, headers: { 'Retry-After': '5' }, body: '{"error":"busy"}' });
  const chunked = Buffer.from('HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbusy\r\n0\r\n\r\n');
  const interim = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');
  const answer = random.pick([opened, refused, chunked, Buffer.concat([interim, opened])]);
  const bytes = random.chance(0.1) ? answer : mutated(answer, random);
  answerOf(() => {
    for (const piece of cutAnywhere(bytes, random)) if (handshake.push(piece) !== undefined) return;
    handshake.end();
  }, TransportError);
}

function serverHandshake(random: Random): void {
  const headers: Record<string, string | string[]> = {
    upgrade: 'websocket',
    connection: 'keep-alive, Upgrade',
    'sec-websocket-key': KEY,
    'sec-websocket-version': '13',
  };
  for (const [name, value] of Object.entries(headers)) {
    if (random.chance(0.3)) headers[name] = mutatedText(String(value), random);
    if (random.chance(0.1)) headers[name] = [String(value), mutatedText(String(value), random)];
    if (random.chance(0.1)) delete headers[name];
  }
  const check = checkUpgrade({ method: 'GET', httpVersion: random.pick(['1.1', '1.0', '2.0']), headers });
  if (!check.isValid) {
    insist(encodeRefusal(check.refusal).length < 1_024, 'A refusal repeats what was asked.');
    return;
  }
  insist(acceptFor(check.key).length === 28, 'An answer to a key is none.');
  const protocol = mutatedText('realtime', random);
  const answer = answerOf(() => encodeUpgradeAnswer(check.key, { protocol }), TransportError);
  insist(
    answer instanceof Error || answer.split('\r\n').length === 7,
    'A protocol adds a line to the answer.',
  );
}

export const FRAME_TARGETS: readonly FuzzTarget[] = [
  { name: 'frames', attacks: 4_000, open: pure(frames) },
  { name: 'client-handshake', attacks: 5_000, open: pure(clientHandshake) },
  { name: 'server-handshake', attacks: 10_000, open: pure(serverHandshake) },
];
