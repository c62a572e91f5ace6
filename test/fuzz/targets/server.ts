/** A whole server over sockets: request lines, headers, paths, forms, handshakes, frames with events in them. */
import { connect, type Socket } from 'node:net';
import { TransportError } from '@kikitori/transport';
import { encodeFrame, OPCODE, openFrames } from '@kikitori/transport/frames';
import { encodeWav } from '../../../packages/audio/src/index.js';
import {
  append,
  commit,
  final,
  RealtimeClient,
  update,
} from '../../../packages/server/test/realtime-client.js';
import { startTestServer, type TestServer } from '../../../packages/server/test/test-server.js';
import { cutAnywhere, joined, mutated, mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { type FuzzSubject, type FuzzTarget, insist, settledAnswerOf } from '../target.js';

const KEY = 'a-key-of-the-fuzzer';
const BOUNDARY = 'edge';
/** So much silence of the server ends an exchange; it is no measure of anything. */
const QUIET_MS = 60;
/** Every so many attacks an honest client comes by. */
const HONEST_EVERY = 40;

const PATHS = [
  '/',
  '/health',
  '/ping',
  '/metrics',
  '/v1/models',
  '/v1/models/a%2fb',
  '/invocations?response_format=text',
  '/v1/realtime',
  '/v1/realtime?model=scripted',
  '/v1/realtime/client_secrets',
  '/v1/audio/transcriptions',
  '/v1/listen',
  '/v1/listen?encoding=linear16&sample_rate=8000&channels=2&multichannel=true&utterances=true',
  '/v1/captions',
  '/v1/captions/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '/kikitori/page.json',
  '/../../etc/passwd',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/..%5c..%5cetc',
  '//health',
  '/health/',
  '/health%00',
  '/__proto__',
  '/constructor',
  'http://elsewhere/health',
  '*',
] as const;

const HEADERS = [
  `Authorization: Bearer ${KEY}`,
  'Host: localhost',
  'Origin: http://localhost:3000',
  'Content-Type: application/json',
  `Content-Type: multipart/form-data; boundary=${BOUNDARY}`,
  'Accept-Encoding: gzip',
  'Expect: 100-continue',
  'Range: bytes=0-1',
  'If-None-Match: "x"',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.x',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
] as const;

function form(random: Random): string {
  const wav = encodeWav(new Float32Array(160), { sampleRateHz: 16_000 });
  const fields = [
    `Content-Disposition: form-data; name="model"\r\n\r\nscripted`,
    `Content-Disposition: form-data; name="response_format"\r\n\r\n${random.pick(['json', 'text', 'srt', 'vtt', 'verbose_json'])}`,
    `Content-Disposition: form-data; name="stream"\r\n\r\n${random.pick(['true', 'false', '1'])}`,
    `Content-Disposition: form-data; name="timestamp_granularities[]"\r\n\r\nword`,
    `Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n${Buffer.from(wav).toString('latin1')}`,
  ].filter(() => random.chance(0.8));
  return `${fields.map((field) => `--${BOUNDARY}\r\n${field}\r\n`).join('')}--${BOUNDARY}--\r\n`;
}

function chunked(body: string, random: Random): string {
  const at = random.whole(body.length);
  const pieces = [body.slice(0, at), body.slice(at)].filter((piece) => piece !== '');
  return `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join('')}0\r\n\r\n`;
}

const JSON_BODY =
  '{"session":"s-1","utterances":[{"number":0,"text":"w","start_ms":0,"end_ms":1}],"expires_after":{"anchor":"created_at","seconds":60}}';

/** One request, mostly nearly right. */
function request(random: Random): Uint8Array {
  const isForm = random.chance(0.5);
  const method = random.pick(['GET', 'POST', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'CONNECT', 'PATCH']);
  const path = isForm && random.chance(0.8) ? '/v1/audio/transcriptions' : random.pick(PATHS);
  const target = random.chance(0.2) ? mutatedText(path, random) : path;
  const headers = HEADERS.filter((_, at) => random.chance(at < 2 ? 0.9 : 0.2));
  const typed = isForm
    ? [...headers.filter((line) => !line.startsWith('Content-Type')), HEADERS[4]]
    : headers;
  const text = isForm ? form(random) : mutatedText(JSON_BODY, random);
  const body = random.chance(0.5)
    ? text
    : Buffer.from(mutated(Buffer.from(text, 'latin1'), random)).toString('latin1');
  const isChunked = random.chance(0.3);
  const size = isChunked
    ? 'Transfer-Encoding: chunked'
    : `Content-Length: ${body.length + (random.chance(0.1) ? 5 : 0)}`;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const head = [`${method} ${target} HTTP/1.1`, ...typed, ...(hasBody ? [size] : []), '', ''].join('\r\n');
  const bytes = Buffer.from(head + (hasBody ? (isChunked ? chunked(body, random) : body) : ''), 'latin1');
  return random.chance(0.3) ? mutated(bytes, random) : bytes;
}

/** Sends the pieces and gives what came back until the peer is quiet or gone. */
async function exchange(socket: Socket, pieces: readonly Uint8Array[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const piece of pieces) socket.write(piece);
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(settle, QUIET_MS);
    socket.on('data', (chunk: Buffer) => {
      parts.push(chunk);
      timer.refresh();
    });
    socket.on('error', settle).on('close', settle);
    socket.resume();
  });
  socket.destroy();
  return Buffer.concat(parts);
}

