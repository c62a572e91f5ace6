/** What every client of a hub relies on: who is shown the token, what a listing is, which failures pass. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  askedWaitMs,
  BrokenOffError,
  HttpStatusError,
  hubAccess,
  isTransient,
  listHubFiles,
  parseHubName,
  readShort,
  requestHub,
  tokenFor,
} from '../../src/hub/index.js';

const TOKEN = 'hf_secretsecretsecret';
const COMMIT = 'a'.repeat(40);
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  // It listens on a host and port, so its address is one.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('the token', () => {
  it('goes over TLS or to this machine, and to nobody else', () => {
    const access = { endpoint: 'https://hub.example', token: TOKEN };
    expect(tokenFor(new URL('https://hub.example/a'), access)).toBe(TOKEN);
    expect(tokenFor(new URL('https://hub.example:444/a'), access)).toBeUndefined();
    expect(tokenFor(new URL('https://cdn.hub.example/a'), access)).toBeUndefined();
    const clear = { endpoint: 'http://hub.example', token: TOKEN };
    expect(tokenFor(new URL('http://hub.example/a'), clear)).toBeUndefined();
  });

  it('is read without the blanks around it, and not at all where there is none', () => {
    expect(hubAccess({ HF_TOKEN: ' hf_secret\n' })).toEqual({
      endpoint: 'https://huggingface.co',
      token: 'hf_secret',
    });
    expect(hubAccess({ HF_TOKEN: '' }).token).toBeUndefined();
  });

  it('that no header could carry is not quoted', () => {
    const access = () => hubAccess({ HF_TOKEN: 'hf_\nsecret' });
    expect(access).toThrow(/^HF_TOKEN holds characters/);
    expect(access).not.toThrow(/secret/);
  });

  it.each(['huggingface.co', 'ftp://huggingface.co', 'localhost:8080', '//'])(
    'is shown to nobody where HF_ENDPOINT is no address, and a sentence says so: %s',
    (HF_ENDPOINT) => {
      expect(() => hubAccess({ HF_ENDPOINT, HF_TOKEN: TOKEN })).toThrow(
        expect.objectContaining({
          code: 'invalid',
          message: expect.stringMatching(/^HF_ENDPOINT is no address; set it to one such as https:/),
        }),
      );
    },
  );
});

describe('a request', () => {
  it('that is sent round in a circle ends', async () => {
    let asked = 0;
    const endpoint = await serve((_, response) => {
      asked += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    const access = { endpoint, token: TOKEN };
    const failed = requestHub(new URL(`${endpoint}/a`), { access, signal: undefined });
    await expect(failed).rejects.toBeInstanceOf(HttpStatusError);
    expect(asked).toBe(6);
  });

  it('whose short answer does not end is let go of', async () => {
    const endpoint = await serve((_, response) => response.write('x'.repeat(2_000)));
    const response = await requestHub(new URL(endpoint), {
      access: { endpoint, token: undefined },
      signal: undefined,
    });
    expect(await readShort(response, 1_000)).toBeUndefined();
  });

  it('is told how long to wait, as the hub writes it', () => {
    const asked = (headers: Record<string, string>) => askedWaitMs(new Headers(headers));
    expect(asked({ ratelimit: '"resolvers";r=0;t=55' })).toBe(55_000);
    expect(asked({ ratelimit: '"resolvers";r=12;t=55' })).toBeUndefined();
    expect(asked({ 'retry-after': '7' })).toBe(7_000);
    expect(asked({})).toBeUndefined();
  });
});

describe('a listing', () => {
  const file = { rfilename: 'a.json', size: 3, blobId: 'b'.repeat(40) };
  const large = {
    rfilename: 'a.bin',
    size: 9,
    blobId: 'c'.repeat(40),
    lfs: { sha256: 'd'.repeat(64), size: 9 },
  };
  const list = async (answer: unknown, revision?: string) => {
    const endpoint = await serve((_, response) => response.end(JSON.stringify(answer)));
    const access = { endpoint, token: undefined };
    return await listHubFiles({ repository: 'a/b', revision }, { access, signal: undefined });
  };

  it('says commit, licence, languages, and of each file what it is checked with', async () => {
    const cardData = { license: 'mit', language: 'en' };
    expect(await list({ sha: COMMIT, cardData, siblings: [file, large] })).toEqual({
      repository: 'a/b',
      commit: COMMIT,
      licence: 'mit',
      languages: ['en'],
      files: [
        { path: 'a.json', sizeBytes: 3, checksum: { algorithm: 'git', hex: 'b'.repeat(40) } },
        { path: 'a.bin', sizeBytes: 9, checksum: { algorithm: 'sha256', hex: 'd'.repeat(64) } },
      ],
    });
    expect(await list({ sha: COMMIT, siblings: [] })).toMatchObject({ licence: 'unknown', languages: [] });
  });

  it.each([
    ['a page', '<html>log in</html>'],
    ['a list', []],
    ['no commit', { sha: 'x', siblings: [] }],
    ['no files', { sha: COMMIT }],
    ['a file without a length', { sha: COMMIT, siblings: [{ ...file, size: undefined }] }],
    ['a file of less than nothing', { sha: COMMIT, siblings: [{ ...file, size: -1 }] }],
    ['a large file without a sum', { sha: COMMIT, siblings: [{ ...large, lfs: { size: 9 } }] }],
    ['a small file without one', { sha: COMMIT, siblings: [{ ...file, blobId: 'x' }] }],
  ])('that is none is told as such: %s', async (_, answer) => {
    await expect(list(answer)).rejects.toMatchObject({ name: 'HubError', code: 'not_a_hub' });
  });

  it('that does not end is none', async () => {
    const endpoint = await serve((_, response) => response.write(' '.repeat(9 * 1024 * 1024)));
    const access = { endpoint, token: undefined };
    const listing = listHubFiles({ repository: 'a/b', revision: undefined }, { access, signal: undefined });
    await expect(listing).rejects.toMatchObject({ code: 'not_a_hub' });
  });

  it('of another commit than the one that was named is none', async () => {
    await expect(list({ sha: COMMIT, siblings: [] }, 'e'.repeat(40))).rejects.toMatchObject({
      code: 'not_a_hub',
    });
  });
});

describe('a failure', () => {
  it.each([
    [new HttpStatusError(503), true],
    [new HttpStatusError(429), true],
    [new HttpStatusError(404), false],
    [new BrokenOffError('It ended early.'), true],
    [
      new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) }),
      true,
    ],
    [new TypeError('a mistake'), false],
    ['no error at all', false],
  ])('%s passes: %s', (error, passes) => {
    expect(isTransient(error)).toBe(passes);
  });
});

describe('names of a hub', () => {
  it('are owner and name, with a revision if wanted', () => {
    expect(parseHubName('a/b')).toEqual({ repository: 'a/b', revision: undefined });
    expect(parseHubName('hf:a-1/b.c_d@refs/pr/3')).toEqual({
      repository: 'a-1/b.c_d',
      revision: 'refs/pr/3',
    });
    for (const bad of ['', 'a', 'a/b/c', '../b', 'a/..', 'a/b@', 'a/b@../c', 'a/b?c', 'https://a/b']) {
      expect(parseHubName(bad), bad).toBeUndefined();
    }
  });
});
