/** In front of moto: hands everything on, but for what `GAPS` says that moto lacks. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Moto } from './moto.js';
import { type Behind, GAPS } from './moto-gaps.js';
import { type Answered, type Asked, readAll } from './moto-messages.js';
import { MotoStacks } from './moto-stacks.js';

export class MotoProxy implements Behind {
  readonly moto: Moto;
  /** What moto does not remember of its stacks. */
  readonly stacks: MotoStacks;
  /** Checksums of parts in S3, by upload and number. */
  readonly parts = new Map<string, string>();
  readonly #server: Server;

  private constructor(moto: Moto) {
    this.moto = moto;
    this.stacks = new MotoStacks(moto);
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
      });
    });
  }

  static async open(moto: Moto): Promise<MotoProxy> {
    const proxy = new MotoProxy(moto);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get host(): string {
    // A TCP server that listens has an address object.
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.host}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Hands a request on to moto as it is, or with another body. */
  async pass(asked: Asked, body: Buffer | string = asked.body): Promise<Answered> {
    const bytes = Buffer.from(body);
    const headers = { ...asked.headers, 'content-length': String(bytes.length) };
    return await this.moto.carry(asked, { headers, body: bytes });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const { method = '', url: path = '', headers } = request;
    const asked: Asked = { method, path, headers, body, operation: operationOf(method, path, headers, body) };
    const gap = GAPS.find(({ of }) => of === asked.operation);
    const answered = (await gap?.answer?.(asked, this)) ?? (await this.pass(asked));
    const { 'transfer-encoding': _, connection: __, ...kept } = answered.headers;
    response.writeHead(answered.status, kept);
    response.end(method === 'HEAD' ? undefined : answered.body);
  }
}

function operationOf(method: string, path: string, headers: Asked['headers'], body: Buffer): string {
  if (path.startsWith('/v2/')) return `registry:${method}`;
  const scope = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(
    String(headers['authorization']),
  );
  const service = scope?.[1] ?? '';
  if (service === 's3') return `s3:${storeOperation(method, path)}`;
  const target = headers['x-amz-target'];
  const action =
    typeof target === 'string'
      ? target.split('.').at(-1)
      : new URLSearchParams(body.toString()).get('Action');
  return `${service}:${action ?? ''}`;
}

/** Those of S3 that have a row; empty for all others. */
function storeOperation(method: string, path: string): string {
  const { pathname, searchParams } = new URL(path, 'http://moto');
  if (method === 'GET' && searchParams.has('uploads')) return 'ListMultipartUploads';
  if (method === 'GET' && searchParams.has('uploadId')) return 'ListParts';
  if (method === 'PUT' && searchParams.has('partNumber')) return 'UploadPart';
  // A bucket has no second slash.
  const isObject = /^\/[^/]+\/./.test(pathname);
  if (method === 'HEAD' && isObject) return 'HeadObject';
  return method === 'PUT' && isObject ? 'PutObject' : '';
}
