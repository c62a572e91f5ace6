import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hubNameOf } from '../../src/store/hub-listing.js';
import {
  listModels,
  type PullOptions,
  type PullProgress,
  pullModel,
  removeModel,
  verifyModel,
} from '../../src/store/model-store.js';
import { resolveModel } from '../../src/store/resolve.js';
import { type LocalServer, noise, serve, sha256, temporaryFolder } from './fake-registry.js';

const NAME = 'hf:toys/moonshine-toy';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const FILES: Readonly<Record<string, Buffer>> = {
  'README.md': Buffer.from('# toy'),
  'config.json': Buffer.from('{"model_type":"moonshine"}'),
  'tokenizer.json': noise(9000, 5),
  'onnx/encoder_model.onnx': noise(90_000, 17),
  'onnx/encoder_model_quantized.onnx': noise(200_000, 19),
  'onnx/decoder_model_merged_quantized.onnx': noise(300_000, 23),
};
const DECODER = 'onnx/decoder_model_merged_quantized.onnx';

/** Treats one request for a file; returns true when it answered. */
type Special = (request: IncomingMessage, response: ServerResponse, path: string) => boolean;

let root: string;
let hub: LocalServer;
const servers: LocalServer[] = [];
/** Bytes of files that the hub sent. */
let sentBytes: number;
let ranges: string[];
let unfinished: ServerResponse | undefined;

beforeEach(async () => {
  unfinished = undefined;
  root = await temporaryFolder();
  sentBytes = 0;
  ranges = [];
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(root, { recursive: true, force: true });
});

function listingOf(files: Readonly<Record<string, Buffer>>): unknown {
  const siblings = Object.entries(files).map(([rfilename, bytes]) => {
    const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const lfs = rfilename.endsWith('.onnx') ? { lfs: { sha256: sha256(bytes), size: bytes.length } } : {};
    return { rfilename, size: bytes.length, blobId: git, ...lfs };
  });
  return { id: 'toys/moonshine-toy', sha: COMMIT, siblings, cardData: { license: 'mit', language: ['en'] } };
}

/** A hub with one repository. */
async function serveHub(special: Special = () => false, listing = listingOf(FILES)): Promise<void> {
  hub = await serve((request, response) => {
    const url = request.url ?? '';
    if (url === '/api/models/toys/moonshine-toy/revision/main?blobs=true') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(listing));
      return;
    }
    const prefix = `/toys/moonshine-toy/resolve/${COMMIT}/`;
    const path = decodeURIComponent(url.slice(prefix.length));
    const bytes = FILES[path];
    if (!url.startsWith(prefix) || bytes === undefined) {
      response.writeHead(404).end('Repository not found');
      return;
    }
    if (!special(request, response, path)) sendFile(request, response, bytes);
  });
  servers.push(hub);
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
  { upTo = bytes.length } = {},
): void {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const from = Number(match?.[1] ?? 0);
  if (match !== null) ranges.push(match[0]);
  const head = { 'content-length': bytes.length - from };
  const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  response.writeHead(match === null ? 200 : 206, match === null ? head : { ...head, ...range });
  const part = bytes.subarray(from, Math.max(from, upTo));
  sentBytes += part.length;
  if (upTo === bytes.length) {
    response.end(part);
    return;
  }
  response.write(part);
  unfinished = response;
}

/** Breaks an unfinished answer once some of it is on the disk: a break at once could lose all that was sent. */
function breakUnfinished(): void {
  unfinished?.destroy();
  unfinished = undefined;
}

function options(more: PullOptions = {}): PullOptions & { readonly root: string } {
  return { root, env: { HF_ENDPOINT: hub.url }, retryDelayMs: 0, ...more };
}

const wantedBytes = 26 + 9000 + 200_000 + 300_000;

async function expectWhole(): Promise<void> {
  expect(await verifyModel(NAME, { ...options() })).toEqual([]);
  expect(await readdir(join(root, 'staging'))).toEqual([]);
  const model = await resolveModel(NAME, options());
  expect(sha256(await readFile(model.files['decoder'] ?? ''))).toBe(
    sha256(FILES[DECODER] ?? Buffer.alloc(0)),
  );
}

