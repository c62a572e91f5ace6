/** Forms and files for `POST /v1/audio/transcriptions`, and an upload that is written piece by piece. */
import { request as httpRequest } from 'node:http';
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
