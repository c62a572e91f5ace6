/** The built command where only a proxy leads to the server. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeWav } from '@kikitori/audio';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { LOCAL_CREDENTIALS } from '@kikitori/sagemaker/stand-in';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../packages/sagemaker/src/stand-in/certificate.js';
import { ProxyServer } from '../../packages/transport/test/proxy/proxy-server.js';
import { World } from './sagemaker/world.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const words = ['Good', 'morning.'].map((text, index) => ({
  text,
  startMs: 200 + index * 300,
  endMs: 500 + index * 300,
}));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-proxy-'));
  const silence = encodeWav(new Float32Array(24_000), { sampleRateHz: 16_000 });
  await writeFile(join(folder, 'silence.wav'), silence);
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs `transcribe` with these words, and nothing in the environment but what a process needs. */
async function transcribe(words: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> {
  const { PATH, HOME, KIKITORI_HOME } = process.env;
  const args = [command, 'transcribe', join(folder, 'silence.wav'), ...words];
  return await promisify(execFile)(process.execPath, args, {
    env: { PATH, HOME, ...(KIKITORI_HOME === undefined ? {} : { KIKITORI_HOME }), ...env },
  }).then(
    (output) => ({ code: 0, ...output }),
    // What it rejects with has these.
    (failure: unknown) => failure as Outcome,
  );
}

describe('through a proxy', () => {
  let engine: ScriptedEngine;
  let server: RunningServer;
  beforeAll(async () => {
    engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', streamsMax: 4 });
    server = await startServer({ engine, attach: attachWebSockets, port: 0, apiKey: 'open-sesame' });
  });
  afterAll(async () => {
    await server?.close();
    await engine?.close();
  });

  it('the command speaks to a server that only the proxy knows, list of models included', async () => {
    await using proxy = await ProxyServer.start({ names: { 'stt.test': server.port }, login: 'me:s@fe' });
    const env = { HTTP_PROXY: proxy.url.replace('//', '//me:s%40fe@'), KIKITORI_API_KEY: 'open-sesame' };
    const { stdout, stderr } = await transcribe(['--url', 'ws://stt.test:18000'], env);
    expect([stdout, stderr]).toEqual([
      expect.stringContaining('Good morning.'),
      expect.stringContaining('scripted hears'),
    ]);
    // One for the session, one for the list.
    expect(proxy.asked).toEqual(['stt.test:18000', 'stt.test:18000']);
  });

  it('the command goes straight where NO_PROXY says so', async () => {
    await using proxy = await ProxyServer.start({ status: 403 });
    const env = { HTTP_PROXY: proxy.url, NO_PROXY: '127.0.0.1', KIKITORI_API_KEY: 'open-sesame' };
    const { stdout } = await transcribe(['--url', `ws://127.0.0.1:${server.port}`], env);
    expect([stdout, ...proxy.asked]).toEqual([expect.stringContaining('Good morning.')]);
  });

  it('TLS goes all the way to the server', async () => {
    const authorityFile = join(folder, 'ca.pem');
    const made = await makeCertificate({ host: '127.0.0.1', path: authorityFile });
    const files = { certFile: join(folder, 'server.crt'), keyFile: join(folder, 'server.key') };
    await writeFile(files.certFile, made.certificate);
    await writeFile(files.keyFile, made.key);
    const secure = await startServer({ engine, attach: attachWebSockets, port: 0, tls: files });
    await using proxy = await ProxyServer.start();
    const env = { https_proxy: proxy.url, NODE_EXTRA_CA_CERTS: authorityFile };
    const { stdout } = await transcribe(['--url', `wss://localhost:${secure.port}`], env);
    expect(stdout).toContain('Good morning.');
    expect(proxy.asked).toEqual([`localhost:${secure.port}`, `localhost:${secure.port}`]);
    await secure.close();
  });

  it('the command speaks to a SageMaker endpoint', async () => {
    await using world = await World.open();
    await using proxy = await ProxyServer.start({
      names: { 'runtime.test': Number(new URL(world.runtime.url).port) },
    });
    const env = {
      ALL_PROXY: proxy.url,
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    };
    const where = ['--endpoint', 'demo', '--region', world.runtime.region];
    const { stdout } = await transcribe([...where, '--endpoint-url', 'http://runtime.test:8443'], env);
    expect(stdout).toContain('Good morning.');
    expect(proxy.asked).toEqual(['runtime.test:8443']);
  });

  it.each([
    [{ login: 'me:safe' }, /HTTP_PROXY wants to know who asks \(HTTP 407\); write a name and a password/],
    [
      { status: 403 },
      /HTTP_PROXY lets no connection to this host and port through \(HTTP 403\); ask whoever/,
    ],
    [{ status: 405 }, /address in HTTP_PROXY does not answer as a proxy; correct/],
  ])('what is wrong with the proxy is told in one line: %j', async (options, sentence) => {
    await using proxy = await ProxyServer.start(options);
    const outcome = await transcribe(['--url', 'ws://stt.test:18000'], { HTTP_PROXY: proxy.url });
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(sentence) });
    expect(outcome.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('a server without a key, reached by a name that it does not know, has to allow it, and the command says so', async () => {
    const open = await startServer({ engine, attach: attachWebSockets, port: 0 });
    await using proxy = await ProxyServer.start({ names: { 'stt.test': open.port } });
    const { code, stderr } = await transcribe(['--url', 'ws://stt.test:18000'], { HTTP_PROXY: proxy.url });
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/under this name .*--allow-origin http:\/\/NAME/),
    ]);
    await open.close();
  });

  it('a proxy that is not there, or none at all, is told as well', async () => {
    const gone = await ProxyServer.start();
    const { url } = gone;
    await gone[Symbol.asyncDispose]();
    const tell = async (HTTP_PROXY: string): Promise<string> =>
      (await transcribe(['--url', 'ws://stt.test:18000'], { HTTP_PROXY })).stderr;
    expect(await tell(url)).toMatch(/^kikitori: The proxy in HTTP_PROXY was not reached; check/);
    expect(await tell('socks5://127.0.0.1:1080')).toMatch(/^kikitori: The proxy in HTTP_PROXY is of a kind/);
  });
});