describe('pulling from a hub', () => {
  it('picks the 8-bit export, checks every file and records the commit', async () => {
    await serveHub();
    const progress: PullProgress[] = [];
    const model = await pullModel(NAME, options({ onProgress: (now) => progress.push(now) }));
    const dir = join(root, 'models', 'hf--toys--moonshine-toy');
    expect(model).toEqual({
      kind: 'moonshine',
      name: NAME,
      dir,
      licence: 'mit',
      languages: ['en'],
      files: {
        encoder: join(dir, 'encoder_model_quantized.onnx'),
        decoder: join(dir, 'decoder_model_merged_quantized.onnx'),
        tokenizer: join(dir, 'tokenizer.json'),
        config: join(dir, 'config.json'),
      },
    });
    await expectWhole();
    expect(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')).source).toEqual({
      type: 'hub',
      repo: 'toys/moonshine-toy',
      revision: COMMIT,
    });
    expect(progress.at(-1)).toEqual({ receivedBytes: wantedBytes, totalBytes: wantedBytes });
    const listed = (await listModels({ ...options(), catalogue: [] }))[0];
    expect(listed).toMatchObject({ name: NAME, state: 'present', sizeBytes: wantedBytes, licence: 'mit' });
    const before = hub.requests.length;
    await pullModel(NAME, options());
    expect(hub.requests.length).toBe(before);
    expect(await removeModel(NAME, options())).toBe(true);
    await expect(resolveModel(NAME, options())).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  it('goes on within one pull when the connection breaks, again and again', async () => {
    await serveHub((request, response, path) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0] ?? 0);
      if (path !== DECODER || from > 250_000) return false;
      sendFile(request, response, FILES[path] ?? Buffer.alloc(0), { upTo: from + 50_000 });
      return true;
    });
    await pullModel(NAME, options({ onProgress: breakUnfinished }));
    await expectWhole();
    expect(ranges.length).toBeGreaterThan(3);
  });

  it('goes on in the next pull where the last one gave up', async () => {
    let isDown = false;
    await serveHub((request, response, path) => {
      if (path !== DECODER || request.headers.range !== undefined) {
        if (isDown) response.destroy();
        return isDown;
      }
      isDown = true;
      sendFile(request, response, FILES[path] ?? Buffer.alloc(0), { upTo: 200_000 });
      return true;
    });
    const failing = pullModel(NAME, options({ onProgress: breakUnfinished }));
    await expect(failing).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('broke off. Run again to go on.'),
    });
    expect(await readdir(join(root, 'models'))).toEqual([]);
    expect(await readdir(join(root, 'staging'))).toHaveLength(1);
    isDown = false;
    const before = sentBytes;
    const progress: PullProgress[] = [];
    await pullModel(NAME, options({ onProgress: (now) => progress.push(now) }));
    await expectWhole();
    // What came before the break was not sent again: only the rest of the decoder came.
    expect(sentBytes - before).toBeLessThan(300_000);
    expect(ranges.length).toBeGreaterThan(0);
    expect(progress.at(-1)?.receivedBytes).toBe(wantedBytes);
  });

  it.each([
    ['sends everything again', 200],
    ['refuses the range', 416],
    ['sends another range', 206],
  ])('starts over when the hub %s', async (_, status) => {
    let broke = false;
    let odd = false;
    await serveHub((request, response, path) => {
      const bytes = FILES[path] ?? Buffer.alloc(0);
      if (path !== DECODER) return false;
      if (!broke) {
        broke = true;
        sendFile(request, response, bytes, { upTo: 100_000 });
        return true;
      }
      if (request.headers.range === undefined || odd) return false;
      odd = true;
      if (status === 416) response.writeHead(416).end();
      else if (status === 200) response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
      else
        response.writeHead(206, { 'content-range': `bytes 0-9/${bytes.length}` }).end(bytes.subarray(0, 10));
      return true;
    });
    await pullModel(NAME, options({ onProgress: breakUnfinished }));
    await expectWhole();
    const asked = hub.requests.filter((request) => request.endsWith(DECODER));
    // The broken one, the odd one, and where that one brought nothing, one from the start.
    expect(asked).toHaveLength(status === 200 ? 2 : 3);
  });

  it('may run several times at once', async () => {
    await serveHub();
    await Promise.all([1, 2, 3].map(() => pullModel(NAME, options())));
    await expectWhole();
  });

  it('breaks off when aborted, keeps what came, and goes on later', async () => {
    const reason = new Error('enough');
    const abort = new AbortController();
    let isFirst = true;
    await serveHub((_, response, path) => {
      if (path !== DECODER || !isFirst) return false;
      isFirst = false;
      const bytes = FILES[path] ?? Buffer.alloc(0);
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 1000));
      return true;
    });
    const onProgress = ({ receivedBytes }: PullProgress): void => {
      if (receivedBytes > 200_000) abort.abort(reason);
    };
    await expect(pullModel(NAME, options({ signal: abort.signal, onProgress }))).rejects.toBe(reason);
    await pullModel(NAME, options());
    await expectWhole();
    expect(ranges).toEqual(['bytes=1000-']);
  });
});

