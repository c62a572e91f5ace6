/** What an upload holds while it arrives, and what is left of it when its client leaves. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@kikitori/core/manual-clock';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { keepError } from '../src/http/upload-spool.js';
import { HTTP_LIMITS } from '../src/limits.js';
import { RealtimeClient } from './realtime-client.js';
import { eventually, startTestServer } from './test-server.js';
import { form, openUpload, post, wav } from './upload-client.js';

afterEach(() => vi.unstubAllEnvs());

const TCP = '/proc/net/tcp';
const knowsTimers = existsSync(TCP);
const ESTABLISHED = '01';
const KEEPALIVE = '02:';

/** Whether the kernel will ask the other end of a connection to that port for a sign of life. */
function isProbed(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(TCP, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .some(
      ([, here = '', , state = '', , timer = '']) =>
        here.endsWith(local) && state === ESTABLISHED && timer.startsWith(KEEPALIVE),
    );
}

describe('a client that leaves', () => {
  it('without a word gives its place back within ten seconds', async () => {
    const clock = new ManualClock();
    await using test = await startTestServer({ server: { clock } });
    const idle = clock.pending;
    const upload = openUpload(test, [['stream', 'true']]);
    upload.write(wav(60_000).subarray(0, 32_000));
    // One deadline for the whole file, one for its next bytes.
    await eventually(() => test.engine.calls.opens === 1 && clock.pending >= idle + 2);
    expect(await test.metric('kikitori_sessions_active')).toBe(1);
    clock.advance(HTTP_LIMITS.bodyStallMs);
    await eventually(async () => (await test.metric('kikitori_sessions_active')) === 0);
    expect(test.engine.calls.streamsOpen).toBe(0);
    upload.destroy();
  });

  it('gives its place and its stream back at once', async () => {
    await using test = await startTestServer();
    test.engine.stall();
    const upload = openUpload(test, [['stream', 'true']]);
    upload.write(wav(60_000).subarray(0, 128_000));
    await eventually(() => test.engine.calls.opens === 1);
    upload.destroy();
    await eventually(async () => (await test.metric('kikitori_files_total{status="499"}')) === 1);
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
    test.engine.release();
    expect(test.engine.calls.streamsOpen).toBe(0);
  });

  it('is noticed while nothing of its file is taken, however much it has sent', async () => {
    await using test = await startTestServer();
    test.engine.stall();
    const upload = openUpload(test, [['stream', 'true']]);
    // Far more than the buffers between the two, so that its farewell stands behind what nobody would read.
    await upload.written(new Uint8Array(wav(700_000)));
    await eventually(() => test.engine.calls.opens === 1);
    upload.destroy();
    await eventually(async () => (await test.metric('kikitori_files_total{status="499"}')) === 1);
    await eventually(async () => (await test.metric('kikitori_sessions_active')) === 0);
  });

  it.skipIf(!knowsTimers)(
    'without a word behind the end of its file is asked for by the system',
    async () => {
      await using test = await startTestServer();
      test.engine.stall();
      const upload = openUpload(test, []);
      upload.write(wav(4000));
      upload.end();
      await eventually(() => test.engine.calls.opens === 1);
      await eventually(() => isProbed(test.server.port));
      test.engine.release();
      expect(await upload.rest()).toContain('First words spoken.');
    },
  );

  it('leaves no decoder and no file behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kikitori-test-'));
    vi.stubEnv('TMPDIR', folder);
    vi.stubEnv('KIKITORI_FFMPEG', await endlessDecoder(folder));
    await using test = await startTestServer();
    test.engine.stall();
    const upload = openUpload(test, []);
    upload.write(Buffer.from('#!AMR\n'));
    upload.end();
    await eventually(() => existsSync(join(folder, 'pid')));
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    const uploads = async (): Promise<string[]> =>
      (await readdir(folder)).filter((name) => name.startsWith('kikitori-'));
    expect(await uploads()).toHaveLength(1);
    upload.destroy();
    await eventually(() => !existsSync(`/proc/${pid}`));
    await eventually(async () => (await uploads()).length === 0);
    await rm(folder, { recursive: true });
  });
});

