/**
 * A model hub and its storage, two servers as there are two hosts: the hub lists files and sends requests for large ones on to
 * the storage, with an address that is signed for a while. Content comes from a seed, so a file can be larger than memory.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Large files lie in the storage and are announced with SHA-256; others with git's hash. */
  readonly isLarge: boolean;
  /** Fills with the bytes from `from` on. */
  readonly fill: (from: number, into: Buffer) => void;
}

export interface SeenRequest {
  readonly where: 'hub' | 'storage';
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** What goes wrong with a request for bytes. */
export type HubFault =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Record<string, string> }
  /** The connection breaks after so many bytes of the body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** Nothing more comes after so many bytes. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** A byte is another one, whoever asks for it. */
  | { readonly kind: 'corrupt'; readonly at: number }
  /** The body is announced, and comes, with so many bytes more. */
  | { readonly kind: 'longer'; readonly bytes: number };

const BLOCK_BYTES = 65_536;

/** A file of seeded noise: a block of 64 KiB with its number in front, again and again. */
export function noiseFile(path: string, sizeBytes: number, seed: number, isLarge = true): FakeFile {
  const block = Buffer.alloc(BLOCK_BYTES);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let at = 0; at < BLOCK_BYTES; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    block.writeUInt32LE(state, at);
  }
  const one = Buffer.alloc(8);
  const fill = (from: number, into: Buffer): void => {
    for (let at = 0; at < into.length; ) {
      const place = from + at;
      const inBlock = place % BLOCK_BYTES;
      const copied = block.copy(into, at, inBlock, Math.min(BLOCK_BYTES, inBlock + into.length - at));
      if (inBlock < 8) {
        one.writeDoubleLE(Math.floor(place / BLOCK_BYTES));
        one.copy(into, at, inBlock, Math.min(8, inBlock + copied));
      }
      at += copied;
    }
  };
  return { path, sizeBytes, isLarge, fill };
}

/** A file of text. */
export function textFile(path: string, text: string): FakeFile {
  const bytes = Buffer.from(text);
  const fill = (from: number, into: Buffer): void => void bytes.copy(into, 0, from);
  return { path, sizeBytes: bytes.length, isLarge: false, fill };
}

/** The hash a hub announces: SHA-256, or git's. */
export function announcedHash(file: FakeFile): string {
  const hash = createHash(file.isLarge ? 'sha256' : 'sha1');
  if (!file.isLarge) hash.update(`blob ${file.sizeBytes}\0`);
  const block = Buffer.alloc(1 << 20);
  for (let at = 0; at < file.sizeBytes; at += block.length) {
    const part = block.subarray(0, Math.min(block.length, file.sizeBytes - at));
    file.fill(at, part);
    hash.update(part);
  }
  return hash.digest('hex');
}

export interface FakeHubOptions {
  readonly files: readonly FakeFile[];
  readonly repository?: string;
  readonly commit?: string;
  /** Without it, everybody may read. */
  readonly token?: string;
  /** Requests that one signed address serves; then 403. */
  readonly signatureUses?: number;
  /** False for a storage that sends whole files whatever was asked for. */
  readonly servesRanges?: boolean;
}

export class FakeHub {
  readonly repository: string;
  readonly commit: string;
  readonly requests: SeenRequest[] = [];
  /** For requests that carry bytes of a file, at the hub or at the storage. */
  fault: (where: 'hub' | 'storage', path: string) => HubFault | undefined = () => undefined;
  /** For the hub's API. */
  apiFault: () => HubFault | undefined = () => undefined;
  /** What the listing says instead of the truth. */
  announced = new Map<string, { readonly sizeBytes?: number; readonly hash?: string }>();
  readonly #options: FakeHubOptions;
  readonly #hub: Server;
  readonly #storage: Server;
  readonly #hashes = new Map<string, string>();
  readonly #signatures = new Map<string, number>();

  constructor(options: FakeHubOptions) {
    this.#options = options;
    this.repository = options.repository ?? 'mistralai/Voxtral-Mini-4B-Realtime-2602';
    this.commit = options.commit ?? 'a'.repeat(40);
    this.#hub = createServer((request, response) => this.#serveHub(request, response));
    this.#storage = createServer((request, response) => this.#serveStorage(request, response));
  }

