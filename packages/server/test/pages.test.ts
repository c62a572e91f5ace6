import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPages } from '../src/http/load-pages.js';
import { createPages, type PageFile, type Pages } from '../src/http/pages.js';
import { PAGES_LIMITS } from '../src/limits.js';
import type { Upstream } from '../src/upstream.js';
import { startTestServer, type TestServer } from './test-server.js';

const HTML = `<!doctype html><title>Kikitori</title>${'<p>listening</p>'.repeat(50)}`;
const SCRIPT = 'export const words = 1;'.repeat(50);

let folder = '';
let pages: Pages;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-pages-'));
  await mkdir(join(folder, 'web', 'samples'), { recursive: true });
  await writeFile(join(folder, 'secret.html'), 'not a page');
  await writeFile(join(folder, 'web', 'index.html'), HTML);
  await writeFile(join(folder, 'web', 'captions.html'), HTML);
  await writeFile(join(folder, 'web', 'app-ABCD2345.js'), SCRIPT);
  await writeFile(join(folder, 'web', 'app-ABCD2345.js.map'), '{}');
  await writeFile(join(folder, 'web', 'worklet.js'), SCRIPT);
  await writeFile(join(folder, 'web', 'samples', 'ferry.flac'), 'fLaC');
  pages = await loadPages(join(folder, 'web'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const startWithPages = (apiKey?: string): Promise<TestServer> =>
  startTestServer({ server: { pages, ...(apiKey === undefined ? {} : { apiKey }) } });

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** As `fetch`, but the path is sent as it is written and nothing is unpacked. */
function ask(
  test: TestServer,
  path: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ port: test.server.port, path, method, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(Buffer.from(chunk));
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('pages', () => {
  it('are served with their type, HTML to be asked about again and hashed files for ever', async () => {
    await using test = await startWithPages();
    const kinds: [string, string, string][] = [
      ['/', 'text/html; charset=utf-8', 'no-cache'],
      ['/?x=1', 'text/html; charset=utf-8', 'no-cache'],
      ['/captions?lines=2', 'text/html; charset=utf-8', 'no-cache'],
      ['/app-ABCD2345.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
      ['/worklet.js', 'text/javascript; charset=utf-8', 'no-cache'],
      ['/samples/ferry.flac', 'audio/flac', 'no-cache'],
    ];
    for (const [path, type, caching] of kinds) {
      const { status, headers } = await ask(test, path);
      expect([status, headers['content-type'], headers['cache-control']], path).toEqual([200, type, caching]);
    }
  });

  it('bring a policy that lets nothing in but what this server serves', async () => {
    await using test = await startWithPages();
    const { headers } = await ask(test, '/');
    const host = `127.0.0.1:${test.server.port}`;
    const { headers: named } = await ask(test, '/', { headers: { host } });
    const policy = new Map(
      String(named['content-security-policy'])
        .split('; ')
        .map((line) => line.split(' '))
        .map(([name = '', ...sources]) => [name, sources]),
    );
    expect(policy.get('default-src')).toEqual(["'none'"]);
    // What `default-src` does not cover.
    for (const name of ['base-uri', 'form-action', 'frame-ancestors']) {
      expect(policy.get(name), name).toEqual(["'none'"]);
    }
    expect(policy.get('script-src')).toEqual(["'self'"]);
    expect(policy.get('worker-src')).toEqual(["'self'"]);
    const ownSources = new Set(["'none'", "'self'", 'data:', 'blob:', `ws://${host}`, `wss://${host}`]);
    expect([...policy.values()].flat().filter((source) => !ownSources.has(source))).toEqual([]);
    expect(policy.get('connect-src')).toEqual(["'self'", `ws://${host}`, `wss://${host}`]);
    expect(headers['permissions-policy']).toContain('microphone=(self), display-capture=(self)');
    expect(headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it('never let a request write into the policy', async () => {
    await using test = await startWithPages();
    for (const host of ["x; script-src 'unsafe-inline'", 'a b', 'evil.example:1:2', 'x,y', '*']) {
      const { headers } = await ask(test, '/', { headers: { host } });
      expect(headers['content-security-policy'], host).toContain("connect-src 'self'; worker-src");
    }
  });

  it('come compressed to whoever takes it, each form with a tag of its own', async () => {
    await using test = await startWithPages();
    const [br, gzip, plain, refused] = await Promise.all(
      ['gzip, deflate, br', 'gzip;q=0.5', 'deflate', 'br;q=0, gzip;q=0.0'].map((accepted) =>
        ask(test, '/', { headers: { 'accept-encoding': accepted } }),
      ),
    );
    expect(br?.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br?.body ?? '').toString()).toBe(HTML);
    expect(gzip?.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip?.body ?? '').toString()).toBe(HTML);
    for (const answer of [plain, refused]) {
      expect(answer?.headers['content-encoding']).toBeUndefined();
      expect(answer?.body.toString()).toBe(HTML);
    }
    const tags = [br, gzip, plain].map((answer) => answer?.headers['etag']);
    expect(new Set(tags).size).toBe(3);
    expect(plain?.headers['vary']).toBe('accept-encoding');
    const sound = await ask(test, '/samples/ferry.flac', { headers: { 'accept-encoding': 'br' } });
    expect(sound.headers['content-encoding']).toBeUndefined();
  });

  it('are not sent again to whoever has them', async () => {
    await using test = await startWithPages();
    const etag = String((await ask(test, '/')).headers['etag']);
    for (const condition of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await ask(test, '/', { headers: { 'if-none-match': condition } });
      expect([answer.status, answer.body.length, answer.headers['etag']], condition).toEqual([304, 0, etag]);
      expect(answer.headers['content-security-policy']).toBeDefined();
    }
    expect((await ask(test, '/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('answer HEAD with the headers alone, and other methods with 405', async () => {
    await using test = await startWithPages();
    const head = await ask(test, '/captions', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([
      200,
      String(HTML.length),
      0,
    ]);
    const post = await ask(test, '/', { method: 'POST' });
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('are looked up by their exact path: no trick leads out of the folder', async () => {
    await using test = await startWithPages();
    for (const path of [
      '/secret.html',
      '/../secret.html',
      '/..%2fsecret.html',
      '/%2e%2e/secret.html',
      '/samples/../index.html',
      '/index.html',
      '/captions/',
      '//',
      '/%00',
      '/app-ABCD2345.js.map',
      '/constructor',
      '/__proto__',
      'http://127.0.0.1/',
    ]) {
      const answer = await ask(test, path);
      expect([answer.status, answer.body.toString()], path).toEqual([404, '{"detail":"Not Found"}']);
    }
  });

  it('are open although a key is set, and say so to nobody else', async () => {
    await using test = await startWithPages('secret');
    expect((await ask(test, '/')).status).toBe(200);
    expect((await ask(test, '/captions')).status).toBe(200);
    expect((await ask(test, '/v1/models')).status).toBe(401);
  });

  it('are there while the model is still loading', async () => {
    const engine = new Promise<never>(() => {});
    await using test = await startTestServer({ server: { pages, engine } });
    expect((await ask(test, '/')).status).toBe(200);
    expect((await ask(test, '/v1/page')).status).toBe(503);
  });

  it('and others that are let in are told when to come back while it is loading', async () => {
    const engine = new Promise<never>(() => {});
    const origin = 'app://obsidian.md';
    await using test = await startTestServer({ server: { pages, engine, allowedOrigins: [origin] } });
    const asked = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'x-stainless-os',
    };
    const url = `${test.url}/v1/audio/transcriptions`;
    const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin, ...asked } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, content-type, x-stainless-os',
    ]);
    const answer = await fetch(url, { method: 'POST', headers: { origin } });
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([503, origin]);
    const readable = answer.headers.get('access-control-expose-headers')?.split(', ');
    expect(readable).toEqual(expect.arrayContaining(['retry-after', 'x-kikitori-remarks']));
    expect(
      (await fetch(url, { headers: { origin: 'https://evil.example' } })).headers.get('vary'),
    ).toBeNull();
  });

  it('that were not built say how to build them', async () => {
    await using test = await startTestServer({
      server: { pages: await loadPages(join(folder, 'not-there')) },
    });
    for (const path of ['/', '/captions']) {
      const answer = await ask(test, path);
      expect([answer.status, answer.body.toString()]).toEqual([
        404,
        expect.stringContaining('npm run build'),
      ]);
    }
    expect((await ask(test, '/health')).status).toBe(200);
  });

  it('refuse to stand where the server answers, to stand twice, and to be too many or too large', async () => {
    const file = (path: string, sizeBytes = 1): PageFile => ({
      path,
      type: 'text/plain',
      bytes: new Uint8Array(sizeBytes),
    });
    const { filesMax, totalBytesMax } = PAGES_LIMITS;
    const many = (count: number) => Array.from({ length: count }, (_, at) => file(`/${at}`));
    for (const files of [
      [file('/v1/models')],
      [file('/health')],
      [file('relative')],
      [file('/a'), file('/a')],
      many(filesMax + 1),
      [file('/a', totalBytesMax), file('/b')],
    ]) {
      await expect(createPages(files)).rejects.toMatchObject({ code: 'invalid_option' });
    }
    await createPages([...many(filesMax)]);
  });

  it('are not read further than they may be large', async () => {
    const huge = join(folder, 'huge');
    await mkdir(huge);
    await writeFile(join(huge, 'index.html'), HTML);
    await writeFile(join(huge, 'sound.wav'), '');
    await truncate(join(huge, 'sound.wav'), 2 ** 40);
    await expect(loadPages(huge)).rejects.toThrow(/too large/);
  });
});

/** A model server behind the engine, which is there. */
const BEHIND: Upstream = { label: '', missing: undefined, maxModelLen: undefined, losses: new Map() };

describe('/v1/page', () => {
  it('tells everybody who listens and whether a key is needed, and nothing secret', async () => {
    await using test = await startTestServer({ server: { apiKey: 'secret', models: ['a', 'b'] } });
    const answer = await fetch(`${test.url}/v1/page`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      models: ['a', 'b'],
      languages: ['en'],
      needs_key: true,
      answered_by: 'engine',
      relay: null,
      missing: null,
      places: 4,
      idle_timeout_ms: 300_000,
      session_ms_max: 0,
    });
  });

  it('names the engine, or what stands behind it', async () => {
    await using open = await startTestServer();
    expect(await (await fetch(`${open.url}/v1/page`)).json()).toMatchObject({
      models: ['scripted'],
      needs_key: false,
    });
    const upstream = { ...BEHIND, label: 'the SageMaker endpoint demo' };
    await using test = await startTestServer({ server: { upstream } });
    expect(await (await fetch(`${test.url}/v1/page`)).json()).toMatchObject({
      models: ['scripted'],
      answered_by: 'relay',
      relay: 'the SageMaker endpoint demo',
    });
  });
});
