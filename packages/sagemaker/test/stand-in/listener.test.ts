import { connect as connectH2 } from 'node:http2';
import { connect as connectTcp, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { ManualClock } from '@kikitori/core/manual-clock';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../src/stand-in/certificate.js';
import { createSageMakerStandIn, SageMakerError } from '../../src/stand-in/index.js';
import { startWorld, type World } from './world.js';

let world: World | undefined;
afterEach(async () => {
  await world?.dispose();
  world = undefined;
});

const endpoints = [{ name: 'demo', containerUrl: 'ws://127.0.0.1:9' }];

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    return error instanceof SageMakerError ? error.reason : String(error);
  }
}

/** Ends when the line does. */
function lineEnds(line: { on(event: 'close' | 'error', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => {
    line.on('error', () => undefined);
    line.on('close', resolve);
  });
}

describe('TLS', () => {
  it('is trusted by who trusts the file, and by nobody else', async () => {
    world = await startWorld({ isPlaintext: false });
    const { url, port, authority } = world.runtime;
    expect(url).toBe(`https://127.0.0.1:${port}`);
    const { client, far } = await world.open();
    client.send('hello');
    expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('hello') });
    for (const name of ['localhost', '127.0.0.1']) {
      const session = connectH2(`https://${name}:${port}`, { ca: authority ?? '' });
      await new Promise((resolve) => session.once('connect', resolve));
      session.destroy();
    }
    const stranger = connectH2(url);
    const error = await new Promise<Error>((resolve) => stranger.once('error', resolve));
    expect(error).toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) });
  });

  it('agrees on h2 where that is offered, else on HTTP/1.1, also with who offers nothing', async () => {
    world = await startWorld({ isPlaintext: false });
    const { port, authority: ca = '' } = world.runtime;
    const agreed = async (ALPNProtocols?: string[]): Promise<unknown[]> => {
      const offered = ALPNProtocols === undefined ? {} : { ALPNProtocols };
      const line = connectTls({ port, host: '127.0.0.1', ca, ...offered });
      await new Promise<void>((resolve, reject) => line.once('secureConnect', resolve).once('error', reject));
      const { alpnProtocol } = line;
      line.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      const said = await new Promise<string>((resolve) => {
        line.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1', 0, 12)));
        line.once('close', () => resolve(''));
      });
      line.destroy();
      return [alpnProtocol, said];
    };
    expect((await agreed(['http/1.1', 'h2']))[0]).toBe('h2');
    expect(await agreed(['http/1.1'])).toEqual(['http/1.1', 'HTTP/1.1 404']);
    expect(await agreed()).toEqual([false, 'HTTP/1.1 404']);
    await expect(agreed(['spdy/1'])).rejects.toThrow(/no application protocol/);
    await world.open();
  });

  it('takes a certificate of the caller’s own', async () => {
    const { certificate, key, authority = '', remove } = await makeCertificate({ host: '127.0.0.1' });
    world = await startWorld({ isPlaintext: false, certificate: { certificate, key } });
    expect(world.runtime.authorityPath).toBeUndefined();
    const session = connectH2(world.runtime.url, { ca: authority });
    await new Promise((resolve) => session.once('connect', resolve));
    session.destroy();
    await remove();
  });

  it('does not start with a certificate that is none, or where it cannot be written', async () => {
    const certificate = { certificate: 'x', key: 'y' };
    expect(await reasonOf(createSageMakerStandIn({ port: 0, endpoints, certificate }))).toBe(
      'certificate_failed',
    );
    const authorityPath = '/nowhere/at/all.pem';
    expect(await reasonOf(createSageMakerStandIn({ port: 0, endpoints, authorityPath }))).toBe(
      'certificate_failed',
    );
  });
});

describe('the listening address', () => {
  it('is refused when another has it, or when it is not here', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    expect(await reasonOf(createSageMakerStandIn({ port, endpoints }))).toBe('port_in_use');
    await new Promise((resolve) => other.close(resolve));
    const credentials = [{ accessKeyId: 'A', secretAccessKey: 's' }];
    const away = { host: '192.0.2.1', port: 0, endpoints, credentials, isPlaintext: true };
    expect(await reasonOf(createSageMakerStandIn(away))).toBe('address_unavailable');
  });

  it('may be IPv6', async () => {
    world = await startWorld({ host: '::1' });
    expect(world.runtime.url).toBe(`http://[::1]:${world.runtime.port}`);
    await world.open();
  });
});