  async listen(): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  }

  async close(): Promise<void> {
    for (const server of [this.#hub, this.#storage]) {
      if (!server.listening) continue;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${portOf(this.#hub)}`;
  }

  seen(where: 'hub' | 'storage'): readonly SeenRequest[] {
    return this.requests.filter((request) => request.where === where);
  }

  #note(where: 'hub' | 'storage', request: IncomingMessage): URL {
    const url = new URL(request.url ?? '/', 'http://fake');
    const { authorization, range } = request.headers;
    this.requests.push({ where, path: url.pathname, authorization, range });
    return url;
  }

  #serveHub(request: IncomingMessage, response: ServerResponse): void {
    const url = this.#note('hub', request);
    const { token } = this.#options;
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end();
      return;
    }
    const path = decodeURIComponent(url.pathname);
    if (path.startsWith(`/api/models/${this.repository}/`)) {
      this.#serveApi(path, url, response);
      return;
    }
    const prefix = `/${this.repository}/resolve/${this.commit}/`;
    const file = this.#options.files.find((one) => path === prefix + one.path);
    if (file === undefined) {
      response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
      return;
    }
    if (!file.isLarge) {
      this.#sendBytes(file, 'hub', request, response);
      return;
    }
    const fault = this.fault('hub', file.path);
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const signature = String(this.#signatures.size + 1);
    this.#signatures.set(signature, 0);
    const location = `http://127.0.0.1:${portOf(this.#storage)}/${file.path}?signature=${signature}`;
    response.writeHead(302, { location }).end();
  }

  #serveApi(path: string, url: URL, response: ServerResponse): void {
    const fault = this.apiFault();
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const send = (value: unknown): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const names = ['main', this.commit].map((revision) => `/revision/${revision}`);
    if (!names.some((name) => path.endsWith(name)) || url.searchParams.get('blobs') !== 'true') {
      response.writeHead(404, { 'x-error-code': 'RevisionNotFound' }).end();
      return;
    }
    const inFolder = { rfilename: 'folder/params.json', size: 1, blobId: 'b'.repeat(40) };
    const siblings = [...this.#options.files.map((file) => this.#entryOf(file)), inFolder];
    send({ sha: this.commit, siblings });
  }

  #entryOf(file: FakeFile): unknown {
    const lie = this.announced.get(file.path);
    const known = this.#hashes.get(file.path) ?? announcedHash(file);
    this.#hashes.set(file.path, known);
    const size = lie?.sizeBytes ?? file.sizeBytes;
    const hash = lie?.hash ?? known;
    const entry = { rfilename: file.path, size };
    if (!file.isLarge) return { ...entry, blobId: hash };
    return { ...entry, blobId: 'c'.repeat(40), lfs: { sha256: hash, size, pointerSize: 135 } };
  }

  #serveStorage(request: IncomingMessage, response: ServerResponse): void {
    const url = this.#note('storage', request);
    const signature = url.searchParams.get('signature') ?? '';
    const uses = this.#signatures.get(signature) ?? Number.POSITIVE_INFINITY;
    this.#signatures.set(signature, uses + 1);
    const file = this.#options.files.find(({ path }) => url.pathname === `/${path}`);
    if (uses >= (this.#options.signatureUses ?? Number.POSITIVE_INFINITY) || file === undefined) {
      response.writeHead(403).end();
      return;
    }
    this.#sendBytes(file, 'storage', request, response);
  }

  #sendBytes(
    file: FakeFile,
    where: 'hub' | 'storage',
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const fault = this.fault(where, file.path);
    if (fault?.kind === 'answer') {
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    const totalBytes = file.sizeBytes + (fault?.kind === 'longer' ? fault.bytes : 0);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const isRange = first !== undefined && this.#options.servesRanges !== false;
    const from = isRange ? Number(first) : 0;
    const to = isRange ? Math.min(Number(last), totalBytes - 1) : totalBytes - 1;
    if (from >= totalBytes && totalBytes > 0) {
      response.writeHead(416, { 'content-range': `bytes */${totalBytes}` }).end();
      return;
    }
    response.writeHead(isRange ? 206 : 200, {
      'content-length': to - from + 1,
      ...(isRange ? { 'content-range': `bytes ${from}-${to}/${totalBytes}` } : {}),
    });
    void pour(file, { from, to, fault }, response).catch(() => response.destroy());
  }
}

async function pour(
  file: FakeFile,
  part: { readonly from: number; readonly to: number; readonly fault: HubFault | undefined },
  response: ServerResponse,
): Promise<void> {
  const { from, to, fault } = part;
  const stopsAfter =
    fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.afterBytes : Number.POSITIVE_INFINITY;
  for (let at = from; at <= to && !response.destroyed; ) {
    const leftBytes = Math.min(to - at + 1, stopsAfter - (at - from));
    if (leftBytes <= 0) break;
    const block = Buffer.allocUnsafe(Math.min(1 << 20, leftBytes));
    file.fill(at, block);
    if (fault?.kind === 'corrupt' && fault.at >= at && fault.at < at + block.length) {
      block.writeUInt8(block.readUInt8(fault.at - at) ^ 1, fault.at - at);
    }
    at += block.length;
    // Until the system has it, so that what is broken off afterwards has that many bytes on the way. A reader that is gone
    // closes the response, and nobody calls back.
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.write(block, () => {
        response.off('close', resolve);
        resolve();
      });
    });
  }
  if (fault?.kind === 'stall') return;
  if (fault?.kind === 'cut') {
    response.destroy();
    return;
  }
  response.end();
}

function portOf(server: Server): number {
  // It listens on a host and port, so its address is one.
  return (server.address() as AddressInfo).port;
}
