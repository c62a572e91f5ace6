import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { create } from 'tar';
import type { CatalogueEntry } from '../../src/store/catalogue.js';

/** A server on loopback, on a port of its own. */
export interface LocalServer {
  readonly url: string;
  /** `METHOD path` of each request, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Listens on a free port and closes every connection when it is closed. */
export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<LocalServer & { readonly server: Server }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.on('error', () => {});
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    server,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A folder of its own that the test removes. */
export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'kikitori-store-'));
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (state * 48_271) % 2_147_483_647;
    bytes[at] = state & 0xff;
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A model named `toy` as an npm package: two files of it wanted, two not. */
export interface ToyPackage {
  readonly entry: CatalogueEntry;
  readonly tarball: Buffer;
  readonly encoder: Buffer;
  readonly decoder: Buffer;
}

export async function packToy({ sizeBytes = 300_000 } = {}): Promise<ToyPackage> {
  const dir = await temporaryFolder();
  const encoder = noise(sizeBytes, 7);
  const decoder = noise(sizeBytes + 1, 11);
  const files: Record<string, Buffer> = {
    'package/package.json': Buffer.from('{"name":"@toy/model","version":"1.2.3"}'),
    'package/model/encoder.onnx': encoder,
    'package/model/other.onnx': noise(5000, 3),
    'package/model/decoder.onnx': decoder,
  };
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), bytes);
  }
  await create({ gzip: true, cwd: dir, file: join(dir, 'toy.tgz'), portable: true }, Object.keys(files));
  const tarball = await readFile(join(dir, 'toy.tgz'));
  await rm(dir, { recursive: true });
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return { entry: toyEntry(integrity, tarball.length, encoder, decoder), tarball, encoder, decoder };
}

function toyEntry(
  integrity: string,
  downloadBytes: number,
  encoder: Buffer,
  decoder: Buffer,
): CatalogueEntry {
  return {
    schema: 1,
    name: 'toy',
    kind: 'moonshine',
    description: 'A toy',
    licence: 'MIT',
    languages: ['en'],
    source: { type: 'npm', package: '@toy/model', version: '1.2.3', integrity },
    downloadBytes,
    files: [
      {
        role: 'encoder',
        name: 'encoder_model.onnx',
        from: 'package/model/encoder.onnx',
        sizeBytes: encoder.length,
        sha256: sha256(encoder),
      },
      {
        role: 'decoder',
        name: 'decoder_model_merged.onnx',
        from: 'package/model/decoder.onnx',
        sizeBytes: decoder.length,
        sha256: sha256(decoder),
      },
    ],
  };
}

/** How the registry treats the nth request for the tarball (from 1); undefined: it sends it all. */
export type TarballAnswer = (nth: number, response: ServerResponse, tarball: Buffer) => boolean;

/** An npm registry that knows one package. `integrity` may lie about it; `token` is asked for when given. */
export async function serveRegistry(
  toy: ToyPackage,
  options: { onTarball?: TarballAnswer; token?: string; integrity?: string } = {},
): Promise<LocalServer> {
  let tarballs = 0;
  const { package: name, version, integrity } = toy.entry.source;
  const local = await serve((request, response) => {
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`) {
      response.writeHead(401).end('{}');
      return;
    }
    if (request.url === '/@toy%2fmodel') {
      const tarball = `${local.url}/files/toy.tgz`;
      const dist = { tarball, integrity: options.integrity ?? integrity };
      const packument = {
        name,
        'dist-tags': { latest: version },
        versions: { [version]: { name, version, dist, dependencies: { broken: 'file:../nowhere' } } },
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(packument));
      return;
    }
    if (request.url !== '/files/toy.tgz') {
      response.writeHead(404).end('{}');
      return;
    }
    tarballs += 1;
    if (options.onTarball?.(tarballs, response, toy.tarball) === true) return;
    response.writeHead(200, { 'content-length': toy.tarball.length }).end(toy.tarball);
  });
  return local;
}

/** Sends the head and half of the bytes, then breaks the connection (or, when told, sends nothing more). */
export function sendHalf(response: ServerResponse, bytes: Buffer, { thenStall = false } = {}): void {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, bytes.length >> 1), () => {
    if (!thenStall) response.destroy();
  });
}
