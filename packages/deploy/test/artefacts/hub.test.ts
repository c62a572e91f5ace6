import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { hubAccess, parseHubModel } from '../../src/artefacts/hub-access.js';
import type { HubFault } from '../fake-aws/fake-hub.js';
import type { S3Fault } from '../fake-aws/fake-s3.js';
import { openRig, type Rig, SMALL } from './set-up.js';

const TOKEN = 'hf_secretsecretsecret';
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('the token', () => {
  it('goes to the hub with every request, and never to its storage', async () => {
    const { hub, copy } = await openRig({ token: TOKEN, signatureUses: 3 });
    await copy({ access: { endpoint: hub.endpoint, token: TOKEN } });
    expect(hub.seen('hub').length).toBeGreaterThan(3);
    expect(hub.seen('hub').every(({ authorization }) => authorization === `Bearer ${TOKEN}`)).toBe(true);
    expect(hub.seen('storage').length).toBeGreaterThan(10);
    expect(hub.seen('storage').filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });

  it('does not come back once a request has left the hub, wherever it is sent on to', async () => {
    const { hub, copy } = await openRig();
    const seen: (string | undefined)[] = [];
    const stranger = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${hub.endpoint}/back` }).end();
    }).listen(0, '127.0.0.1');
    closers.push(
      () => stranger.closeAllConnections(),
      () => void stranger.close(),
    );
    await once(stranger, 'listening');
    const { port } = stranger.address() as AddressInfo;
    hub.fault = (where) =>
      where === 'hub'
        ? { kind: 'answer', status: 302, headers: { location: `http://127.0.0.1:${port}/` } }
        : undefined;
    await expect(copy({ access: { endpoint: hub.endpoint, token: TOKEN } })).rejects.toMatchObject({
      name: 'DeployError',
    });
    expect(new Set(seen)).toEqual(new Set([undefined]));
    const back = hub.seen('hub').filter(({ path }) => path === '/back');
    expect(back.length).toBeGreaterThan(0);
    expect(back.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('is in no error, whatever goes wrong', async () => {
    const { hub, s3, copy } = await openRig({ token: 'another' });
    const refused: unknown = await copy({ access: { endpoint: hub.endpoint, token: TOKEN } }).catch(
      (error: unknown) => error,
    );
    expect(refused).toMatchObject({ code: 'hub_refused' });
    const all = JSON.stringify(refused, Object.getOwnPropertyNames(refused));
    expect(`${all} ${String(refused)} ${String((refused as Error).cause)}`).not.toContain('hf_secret');
    expect(s3.operations).not.toContain('PutObject');
    expect(() => hubAccess({ HF_TOKEN: 'hf_\nsecret' })).toThrow(
      expect.objectContaining({ code: 'invalid_setting', message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('a hub that is', () => {
  const limited = (header: Record<string, string>): HubFault => ({
    kind: 'answer',
    status: 429,
    headers: header,
  });
  it.each<[string, (rig: Rig) => void]>([
    [
      'limited in its API',
      ({ hub }) => {
        hub.apiFault = firstTimes(2, limited({ ratelimit: '"api";r=0;t=0' }));
      },
    ],
    [
      'limited in its files',
      ({ hub }) => {
        hub.fault = firstTimes(5, limited({ 'retry-after': '0' }));
      },
    ],
    [
      'overloaded now and then',
      ({ hub }) => {
        hub.fault = everyNth(3, { kind: 'answer', status: 503 });
      },
    ],
    [
      'breaking off at every 20,000 bytes',
      ({ hub }) => {
        hub.fault = () => ({ kind: 'cut', afterBytes: 20_000 });
      },
    ],
  ])('%s is asked again, and the copy is whole', async (_name, spoil) => {
    const rig = await openRig();
    spoil(rig);
    await expect(rig.copy()).resolves.toMatchObject({ format: 'mistral' });
  });

  it('quiet in the middle of a file is asked for the rest only', async () => {
    const { hub, copy } = await openRig();
    let asked = 0;
    hub.fault = (where, path) => {
      if (where === 'hub' || path !== 'tekken.json') return undefined;
      asked += 1;
      return asked === 1 ? { kind: 'stall', afterBytes: 30_000 } : undefined;
    };
    await copy({ limits: { ...SMALL, stallTimeoutMs: 1_000 } });
    const ranges = hub.seen('storage').flatMap(({ path, range }) => (path === '/tekken.json' ? [range] : []));
    // On a busy machine another silence may come in between; it too costs nothing that is there already.
    expect(ranges[0]).toBe('bytes=0-51199');
    expect(ranges).toContain('bytes=30000-51199');
  });

  it('signing addresses for a few requests is asked for a new one when one runs out', async () => {
    const { hub, copy } = await openRig({ signatureUses: 3 });
    await copy();
    const resolved = hub.seen('hub').filter(({ path }) => path.endsWith('/consolidated.safetensors'));
    expect(resolved.length).toBeGreaterThan(4);
    expect(resolved.length).toBeLessThan(16);
  });

  it('gone for good ends the copy after a bounded number of tries', async () => {
    const { hub, copy } = await openRig();
    hub.fault = (where) => (where === 'storage' ? { kind: 'answer', status: 503 } : undefined);
    await expect(copy()).rejects.toMatchObject({ code: 'hub_unreachable', retryable: true });
    expect(hub.seen('storage').length).toBeLessThanOrEqual(6);
  });

  it('asking for a longer wait than a copy waits ends it, with what to do', async () => {
    const { hub, copy } = await openRig();
    hub.apiFault = () => ({ kind: 'answer', status: 429, headers: { 'retry-after': '3600' } });
    await expect(copy()).rejects.toThrow(/wait five minutes/);
  });

  it.each([
    [{ 'x-error-code': 'GatedRepo' }, 403, 'hub_refused', /accept/],
    [{}, 401, 'hub_refused', /HF_TOKEN/],
    [{ 'x-error-code': 'RepoNotFound' }, 401, 'hub_not_found', /check the name/],
    [{}, 404, 'hub_not_found', /check the name/],
  ])('refusing with %j and %d is told as %s', async (headers, status, code, sentence) => {
    const { hub, copy } = await openRig();
    hub.apiFault = () => ({ kind: 'answer', status, headers });
    const failed = copy();
    await expect(failed).rejects.toMatchObject({ code, retryable: false });
    await expect(failed).rejects.toThrow(sentence);
  });

  it('not serving ranges is refused where they are needed, and is enough for short files', async () => {
    const { hub, s3, copy } = await openRig({ servesRanges: false });
    await expect(copy()).rejects.toThrow(/ranges/);
    expect(s3.objects.has('voxtral/tekken.json')).toBe(true);
    expect(hub.seen('storage').length).toBeLessThan(8);
  });

  it('no hub at all is told as such', async () => {
    const server = createServer((_request, response) => response.end('<html>log in</html>'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closers.push(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { copy } = await openRig();
    const access = { endpoint: `http://127.0.0.1:${port}`, token: undefined };
    await expect(copy({ access })).rejects.toThrow(/HF_ENDPOINT/);
  });
});

describe('S3 that is', () => {
  it.each([
    ['SlowDown', 503],
    ['InternalError', 500],
  ])('%s is asked again', async (code, status) => {
    const { s3, copy } = await openRig();
    s3.fault = everyNth(4, { kind: 'answer', status, code });
    await expect(copy()).resolves.toMatchObject({ format: 'mistral' });
  });

  it('throttling for good ends the copy, and it can be gone on with', async () => {
    const { s3, copy } = await openRig();
    s3.fault = (operation) =>
      operation === 'UploadPart' ? { kind: 'answer', status: 503, code: 'SlowDown' } : undefined;
    await expect(copy()).rejects.toMatchObject({ code: 'throttled', retryable: true });
    s3.fault = () => undefined;
    await expect(copy()).resolves.toMatchObject({ format: 'mistral' });
  });

  it('completing without being heard counts as done', async () => {
    const { s3, copy } = await openRig();
    const loses = firstTimes<S3Fault>(1, { kind: 'lose-answer' });
    s3.fault = (operation) => (operation === 'Complete' ? loses() : undefined);
    await expect(copy()).resolves.toMatchObject({ format: 'mistral' });
    expect(s3.count('Complete')).toBe(2);
  });
});

describe('names', () => {
  it('of models are read with and without a revision', () => {
    expect(parseHubModel('a/b')).toEqual({ repository: 'a/b', revision: 'main' });
    expect(parseHubModel('hf:a/b@v1')).toEqual({ repository: 'a/b', revision: 'v1' });
    expect(parseHubModel('mistralai/Voxtral-Mini-4B-Realtime-2602').revision).toMatch(/^2769294d/);
    for (const bad of ['', 'a', 'a/b/c', '../b', 'a/..b', 'a/b@../c', 'a/b?x', 'https://a/b']) {
      expect(() => parseHubModel(bad), bad).toThrow(/owner\/name/);
    }
  });
});

/** A fault that happens the first so many times. */
function firstTimes<Fault>(times: number, fault: Fault): () => Fault | undefined {
  let asked = 0;
  return () => {
    asked += 1;
    return asked <= times ? fault : undefined;
  };
}

/** A fault that happens once in `n` times, and not for ever: workers that ask in turns would meet it each time. */
function everyNth<Fault>(n: number, fault: Fault): () => Fault | undefined {
  let asked = 0;
  return () => {
    asked += 1;
    return asked % n === 0 && asked < 10 * n ? fault : undefined;
  };
}