describe('a connection', () => {
  it('goes on after GOAWAY of the client, is told none, and is closed when its stream ends', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    const { session } = client;
    let isTold = false;
    session.on('goaway', () => {
      isTold = true;
    });
    session.close();
    for (let i = 0; i < 10; i += 1) {
      client.send(`${i}`);
      far.send(`${i}`);
      expect(await far.heard.next()).toMatchObject({ payload: Buffer.from(`${i}`) });
      expect(await client.answered.next()).toMatchObject({ payload: Buffer.from(`${i}`) });
    }
    expect(isTold).toBe(false);
    client.finish();
    await lineEnds(session);
    const { runtime } = world;
    await expect.poll(() => runtime.connectionCount).toBe(0);
  });

  it('may carry one stream at a time, or several', async () => {
    world = await startWorld();
    const { client, far } = await world.open();
    client.session.settings({ maxConcurrentStreams: 1, enablePush: false });
    client.send('x');
    await far.heard.next();
    const refused = client.session.request({ ':method': 'POST', ':path': '/' });
    refused.end();
    const status = await new Promise((resolve) =>
      refused.once('response', (headers) => resolve(headers[':status'])),
    );
    expect(status).toBe(404);
    client.send('y');
    expect(await far.heard.next()).toMatchObject({ payload: Buffer.from('y') });
  });

  it('that says nothing for a minute is closed, one with a stream is not', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const idle = connectTcp(world.runtime.port, '127.0.0.1');
    const ended = lineEnds(idle);
    idle.resume();
    await new Promise<void>((resolve) => idle.once('connect', resolve));
    const { runtime } = world;
    await expect.poll(() => runtime.connectionCount).toBe(1);
    const { client, far } = await world.open();
    clock.advance(60_000);
    await ended;
    client.send('x', {});
    far.send('y');
    expect(await client.answered.next()).toMatchObject({ kind: 'part' });
  });

  it('in plain text is understood by its first bytes, however they come', async () => {
    world = await startWorld();
    const { port } = world.runtime;
    for (const [pieces, answer] of [
      [['P', 'OST / HTTP/1.1\r\n', 'host: a\r\n\r\n'], 'HTTP/1.1 404'],
      [['P', 'RI * HT', 'TP/2.0\r\n\r\nSM\r\n\r\n'], '\0\0'],
    ] as const) {
      const line = connectTcp({ port, host: '127.0.0.1', noDelay: true });
      const said = new Promise<string>((resolve) => {
        line.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
      });
      for (const piece of pieces) {
        await new Promise<void>((resolve) => line.write(piece, () => resolve()));
        // Each is seen by itself: what was asked in between is answered.
        await world.open().then(({ client }) => client.destroy());
      }
      expect((await said).slice(0, answer.length)).toBe(answer);
      line.destroy();
    }
  });

  it('of HTTP/1.1 that asks for nothing for a minute is closed, before and after a request', async () => {
    const clock = new ManualClock();
    world = await startWorld({ clock });
    const line = connectTcp(world.runtime.port, '127.0.0.1');
    const ended = lineEnds(line);
    line.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n');
    await new Promise((resolve) => line.once('data', resolve));
    const half = connectTcp(world.runtime.port, '127.0.0.1');
    const halfEnded = lineEnds(half);
    half.resume().write('POST / HTTP/1.1\r\nhost');
    const { runtime } = world;
    await expect.poll(() => runtime.connectionCount).toBe(2);
    await expect
      .poll(() => {
        clock.advance(60_000);
        return runtime.connectionCount;
      })
      .toBe(0);
    await Promise.all([ended, halfEnded]);
  });

  it('too many is dropped', async () => {
    world = await startWorld({ limits: { connectionsMax: 1 } });
    await world.open();
    const second = connectTcp(world.runtime.port, '127.0.0.1');
    second.resume();
    await lineEnds(second);
  });

  it('of garbage is dropped, and the server lives on', async () => {
    world = await startWorld({ limits: { connectionIdleMs: 20 } });
    const { port } = world.runtime;
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from('000000040000000000', 'hex');
    const frame = fc
      .record({
        type: fc.nat(12),
        flags: fc.nat(255),
        stream: fc.nat(5),
        payload: fc.uint8Array({ maxLength: 64 }),
      })
      .map(({ type, flags, stream, payload }) => {
        const header = Buffer.alloc(9);
        header.writeUIntBE(payload.byteLength, 0, 3);
        header[3] = type;
        header[4] = flags;
        header.writeUInt32BE(stream, 5);
        return Buffer.concat([header, payload]);
      });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 256 }).map((raw) => Buffer.from(raw)),
      fc.array(frame, { maxLength: 8 }).map((frames) => Buffer.concat([preface, settings, ...frames])),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (sent) => {
        const line = connectTcp(port, '127.0.0.1');
        line.resume();
        line.end(sent);
        await lineEnds(line);
      }),
      { numRuns: 100 },
    );
    await world.open();
    const { runtime } = world;
    await expect.poll(() => runtime.streamCount).toBe(1);
  });
});