describe('a hub that does not give', () => {
  it.each([
    [401, 'HF_TOKEN'],
    [403, 'HF_TOKEN'],
    [404, 'The server has no hub repository toys/moonshine-toy'],
    [500, 'Run again'],
  ])('answers %i and the sentence says what to do', async (status, sentence) => {
    hub = await serve((_, response) => response.writeHead(status).end('no'));
    servers.push(hub);
    await expect(pullModel(NAME, options())).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining(sentence),
    });
  });

  it('is not a hub at all', async () => {
    for (const body of ['<html>Please log in</html>', '[]', '{"sha":"x","siblings":[]}']) {
      hub = await serve((_, response) => response.end(body));
      servers.push(hub);
      await expect(pullModel(NAME, options())).rejects.toMatchObject({
        code: 'model_unavailable',
        message: expect.stringContaining('HF_ENDPOINT'),
      });
    }
  });

  it('holds no Moonshine model', async () => {
    await serveHub(
      undefined,
      listingOf({ 'model.safetensors': Buffer.alloc(10), 'onnx/encoder_model.onnx': Buffer.alloc(9) }),
    );
    await expect(pullModel(NAME, options())).rejects.toMatchObject({
      code: 'model_invalid',
      message: expect.stringMatching(/holds no Moonshine model: looked for .*decoder_model_merged/),
    });
  });

  it('sends other bytes than it announced: nothing of the file is kept', async () => {
    const wrong: readonly ((bytes: Buffer) => Buffer)[] = [
      (bytes) => Buffer.from(bytes.map((byte) => byte ^ 1)),
      (bytes) => Buffer.concat([bytes, bytes.subarray(0, 1)]),
    ];
    for (const path of [DECODER, 'tokenizer.json']) {
      for (const change of wrong) {
        await serveHub((_, response, asked) => {
          const bytes = FILES[asked];
          if (asked !== path || bytes === undefined) return false;
          response.end(change(bytes));
          return true;
        });
        await expect(pullModel(NAME, options())).rejects.toMatchObject({
          code: 'model_unavailable',
          message: expect.stringContaining('checksum differs'),
        });
        const [staging = ''] = await readdir(join(root, 'staging'));
        const left = await readdir(join(root, 'staging', staging));
        expect(left.filter((name) => name.startsWith(path.replace('onnx/', '')))).toEqual([]);
        expect(await readdir(join(root, 'models'))).toEqual([]);
      }
    }
    await serveHub();
    await pullModel(NAME, options());
    await expectWhole();
  });

  it('is too short for ever: the pull ends', async () => {
    await serveHub((_, response, path) => {
      if (path !== DECODER) return false;
      response.end();
      return true;
    });
    await expect(pullModel(NAME, options())).rejects.toMatchObject({ code: 'model_unavailable' });
    expect(hub.requests.filter((request) => request.includes('decoder')).length).toBeLessThan(10);
  });
});

describe('the token', () => {
  it('goes to the hub, and not to the storage it redirects to', async () => {
    const seen: (string | undefined)[] = [];
    const storage = await serve((request, response) => {
      seen.push(request.headers.authorization);
      sendFile(request, response, FILES[DECODER] ?? Buffer.alloc(0));
    });
    servers.push(storage);
    await serveHub((request, response, path) => {
      expect(request.headers.authorization).toBe('Bearer hf_secret');
      if (path !== DECODER) return false;
      response.writeHead(302, { location: `${storage.url}/blob` }).end();
      return true;
    });
    await pullModel(NAME, options({ env: { HF_ENDPOINT: `${hub.url}/`, HF_TOKEN: 'hf_secret' } }));
    await expectWhole();
    expect(seen).toEqual([undefined]);
  });

  it.each(['huggingface.co', 'ftp://huggingface.co', 'localhost:8080', '//'])(
    'is shown to nobody where HF_ENDPOINT is no address, and a sentence says so: %s',
    async (HF_ENDPOINT) => {
      await expect(
        pullModel(NAME, options({ env: { HF_ENDPOINT, HF_TOKEN: 'hf_secret' } })),
      ).rejects.toMatchObject({
        code: 'model_invalid',
        message: expect.stringMatching(/^HF_ENDPOINT is no address; set it to one such as https:/),
      });
    },
  );
});

describe('names of a hub', () => {
  it('are owner and name, with a revision if wanted', () => {
    expect(hubNameOf('hf:a/b')).toEqual({ repository: 'a/b', revision: undefined });
    expect(hubNameOf('hf:a-1/b.c_d@refs/pr/3')).toEqual({ repository: 'a-1/b.c_d', revision: 'refs/pr/3' });
    expect(hubNameOf('base')).toBeUndefined();
    for (const bad of [
      'hf:',
      'hf:a',
      'hf:a/b/c',
      'hf:../b',
      'hf:a/..',
      'hf:a/b@',
      'hf:a/b@../c',
      'hf:a/b?c',
    ]) {
      expect(() => hubNameOf(bad), bad).toThrow(/hf:owner\/name/);
    }
  });
});
