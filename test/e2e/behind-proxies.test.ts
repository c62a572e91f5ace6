/** The built command and the server behind nginx and Caddy, below a path that those give it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encodeWav } from '@kikitori/audio';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { loadPages, type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proxies, ReverseProxy, whyNoProxy } from '../reverse-proxies.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const words = ['Good', 'morning.'].map((text, index) => ({
  text,
  startMs: 200 + index * 300,
  endMs: 500 + index * 300,
}));

describe.each(proxies)('behind %s, below a path', (_name, program) => {
  const whyNot = whyNoProxy(program);
  if (whyNot !== undefined) process.stderr.write(`the tests behind ${program.name} are skipped: ${whyNot}\n`);
  const it = test.skipIf(whyNot !== undefined);
  let engine: ScriptedEngine;
  let server: RunningServer;
  let proxy: ReverseProxy;
  /** One that wants a name and a password. */
  let guarded: ReverseProxy;
  let folder: string | undefined;
  let sample = '';
  const transcribe = (url: string) =>
    promisify(execFile)(process.execPath, [command, 'transcribe', sample, '--url', url]);
  beforeAll(async () => {
    if (whyNot !== undefined) return;
    engine = createScriptedEngine({ script: [{ words }], afterScript: 'repeat', streamsMax: 4 });
    const pages = await loadPages(PAGES_FOLDER);
    server = await startServer({ engine, attach: attachWebSockets, port: 0, pages });
    proxy = await ReverseProxy.start(program, server.port);
    guarded = await ReverseProxy.start(program, server.port, { name: 'me', password: 's@fe pass' });
    folder = await mkdtemp(join(tmpdir(), 'kikitori-behind-'));
    sample = join(folder, 'silence.wav');
    await writeFile(sample, encodeWav(new Float32Array(24_000), { sampleRateHz: 16_000 }));
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await guarded?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true });
    await server?.close();
    await engine?.close();
  });

  it('the page names nothing that stands elsewhere', async () => {
    for (const page of ['', 'captions']) {
      const html = await (await fetch(`${proxy.url}${page}`)).text();
      const names = [...html.matchAll(/(?:src|href|data-work\w+)="(?!data:)([^"]+)"/g)].map(
        ([, name = '']) => name,
      );
      expect(names.length).toBeGreaterThan(1);
      for (const name of names) {
        expect((await fetch(new URL(name, `${proxy.url}${page}`))).status, name).toBe(200);
      }
    }
    expect((await fetch(`${proxy.origin}/stt`)).url).toBe(proxy.url);
  });

  it.each(['', 'v1', 'v1/realtime'])(
    'the command is told the address of the page, and more of it: /stt/%s',
    async (path) => {
      const { stdout, stderr } = await transcribe(`${proxy.url}${path}`);
      expect(stdout).toContain('Good morning.');
      expect(stderr).toContain('scripted hears English');
    },
  );

  it('a page of the same site is let in, whatever the proxy calls the server; another is not', async () => {
    const knock = async (origin: string): Promise<number> =>
      (await fetch(`${proxy.url}v1/models`, { headers: { origin } })).status;
    expect(await knock(proxy.origin)).toBe(200);
    expect(await knock('https://evil.example')).toBe(403);
  });

  it('a file of more than nginx’s usual megabyte is taken', async () => {
    const form = new FormData();
    const wav = encodeWav(new Float32Array(60 * 16_000), { sampleRateHz: 16_000 });
    expect(wav.length).toBeGreaterThan(1024 * 1024);
    form.set('file', new Blob([wav]), 'silence.wav');
    const answer = await fetch(`${proxy.url}v1/audio/transcriptions`, { method: 'POST', body: form });
    expect(answer.status).toBe(200);
  });

  it('name and password of an address go along, to the session and to the list of models', async () => {
    const { stdout, stderr } = await transcribe(guarded.url.replace('://', '://me:s%40fe%20pass@'));
    expect([stdout, stderr]).toEqual([
      expect.stringContaining('Good morning.'),
      expect.stringContaining('scripted hears'),
    ]);
    await expect(transcribe(guarded.url)).rejects.toThrow(/wants an API key/);
  });

  it('a server relays to it, finds its list of models beside the path, and logs no password', async () => {
    const upstream = `${guarded.url.replace('http://', 'ws://me:s%40fe%20pass@')}v1/realtime`;
    const args = [command, 'serve', '--upstream', upstream, '--port', '0', '--log-level', 'debug'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    try {
      await expect.poll(() => log).toMatch(/is ready: [\s\S]*Realtime\s+ws:\S+\s/);
      const [, relay = ''] = /Realtime\s+(\S+)/.exec(log) ?? [];
      expect((await transcribe(relay)).stdout).toContain('Good morning.');
      expect(log).toMatch(/localhost:\d+ \(scripted\)/);
      expect(log).not.toMatch(/s@fe|s%40fe/);
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  });
});
