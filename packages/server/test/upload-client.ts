/** Forms and files for `POST /v1/audio/transcriptions`, and an upload that is written piece by piece. */
import { request as httpRequest } from 'node:http';
import { encodeWav } from '@kikitori/audio';
import { eventually, type TestServer } from './test-server.js';

/** A WAV file of silence, 16 kHz mono 16 bit. */
export function wav(lengthMs: number): Uint8Array<ArrayBuffer> {
  const dataBytes = lengthMs * 32;
  const bytes = new Uint8Array(44 + dataBytes);
  const view = new DataView(bytes.buffer);
  const ascii = (at: number, name: string): void => bytes.set(new TextEncoder().encode(name), at);
  ascii(0, 'RIFF');
  view.setUint32(4, 36 + dataBytes, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, 16_000, true);
  view.setUint32(28, 32_000, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, 'data');
  view.setUint32(40, dataBytes, true);
  return bytes;
}

/** Four seconds of sound that changes as speech does, another one for each seed: hiss through a resonance that glides. */
export function voice(seed: number): Float32Array {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const out = new Float32Array(64_000);
  for (let at = 0; at < out.length; at += 2_000 + Math.round(3_000 * random())) {
    const [fromHz, toHz] = [300 + 2_500 * random(), 300 + 2_500 * random()];
    let [last, beforeLast] = [0, 0];
    for (let i = 0; i < 2_000 && at + i < out.length; i += 1) {
      const turn = (2 * Math.PI * (fromHz + ((toHz - fromHz) * i) / 2_000)) / 16_000;
      const next = random() - 0.5 + 1.96 * Math.cos(turn) * last - 0.9604 * beforeLast;
      [last, beforeLast] = [next, last];
      out[at + i] = 0.03 * next;
    }
  }
  return out;
}

/** A WAV file of two channels, 16 kHz. */
export function stereo(first: Float32Array, second: Float32Array): Uint8Array<ArrayBuffer> {
  const both = Float32Array.from({ length: 2 * first.length }, (_, index) => {
    const channel = index % 2 === 0 ? first : second;
    return channel[index >> 1] ?? 0;
  });
  return encodeWav(both, { sampleRateHz: 16_000, channels: 2 });
}

export type Fields = readonly (readonly [string, string])[];

export function formOf(fields: Fields): FormData {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

export function form(
  fields: Fields = [],
  file: Uint8Array<ArrayBuffer> = wav(4000),
  order: 'before' | 'behind' = 'before',
): FormData {
  const data = new FormData();
  if (order === 'behind') data.append('file', new Blob([file]), 'speech.wav');
  for (const [name, value] of fields) data.append(name, value);
  if (order === 'before') data.append('file', new Blob([file]), 'speech.wav');
  return data;
}

/** A form of files that nobody asked for. */
export function filesOf(count: number, lengthBytes = 10): FormData {
  const data = new FormData();
  const blob = new Blob([new Uint8Array(lengthBytes)]);
  for (let at = 0; at < count; at += 1) data.append(`other${at}`, blob, 'other.bin');
  data.append('file', new Blob([wav(100)]), 'speech.wav');
  return data;
}

export function post(
  test: TestServer,
  body: FormData | string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${test.url}/v1/audio/transcriptions`, { method: 'POST', body, headers });
}

/** An upload that is written by hand, piece by piece. */
export function openUpload(test: TestServer, fields: Fields, headers: Record<string, string> = {}) {
  const boundary = 'kikitori-test';
  const request = httpRequest(`${test.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
  });
  for (const [name, value] of fields) {
    request.write(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  }
  request.write(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n`);
  let body = '';
  let isOver = false;
  request.on('response', (response) => {
    response.setEncoding('utf8');
    response.on('data', (piece: string) => {
      body += piece;
    });
    response.on('close', () => {
      isOver = true;
    });
  });
  request.on('error', () => {
    isOver = true;
  });
  return {
    write: (bytes: Uint8Array): void => void request.write(bytes),
    /** Settles when all of it has left this process. */
    written: (bytes: Uint8Array): Promise<void> =>
      new Promise((resolve) => request.write(bytes, () => resolve())),
    isConnected: (): boolean => request.socket?.connecting === false,
    end: (): void => void request.end(`\r\n--${boundary}--\r\n`),
    destroy: (): void => void request.destroy(),
    firstData: async (): Promise<string> => {
      await eventually(() => body !== '');
      return body;
    },
    rest: async (): Promise<string> => {
      await eventually(() => isOver);
      return body;
    },
  };
}
