/**
 * S3 as far as a copy needs it, over HTTP for the real client: objects, uploads in parts, their checksums, pages, owners. It
 * keeps state and refuses what S3 refuses, and can be told to fail.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client } from '@aws-sdk/client-s3';
import type { WireRequest, WireResponse } from './wire.js';

export interface FakeObject {
  /** Empty where the fake does not keep bytes. */
  readonly bytes: Buffer;
  readonly sizeBytes: number;
  readonly etag: string;
  /** As S3 tells it: with `-N` for N parts. */
  readonly checksum: string | undefined;
}

export interface FakeUpload {
  readonly key: string;
  readonly uploadId: string;
  beganAt: Date;
  readonly algorithm: string | undefined;
  readonly parts: Map<number, FakeObject>;
}

/** What goes wrong with a request: an answer, a connection that breaks while it is read, or an answer that is lost. */
export type S3Fault =
  | { readonly kind: 'answer'; readonly status: number; readonly code: string }
  | { readonly kind: 'reset'; readonly afterBytes: number }
  | { readonly kind: 'lose-answer' };

export interface FakeS3Options {
  /** False for a sink: of what is larger than a megabyte, size and checksum only. */
  readonly keepsBytes?: boolean;
  readonly pageSize?: number;
  readonly bucket?: string;
  readonly owner?: string;
  readonly region?: string;
  /** S3's is 5 MiB; tests with small files say less. */
  readonly partBytesMin?: number;
  readonly fault?: (operation: string, key: string) => S3Fault | undefined;
}

interface Call {
  readonly operation: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: WireRequest;
  readonly body: Buffer;
}

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (mark) => `&#${mark.charCodeAt(0)};`);
const tag = (name: string, value: string | number | boolean | undefined): string =>
  value === undefined ? '' : `<${name}>${escapeXml(String(value))}</${name}>`;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

export class FakeS3 {
  readonly bucket: string;
  readonly objects = new Map<string, FakeObject>();
  readonly uploads = new Map<string, FakeUpload>();
  /** Every operation that was answered or failed, in order. */
  readonly operations: string[] = [];
  readonly #options: FakeS3Options;
  readonly #server: Server;
  fault: (operation: string, key: string) => S3Fault | undefined;
  isThere = true;
  /** What was set of the bucket: the bodies, by operation. */
  readonly settings = new Map<string, string>();