/** A program in ffmpeg's place that writes down its id and then computes without end. */
async function endlessDecoder(folder: string): Promise<string> {
  const path = join(folder, 'decoder');
  const body = `echo $$ > ${folder}/new; mv ${folder}/new ${folder}/pid; while :; do :; done`;
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

describe('an upload', () => {
  it('takes no place while it arrives', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    const slow = openUpload(test, []);
    slow.write(wav(4000).subarray(0, 100_000));
    await eventually(() => test.engine.calls.opens === 0 && slow.isConnected());
    expect(await test.metric('kikitori_sessions_active')).toBe(0);
    expect((await post(test, form())).status).toBe(200);
    slow.write(wav(4000).subarray(100_000));
    slow.end();
    expect(await slow.rest()).toContain('First words spoken.');
  });

  it('is one of the sessions of its key, from its head on', async () => {
    const apiKey = 'open-sesame';
    const headers = { authorization: `Bearer ${apiKey}` };
    await using test = await startTestServer({ server: { apiKey, doorLimits: { sessionsPerKeyMax: 1 } } });
    const first = openUpload(test, [], headers);
    first.write(wav(4000).subarray(0, 100_000));
    const second = await eventuallyAnswered(() => post(test, form(), headers), 429);
    expect(second.headers.get('retry-after')).toBe('5');
    expect(await second.json()).toMatchObject({
      error: { code: 429, message: expect.stringMatching(/\.$/) },
    });
    first.destroy();
    await eventuallyAnswered(() => post(test, form(), headers), 200);
  });

  it.each([
    ['one address', { uploadsPerOwnerMax: 1 }, 429],
    ['all of them', { uploadsMax: 1 }, 503],
  ])('above the bound for %s is refused in one sentence', async (_name, httpLimits, status) => {
    await using test = await startTestServer({ server: { httpLimits } });
    const first = openUpload(test, []);
    first.write(wav(4000).subarray(0, 100_000));
    const second = await eventuallyAnswered(() => post(test, form()), status);
    expect(await second.json()).toMatchObject({
      error: { code: status, message: expect.stringMatching(/\.$/) },
    });
    first.write(wav(4000).subarray(100_000));
    first.end();
    expect(await first.rest()).toContain('First words spoken.');
    expect((await post(test, form())).status).toBe(200);
  });

  it('hears that there is no place once its turn has come', async () => {
    await using test = await startTestServer({ engine: { streamsMax: 1 } });
    const upload = openUpload(test, []);
    upload.write(wav(4000).subarray(0, 100_000));
    await eventually(() => upload.isConnected());
    const session = await RealtimeClient.connect(test.realtime);
    await eventually(async () => (await test.metric('kikitori_sessions_active')) === 1);
    upload.write(wav(4000).subarray(100_000));
    upload.end();
    expect(await upload.rest()).toContain('"code":503');
    await session.connection.close();
  });
});

describe('a temporary folder', () => {
  it('that cannot be written to is told to the client and to whoever runs the server', async () => {
    vi.stubEnv('TMPDIR', '/nowhere/at/all');
    await using test = await startTestServer();
    const answer = await post(test, form());
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      error: {
        message: expect.stringMatching(/^The temporary folder of the server cannot be written to\. .*TMPDIR/),
      },
    });
    expect(test.log).toContainEqual(
      expect.objectContaining({
        level: 'error',
        message: 'The temporary folder cannot be written to; set TMPDIR to one that can.',
        fields: { code: 'ENOENT' },
      }),
    );
  });

  it.each([
    ['ENOSPC', /^The server has no room/],
    ['EDQUOT', /^The server has no room/],
    ['EACCES', /cannot be written to\./],
    ['EROFS', /cannot be written to\./],
  ])('that refuses with %s has its sentence', (code, message) => {
    const error = keepError(Object.assign(new Error('no'), { code }));
    expect(error.answer).toMatchObject({ status: 503, message: expect.stringMatching(message) });
  });
});

/** Asks until it is answered so: another request may still be on its way. */
async function eventuallyAnswered(ask: () => Promise<Response>, status: number): Promise<Response> {
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return answer;
    await answer.body?.cancel();
  }
}