async function openServer(): Promise<TestServer> {
  return await startTestServer({
    engine: { streamsMax: 64 },
    server: {
      apiKey: KEY,
      doorLimits: { connectsPerSecond: 1_000_000, connectsBurst: 1_000_000 },
      limits: { closeFlushMs: 50, finishMs: 200 },
      httpLimits: { bodyStallMs: 100, discardMs: 20, headersTimeoutMs: 500, fileMsMax: 2_000 },
    },
  });
}

/** Every so often somebody comes who does nothing wrong, and must be heard. */
async function visit(test: TestServer): Promise<void> {
  const client = await RealtimeClient.connect(test.realtime, { headers: { authorization: `Bearer ${KEY}` } });
  await client.send(update('scripted'), commit, append(2_000), final);
  const events = await client.until('transcription.done');
  const heard = events.at(-1)?.text ?? JSON.stringify(events.at(-1));
  insist(heard.trim().startsWith('First words'), `An honest session hears something else: ${heard}`);
  await client.connection.close();
}

function assertUnhurt({ log }: TestServer): void {
  const failure = log.find(({ level }) => level === 'error');
  insist(failure === undefined, `The server failed: ${failure?.message} ${String(failure?.fields['stack'])}`);
}

async function subject(attack: (random: Random, test: TestServer) => Promise<void>): Promise<FuzzSubject> {
  const test = await openServer();
  let attacks = 0;
  return {
    attack: async (random) => {
      await attack(random, test);
      attacks += 1;
      if (attacks % HONEST_EVERY === 0) await visit(test);
      assertUnhurt(test);
      test.log.length = 0;
    },
    close: async () => {
      await visit(test);
      await test[Symbol.asyncDispose]();
    },
  };
}

async function attackHttp(random: Random, { server }: TestServer): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  const requests = Array.from({ length: 1 + (random.chance(0.2) ? 1 : 0) }, () => request(random));
  const answer = (await exchange(socket, cutAnywhere(joined(requests), random))).toString('latin1');
  insist(answer === '' || /^HTTP\/1\.1 \d{3} /.test(answer), 'What came back is not HTTP.');
  insist(!/^HTTP\/1\.1 500 /m.test(answer), 'A request is answered with 500.');
  insist(!answer.includes('root:'), 'A file of this machine came back.');
}

const EVENTS = [
  '{"type":"session.update","model":"scripted","kikitori":{"words":true,"partials":true}}',
  '{"type":"input_audio_buffer.commit"}',
  `{"type":"input_audio_buffer.append","audio":"${'AAAA'.repeat(800)}"}`,
  '{"type":"input_audio_buffer.commit","final":true}',
] as const;

async function attackSession(random: Random, { server }: TestServer): Promise<void> {
  const opening = await openFrames({
    url: `ws://127.0.0.1:${server.port}/v1/realtime`,
    headers: { authorization: `Bearer ${KEY}` },
  });
  // The places of the sessions before may still be on their way back.
  if (opening.kind === 'refused') return insist(opening.status === 503, 'An honest handshake is refused.');
  const frames = EVENTS.flatMap((event) => {
    const text = random.chance(0.3) ? mutatedText(event, random) : event;
    const opcode = random.chance(0.9) ? OPCODE.text : OPCODE.binary;
    const times = random.chance(0.1) ? random.whole(5) : 1;
    const frame = encodeFrame(Buffer.from(text), { opcode, maskKey: random.whole(2 ** 31 - 1) });
    return Array.from({ length: times }, () => frame);
  });
  const bytes = joined(frames);
  const sent = random.chance(0.4) ? mutated(bytes, random) : bytes;
  await settledAnswerOf(() => exchange(opening.socket, cutAnywhere(sent, random)), TransportError);
}

export const SERVER_TARGETS: readonly FuzzTarget[] = [
  { name: 'http', attacks: 40, isOutside: true, open: () => subject(attackHttp) },
  { name: 'session', attacks: 30, isOutside: true, open: () => subject(attackSession) },
];