  constructor(options: FakeS3Options = {}) {
    this.#options = options;
    this.bucket = options.bucket ?? 'models';
    this.fault = options.fault ?? (() => undefined);
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      this.handle(request, response).catch(() => request.destroy());
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  get port(): number {
    // It listens on a host and port, so its address is one.
    return (this.#server.address() as AddressInfo).port;
  }

  client(maxAttempts = 1): S3Client {
    return new S3Client({
      region: this.#options.region ?? 'eu-central-1',
      endpoint: `http://127.0.0.1:${this.port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
      maxAttempts,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
  }

  count(operation: string): number {
    return this.operations.filter((name) => name === operation).length;
  }

  /** Answers one request. */
  async handle(request: WireRequest, response: WireResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const [, bucket = '', ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    const operation = operationOf(request.method ?? '', key, url.searchParams);
    this.operations.push(operation);
    const fault = this.fault(operation, key);
    // A request that was not read to its end lets go of it.
    const { socket } = request;
    if (fault?.kind === 'reset') {
      let readBytes = 0;
      for await (const block of request) {
        readBytes += (block as Buffer).length;
        if (readBytes >= fault.afterBytes) break;
      }
      socket.destroy();
      return;
    }
    const body = await this.#read(request);
    let answer: {
      readonly status: number;
      readonly body: string | Buffer;
      readonly headers?: Record<string, string>;
    };
    try {
      if (fault?.kind === 'answer') throw new Refusal(fault.status, fault.code);
      if (operation !== 'CreateBucket') this.#checkBucket(bucket, request);
      const done = this.#perform({ operation, key, query: url.searchParams, request, body });
      answer = { status: 200, ...done };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = { status: error.status, body: `<Error>${tag('Code', error.code)}</Error>` };
    }
    if (fault?.kind === 'lose-answer') {
      socket.destroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/xml', ...answer.headers });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
  }

  async #read(request: WireRequest): Promise<Buffer> {
    const blocks: Buffer[] = [];
    for await (const block of request) blocks.push(block as Buffer);
    return Buffer.concat(blocks);
  }

  #checkBucket(bucket: string, request: WireRequest): void {
    if (bucket !== this.bucket || !this.isThere) throw new Refusal(404, 'NoSuchBucket');
    this.#checkOwner(request);
  }

  #checkOwner(request: WireRequest): void {
    const expected = request.headers['x-amz-expected-bucket-owner'];
    const owner = this.#options.owner ?? '111122223333';
    if (expected !== undefined && expected !== owner) throw new Refusal(403, 'AccessDenied');
  }

  #perform(call: Call): { readonly body: string | Buffer; readonly headers?: Record<string, string> } {
    const { operation, key } = call;
    switch (operation) {
      case 'HeadBucket':
        return { body: '', headers: { 'x-amz-bucket-region': this.#options.region ?? 'eu-central-1' } };
      case 'CreateBucket':
        if (this.isThere) throw new Refusal(409, 'BucketAlreadyOwnedByYou');
        this.isThere = true;
        this.settings.set(operation, call.body.toString());
        return { body: '' };
      case 'DeleteBucket':
        if (this.objects.size > 0) throw new Refusal(409, 'BucketNotEmpty');
        this.isThere = false;
        this.settings.clear();
        return { body: '' };
      case 'GetTagging':
        if (!this.settings.has('PutTagging')) throw new Refusal(404, 'NoSuchTagSet');
        return { body: this.settings.get('PutTagging') ?? '' };
      case 'PutPublicAccess':
      case 'PutLifecycle':
      case 'PutTagging':
        this.settings.set(operation, call.body.toString());
        return { body: '' };
      case 'ListObjects':
        return { body: this.#listObjects(call.query) };
      case 'ListUploads':
        return { body: this.#listUploads(call.query) };
      case 'PutObject': {
        const object = this.#checkedBody(call);
        this.objects.set(key, object);
        return { body: '', headers: headersOf(object) };
      }
      case 'HeadObject':
      case 'GetObject':
        return this.#get(call);
      case 'DeleteObjects':
        for (const [, found = ''] of call.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)) {
          this.objects.delete(found);
        }
        return { body: '<DeleteResult></DeleteResult>' };
      default:
        return this.#performUpload(call);
    }
  }

  #performUpload(call: Call): { readonly body: string | Buffer; readonly headers?: Record<string, string> } {
    const { operation, key, query } = call;
    switch (operation) {
      case 'BeginUpload': {
        const uploadId = randomBytes(8).toString('hex');
        const algorithm = call.request.headers['x-amz-checksum-algorithm'];
        const upload = {
          key,
          uploadId,
          beganAt: new Date(),
          algorithm: algorithm?.toString(),
          parts: new Map(),
        };
        this.uploads.set(uploadId, upload);
        return {
          body: `<InitiateMultipartUploadResult>${tag('UploadId', uploadId)}</InitiateMultipartUploadResult>`,
        };
      }
      case 'UploadPart': {
        const part = this.#checkedBody(call);
        this.#upload(key, query).parts.set(Number(query.get('partNumber')), part);
        return { body: '', headers: headersOf(part) };
      }
      case 'ListParts':
        return { body: this.#listParts(this.#upload(key, query), query) };
      case 'Complete':
        return { body: this.#complete(this.#upload(key, query), call) };
      case 'Abort':
        this.uploads.delete(this.#upload(key, query).uploadId);
        return { body: '' };
      default:
        throw new Refusal(501, 'NotImplemented');
    }
  }

  #upload(key: string, query: URLSearchParams): FakeUpload {
    const upload = this.uploads.get(query.get('uploadId') ?? '');
    if (upload?.key !== key) throw new Refusal(404, 'NoSuchUpload');
    return upload;
  }

  /** S3 compares what was declared and what was signed with what came. */
  #checkedBody({ request, body }: Call): FakeObject {
    const checksum = request.headers['x-amz-checksum-sha256']?.toString();
    const actual = checksum === undefined ? undefined : sha256(body);
    if (checksum !== actual) throw new Refusal(400, 'BadDigest');
    const keeps = this.#options.keepsBytes !== false || body.length < 1_000_000;
    const etag = `"${createHash('md5')
      .update(actual ?? body)
      .digest('hex')}"`;
    return { bytes: keeps ? body : Buffer.alloc(0), sizeBytes: body.length, etag, checksum };
  }

  #get({ key, request }: Call): { readonly body: Buffer; readonly headers: Record<string, string> } {
    const object = this.objects.get(key);
    if (object === undefined) throw new Refusal(404, 'NoSuchKey');
    const wantsChecksum = request.headers['x-amz-checksum-mode'] === 'ENABLED';
    const headers = {
      'content-length': String(object.sizeBytes),
      etag: object.etag,
      ...(wantsChecksum && object.checksum !== undefined ? { 'x-amz-checksum-sha256': object.checksum } : {}),
    };
    return { body: object.bytes, headers };
  }

  #complete(upload: FakeUpload, { body, request, key }: Call): string {
    const text = body.toString();
    const wanted = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)/.exec(part)?.[1]),
      etag: /<ETag>(.*?)<\/ETag>/.exec(part)?.[1]?.replaceAll('&quot;', '"'),
      checksum: /<ChecksumSHA256>(.*?)<\/ChecksumSHA256>/.exec(part)?.[1],
    }));
    const parts = wanted.map(({ number, etag, checksum }, index) => {
      const part = upload.parts.get(number);
      if (part === undefined || part.etag !== etag || part.checksum !== checksum)
        throw new Refusal(400, 'InvalidPart');
      if (number !== index + 1) throw new Refusal(400, 'InvalidPartOrder');
      const isLast = index === wanted.length - 1;
      const partBytesMin = this.#options.partBytesMin ?? 5 * 1024 * 1024;
      if (!isLast && part.sizeBytes < partBytesMin) throw new Refusal(400, 'EntityTooSmall');
      return part;
    });
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const declared = request.headers['x-amz-mp-object-size'];
    if (declared !== undefined && Number(declared) !== sizeBytes) throw new Refusal(400, 'InvalidRequest');
    const all = Buffer.concat(parts.map((part) => Buffer.from(part.checksum ?? '', 'base64')));
    this.objects.set(key, {
      bytes: Buffer.concat(parts.map((part) => part.bytes)),
      sizeBytes,
      etag: `"${upload.uploadId}-${parts.length}"`,
      checksum: `${sha256(all)}-${parts.length}`,
    });
    this.uploads.delete(upload.uploadId);
    return '<CompleteMultipartUploadResult></CompleteMultipartUploadResult>';
  }

  #listObjects(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    const page = keys.slice(0, this.#pageSize);
    const isTruncated = keys.length > page.length;
    const entries = page.map(
      (key) => `<Contents>${tag('Key', key)}${tag('Size', this.objects.get(key)?.sizeBytes)}</Contents>`,
    );
    const next = isTruncated ? tag('NextContinuationToken', page.at(-1)) : '';
    return `<ListBucketResult>${tag('KeyCount', page.length)}${tag('IsTruncated', isTruncated)}${next}${entries.join('')}</ListBucketResult>`;
  }

  #listUploads(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const after = `${query.get('key-marker') ?? ''}\u0000${query.get('upload-id-marker') ?? ''}`;
    const all = [...this.uploads.values()]
      .map((upload) => ({ upload, place: `${upload.key}\u0000${upload.uploadId}` }))
      .filter(({ upload, place }) => upload.key.startsWith(prefix) && (after === '\u0000' || place > after))
      .toSorted((one, other) => (one.place < other.place ? -1 : 1));
    const page = all.slice(0, this.#pageSize);
    const isTruncated = all.length > page.length;
    const last = page.at(-1)?.upload;
    const entries = page.map(
      ({ upload }) =>
        `<Upload>${tag('Key', upload.key)}${tag('UploadId', upload.uploadId)}${tag('Initiated', upload.beganAt.toISOString())}${tag('ChecksumAlgorithm', upload.algorithm)}</Upload>`,
    );
    const next = isTruncated
      ? `${tag('NextKeyMarker', last?.key)}${tag('NextUploadIdMarker', last?.uploadId)}`
      : '';
    return `<ListMultipartUploadsResult>${tag('IsTruncated', isTruncated)}${next}${entries.join('')}</ListMultipartUploadsResult>`;
  }

  #listParts(upload: FakeUpload, query: URLSearchParams): string {
    const after = Number(query.get('part-number-marker') ?? 0);
    const all = [...upload.parts]
      .filter(([number]) => number > after)
      .toSorted(([one], [other]) => one - other);
    const page = all.slice(0, this.#pageSize);
    const isTruncated = all.length > page.length;
    const entries = page.map(
      ([number, part]) =>
        `<Part>${tag('PartNumber', number)}${tag('Size', part.sizeBytes)}${tag('ETag', part.etag)}${tag('ChecksumSHA256', part.checksum)}</Part>`,
    );
    const next = isTruncated ? tag('NextPartNumberMarker', page.at(-1)?.[0]) : '';
    return `<ListPartsResult>${tag('IsTruncated', isTruncated)}${next}${entries.join('')}</ListPartsResult>`;
  }

  get #pageSize(): number {
    return this.#options.pageSize ?? 1_000;
  }
}

/** What S3 answers to bytes it took. */
function headersOf({ etag, checksum }: FakeObject): Record<string, string> {
  return checksum === undefined ? { etag } : { etag, 'x-amz-checksum-sha256': checksum };
}

function operationOf(method: string, key: string, query: URLSearchParams): string {
  const isUpload = query.has('uploadId');
  if (key === '') {
    if (method === 'HEAD') return 'HeadBucket';
    if (method === 'DELETE') return 'DeleteBucket';
    if (query.has('publicAccessBlock')) return 'PutPublicAccess';
    if (query.has('lifecycle')) return 'PutLifecycle';
    if (query.has('tagging')) return method === 'GET' ? 'GetTagging' : 'PutTagging';
    if (method === 'PUT') return 'CreateBucket';
    if (query.has('delete')) return 'DeleteObjects';
    return query.has('uploads') ? 'ListUploads' : 'ListObjects';
  }
  if (method === 'POST') return isUpload ? 'Complete' : 'BeginUpload';
  if (method === 'PUT') return isUpload ? 'UploadPart' : 'PutObject';
  if (method === 'DELETE') return 'Abort';
  if (method === 'HEAD') return 'HeadObject';
  return isUpload ? 'ListParts' : 'GetObject';
}
