/**
 * ECR as far as an image needs it: its API for the real client, and the registry behind it for real builders (the push half of
 * the OCI distribution protocol, with the password that the API gives out). It keeps state and refuses what ECR refuses.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Aws } from '../../src/aws/aws.js';
import type { WireRequest, WireResponse } from './wire.js';

export const PASSWORD = 'password-of-twelve-hours';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

interface Manifest {
  readonly text: string;
  readonly mediaType: string;
}

export interface FakeRepository {
  readonly settings: Readonly<Record<string, unknown>>;
  lifecyclePolicy: string | undefined;
  readonly tags: Map<string, string>;
  readonly manifests: Map<string, Manifest>;
}

interface PutImage {
  readonly imageManifest: string;
  readonly imageManifestMediaType: string;
  readonly imageTag: string;
}

// biome-ignore lint/suspicious/noExplicitAny: each call has another shape
const nameIn = (input: any): string =>
  input.repositoryName ?? input.repositoryNames?.[0] ?? input.resourceArn?.split('repository/')[1] ?? '';

const STATUS: Readonly<Record<string, number>> = { AccessDeniedException: 403, ServerException: 500 };

class Refusal extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

export class FakeEcr {
  readonly repositories = new Map<string, FakeRepository>();
  readonly calls: string[] = [];
  readonly pushes: string[] = [];
  readonly #blobs = new Map<string, Buffer>();
  readonly #sessions = new Map<string, Buffer[]>();
  readonly #server: Server;
  #tls: TlsServer | undefined;
  /** What a call is refused with. `name` is the repository's. */
  fault: (call: string, name: string) => string | undefined = () => undefined;
  /** Whether the line is cut before the work is done, or after it. */
  cut: () => 'before' | 'after' | undefined = () => undefined;
  /** Where layers are fetched from; this server where nothing else is said. */
  origin: string | undefined;
  /** Images on a page of a list. */
  pageSize = 2;

  constructor() {
    this.#server = createServer((request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** The registry over TLS as well, as real builders want it. @returns Host and port, and what to trust (PEM) */
  async listenTls(): Promise<{ readonly host: string; readonly authority: string }> {
    // Loaded where it is needed: that takes longer than most tests that only want ECR's API.
    const { generate } = await import('selfsigned');
    const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    this.#tls = createTlsServer({ cert, key }, (request, response) => {
      this.handle(request, response).catch(() => response.destroy());
    });
    this.#tls.listen(0, '127.0.0.1');
    await once(this.#tls, 'listening');
    // It listens on a host and port, so its address is one.
    return { host: `127.0.0.1:${(this.#tls.address() as AddressInfo).port}`, authority: cert };
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#tls]) {
      if (server === undefined) continue;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    }
  }

  /** Host and port, as a registry is named. */
  get host(): string {
    // It listens on a host and port, so its address is one.
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  aws(region = 'eu-central-1'): Aws {
    return new Aws({
      region,
      endpointUrl: `http://${this.host}`,
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    });
  }

  /** Lays an image there, as if it had been pushed. @returns Its digest */
  lay(name: string, tag: string, config: unknown, mediaType = DOCKER_MANIFEST): string {
    const blob = Buffer.from(JSON.stringify(config));
    this.#blobs.set(digestOf(blob), blob);
    const text = JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: { digest: digestOf(blob) },
      layers: [],
    });
    return this.#putManifest(this.repository(name), tag, { text, mediaType });
  }

  /** The configuration of a pushed image. */
  configOf(name: string, tag: string): unknown {
    const { manifests, tags } = this.repository(name);
    const { config } = JSON.parse(manifests.get(tags.get(tag) ?? '')?.text ?? '{}') as {
      config: { digest: string };
    };
    return JSON.parse(this.#blobs.get(config.digest)?.toString() ?? 'null');
  }

  repository(name: string): FakeRepository {
    const found = this.repositories.get(name) ?? {
      settings: {},
      lifecyclePolicy: undefined,
      tags: new Map(),
      manifests: new Map(),
    };
    this.repositories.set(name, found);
    return found;
  }

  #putManifest(repository: FakeRepository, tag: string, manifest: Manifest): string {
    const digest = digestOf(Buffer.from(manifest.text));
    repository.manifests.set(digest, manifest);
    repository.tags.set(tag, digest);
    return digest;
  }

  /** Answers one request, of the API or of the registry. */
  async handle(request: WireRequest, response: WireResponse): Promise<void> {
    const blocks: Buffer[] = [];
    for await (const block of request) blocks.push(block as Buffer);
    const body = Buffer.concat(blocks);
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname.startsWith('/v2/')) {
      this.#serveRegistry(request, url, body, response);
      return;
    }
    const call = (request.headers['x-amz-target'] ?? '').toString().split('.').at(-1) ?? '';
    this.calls.push(call);
    try {
      const input = JSON.parse(body.toString());
      const fault = this.fault(call, nameIn(input));
      if (fault !== undefined) throw new Refusal(fault);
      const cut = this.cut();
      const answer = cut === 'before' ? undefined : this.#answer(call, input);
      if (cut !== undefined) {
        request.socket.destroy();
        return;
      }
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const status = STATUS[error.code] ?? 400;
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ __type: error.code, message: error.code }));
    }
  }

  // The client has checked its input against the service's model.
  // biome-ignore lint/suspicious/noExplicitAny: each call has another shape
  #answer(call: string, input: any): unknown {
    const name = nameIn(input);
    const existing = (): FakeRepository => {
      const found = this.repositories.get(name);
      if (found === undefined) throw new Refusal('RepositoryNotFoundException');
      return found;
    };
    const image = (): { readonly digest: string; readonly manifest: Manifest } => {
      const { tags, manifests } = existing();
      const [{ imageTag, imageDigest } = { imageTag: '', imageDigest: undefined }] = input.imageIds;
      const digest = imageDigest ?? tags.get(imageTag) ?? '';
      const manifest = manifests.get(digest);
      if (manifest === undefined) throw new Refusal('ImageNotFoundException');
      return { digest, manifest };
    };
    switch (call) {
      case 'DescribeRepositories':
        return { repositories: [{ repositoryName: name, ...existing().settings }] };
      case 'CreateRepository':
        if (this.repositories.has(name)) throw new Refusal('RepositoryAlreadyExistsException');
        this.repositories.set(name, { ...this.repository(name), settings: input });
        return { repository: { repositoryName: name } };
      case 'PutLifecyclePolicy':
        existing().lifecyclePolicy = input.lifecyclePolicyText;
        return {};
      case 'GetAuthorizationToken':
        return {
          authorizationData: [{ authorizationToken: Buffer.from(`AWS:${PASSWORD}`).toString('base64') }],
        };
      case 'DescribeImages': {
        const all = [...existing().manifests.keys()];
        const wanted = input.imageIds === undefined ? all : [image().digest];
        const at = Number(input.nextToken ?? 0);
        const next = at + this.pageSize;
        return {
          imageDetails: wanted.slice(at, next).map((digest) => this.#detailOf(existing(), digest)),
          ...(next < wanted.length ? { nextToken: String(next) } : {}),
        };
      }
      case 'PutImage':
        return this.#retag(existing(), input);
      case 'BatchDeleteImage':
        for (const { imageTag, imageDigest } of input.imageIds) {
          this.#deleteImage(existing(), imageTag, imageDigest);
        }
        return { imageIds: input.imageIds, failures: [] };
      case 'ListTagsForResource':
        return { tags: this.#named(input.resourceArn.split('repository/')[1]).settings['tags'] ?? [] };
      case 'DeleteRepository':
        if (existing().manifests.size > 0 && input.force !== true) {
          throw new Refusal('RepositoryNotEmptyException');
        }
        this.repositories.delete(name);
        return {};
      case 'BatchGetImage': {
        const [id] = input.imageIds;
        const { tags, manifests } = existing();
        if (!manifests.has(id.imageDigest ?? tags.get(id.imageTag))) {
          return { images: [], failures: [{ imageId: id, failureCode: 'ImageNotFound' }] };
        }
        const { digest, manifest } = image();
        return {
          images: [
            {
              imageId: { imageDigest: digest },
              imageManifest: manifest.text,
              imageManifestMediaType: manifest.mediaType,
            },
          ],
        };
      }
      case 'GetDownloadUrlForLayer':
        return {
          downloadUrl: `${this.origin ?? `http://${this.host}`}/v2/${name}/blobs/${input.layerDigest}?signature=s`,
        };
      default:
        throw new Refusal('UnknownOperationException');
    }
  }

  #named(name: string): FakeRepository {
    const found = this.repositories.get(name);
    if (found === undefined) throw new Refusal('RepositoryNotFoundException');
    return found;
  }

  #detailOf({ tags, manifests }: FakeRepository, digest: string): unknown {
    const own = [...tags].filter(([, of]) => of === digest).map(([tag]) => tag);
    return {
      imageDigest: digest,
      imageSizeInBytes: 2e9,
      imageManifestMediaType: manifests.get(digest)?.mediaType,
      ...(own.length === 0 ? {} : { imageTags: own }),
    };
  }

  /** Tags are immutable: one that is there stays where it is. */
  #retag(repository: FakeRepository, { imageManifest, imageTag, imageManifestMediaType }: PutImage): unknown {
    const digest = digestOf(Buffer.from(imageManifest));
    const there = repository.tags.get(imageTag);
    if (there !== undefined) {
      throw new Refusal(there === digest ? 'ImageAlreadyExistsException' : 'ImageTagAlreadyExistsException');
    }
    this.#putManifest(repository, imageTag, { text: imageManifest, mediaType: imageManifestMediaType });
    return { image: { imageId: { imageDigest: digest, imageTag } } };
  }

  /** With its last tag an image goes; by its digest with all of them. */
  #deleteImage(
    { tags, manifests }: FakeRepository,
    tag: string | undefined,
    digest: string | undefined,
  ): void {
    const of = digest ?? tags.get(tag ?? '');
    for (const [one, target] of [...tags]) {
      if (one === tag || (digest !== undefined && target === digest)) tags.delete(one);
    }
    if (of !== undefined && ![...tags.values()].includes(of)) manifests.delete(of);
  }

  /** https://distribution.github.io/distribution/spec/api: enough for a push, and for reading one blob back. */
  #serveRegistry(request: WireRequest, url: URL, body: Buffer, response: WireResponse): void {
    const expected = `Basic ${Buffer.from(`AWS:${PASSWORD}`).toString('base64')}`;
    const isSigned = url.searchParams.has('signature');
    if (request.headers.authorization !== expected && !isSigned) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="fake"' }).end();
      return;
    }
    const [, name = '', kind, rest = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    if (name === '') {
      response.writeHead(200, { 'docker-distribution-api-version': 'registry/2.0' }).end('{}');
      return;
    }
    if (!this.repositories.has(name)) {
      response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
      return;
    }
    if (kind === 'manifests') this.#serveManifest(request, name, rest, body, response);
    else this.#serveBlob(request, url, rest, body, response);
  }

  #serveManifest(
    request: WireRequest,
    name: string,
    tag: string,
    body: Buffer,
    response: WireResponse,
  ): void {
    const repository = this.repository(name);
    if (request.method !== 'PUT') {
      const manifest = repository.manifests.get(repository.tags.get(tag) ?? tag);
      if (manifest === undefined) {
        response.writeHead(404).end();
        return;
      }
      response
        .writeHead(200, {
          'content-type': manifest.mediaType,
          'docker-content-digest': digestOf(Buffer.from(manifest.text)),
        })
        .end(request.method === 'HEAD' ? undefined : manifest.text);
      return;
    }
    if (repository.tags.has(tag)) {
      const message = `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the repository is immutable.`;
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'TAG_INVALID', message }] }));
      return;
    }
    const mediaType = request.headers['content-type'] ?? '';
    const digest = this.#putManifest(repository, tag, { text: body.toString(), mediaType });
    this.pushes.push(`${name}:${tag}`);
    response.writeHead(201, { 'docker-content-digest': digest, location: `/v2/${name}/manifests/${digest}` });
    response.end();
  }

  #serveBlob(request: WireRequest, url: URL, rest: string, body: Buffer, response: WireResponse): void {
    if (rest.startsWith('sha256:')) {
      const blob = this.#blobs.get(rest);
      response.writeHead(blob === undefined ? 404 : 200, {
        'content-length': blob?.length ?? 0,
        ...(blob === undefined ? {} : { 'docker-content-digest': rest }),
      });
      response.end(request.method === 'HEAD' ? undefined : blob);
      return;
    }
    const id = rest.replace(/^uploads\//, '') || randomBytes(6).toString('hex');
    const path = `${url.pathname.replace(/\/uploads\/.*$/, '')}/uploads/${id}`;
    const blocks = [...(this.#sessions.get(id) ?? []), body];
    this.#sessions.set(id, blocks);
    const digest = url.searchParams.get('digest');
    if (request.method === 'PUT' && digest !== null) {
      const blob = Buffer.concat(blocks);
      if (digestOf(blob) !== digest) {
        response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
        return;
      }
      this.#blobs.set(digest, blob);
      response.writeHead(201, { location: path, 'docker-content-digest': digest }).end();
      return;
    }
    const receivedBytes = blocks.reduce((sum, block) => sum + block.length, 0);
    response.writeHead(202, { location: path, range: `0-${Math.max(receivedBytes - 1, 0)}` }).end();
  }
}
