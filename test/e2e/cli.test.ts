/** The built command as people run it: a process, its pipes, its signals, its exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createScriptedEngine, type ScriptedEngine } from '@kikitori/engine';
import { listModels } from '@kikitori/engine-local';
import { type RunningServer, startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { shareHeard } from './reliability/words.js';

const root = join(import.meta.dirname, '..', '..');
const command = join(root, 'packages', 'cli', 'bin', 'kikitori.js');
const sample = join(root, 'samples', 'ferry.flac');

const word = (text: string, startMs: number, endMs: number) => ({ text, startMs, endMs });
const script = [
  { words: [word('Good', 200, 500), word('morning.', 500, 900)] },
  { words: [word('Nine', 3_000, 3_300), word('fifteen.', 3_300, 3_800)] },
];

/** What a command says of the scripted engine before the first word. */
const HEARS = 'scripted hears English (en).\n';

/** A running command and what it wrote so far. */
class Run {
  readonly child: ChildProcess;
  out = '';
  err = '';

  /** `stdout`: where it writes to instead of a pipe. */
  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}, stdout?: number) {
    this.child = spawn(process.execPath, [command, ...words], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
  }

  /** The exit code once everything was written. */
  async end(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async until(pattern: RegExp, stream: 'out' | 'err' = 'out'): Promise<string> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found !== null) return found[0];
      if (this.child.exitCode !== null) throw new Error(`it ended before it wrote ${pattern}: ${this.err}`);
      // Turns of the event loop would take the core that the command is to start on.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

const runs: Run[] = [];
function run(words: readonly string[], env?: Readonly<Record<string, string>>, stdout?: number): Run {
  const started = new Run(words, env, stdout);
  runs.push(started);
  return started;
}
afterEach(() => {
  for (const { child } of runs.splice(0)) child.kill('SIGKILL');
});

describe('kikitori', () => {
  it.each([
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [['transcribe', '--help'], 0, /--format <format>[\s\S]*KIKITORI_/, /^$/],
    [[], 2, /^$/, /Usage: kikitori/],
    [['transcribe'], 2, /^$/, /^kikitori: missing required argument 'file'; [^\n]+\.\n$/],
    [['transcribe', 'no-such.wav'], 2, /^$/, /^kikitori: [^\n]+\.\n$/],
    [['transcribe', 'package.json'], 2, /^$/, /^kikitori: [^\n]*not audio[^\n]+\.\n$/],
    [['serve', '--port', '99999'], 2, /^$/, /^kikitori: --port must be a whole number from 0 to 65535\.\n$/],
    [
      ['serve', '--trust-proxy', 'my-proxy'],
      2,
      /^$/,
      /^kikitori: A proxy is an address or a subnet[^\n]+\.\n$/,
    ],
    [['bridge', '--allow-origin', 'a.example'], 2, /^$/, /^kikitori: An origin looks like [^\n]+\.\n$/],
  ] as const)('answers %j with %d', async (words, exitCode, out, err) => {
    const started = run(words);
    expect(await started.end()).toBe(exitCode);
    expect(started.out).toMatch(out);
    expect(started.err).toMatch(err);
  });
});

describe('kikitori transcribe, with a server', () => {
  let engine: ScriptedEngine;
  let server: RunningServer;
  beforeAll(async () => {
    engine = createScriptedEngine({ script, streamsMax: 16 });
    server = await startServer({ engine, attach: attachWebSockets, port: 0 });
  });
  afterAll(async () => {
    await server.close();
    await engine.close();
  });

  it('prints the transcript to a pipe, and nothing else', async () => {
    const started = run(['transcribe', sample, '--url', server.url]);
    expect(await started.end()).toBe(0);
    expect(started).toMatchObject({ out: 'Good morning.\nNine fifteen.\n', err: HEARS });
  });

  it('prints JSON lines', async () => {
    const started = run(['transcribe', sample, '--json'], { KIKITORI_URL: server.url });
    expect(await started.end()).toBe(0);
    const lines = started.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ type }) => type)).toEqual([
      'delta',
      'delta',
      'final',
      'delta',
      'delta',
      'final',
      'summary',
    ]);
    expect(lines.at(-1)).toMatchObject({ text: 'Good morning. Nine fifteen.', reconnects: 0 });
  });

  it
    .skipIf(!existsSync('/dev/full'))
    .each([
      [['transcribe', sample, '--format', 'text']],
      [['transcribe', sample, '--format', 'json']],
      [['models', 'list']],
      [['--version']],
      [['help', 'serve']],
      [['serve', '--port', '0', '--upstream']],
    ])('that cannot write its output says so and ends with 1: %j', async (words) => {
    const isServer = words[0] === 'serve';
    const all = isServer ? [...words, server.url.replace('http', 'ws')] : words;
    const full = await open('/dev/full', 'w');
    try {
      const started = run(all, { KIKITORI_URL: server.url }, full.fd);
      expect(await started.end()).toBe(1);
      expect(started.err).toMatch(
        /^kikitori: The output could not be written: there is no room left [^\n]+\.\n$/m,
      );
    } finally {
      await full.close();
    }
  });

  it('reads a file on stdin', async () => {
    const started = run(['transcribe', '-', '--url', server.url, '--format', 'srt']);
    started.child.stdin?.end(await readFile(sample));
    expect(await started.end()).toBe(0);
    expect(started.out).toMatch(/^1\n00:00:00,200 --> [\s\S]*\nGood morning\.\n\n2\n/);
  });

  it('ends at Ctrl-C with the transcript so far', async () => {
    const started = run(['transcribe', sample, '--url', server.url, '--pace', 'realtime']);
    await started.until(/morning/);
    started.child.kill('SIGINT');
    expect(await started.end()).toBe(130);
    expect(started).toMatchObject({ out: 'Good morning.\n', err: HEARS });
  });

  it('ends at once at the second Ctrl-C', async () => {
    const stalled = createScriptedEngine({ script });
    const other = await startServer({ engine: stalled, attach: attachWebSockets, port: 0 });
    const started = run(['transcribe', sample, '--url', other.url, '--pace', 'realtime']);
    await started.until(/morning/);
    stalled.stall();
    started.child.kill('SIGINT');
    const again = setInterval(() => started.child.kill('SIGINT'), 50);
    expect(await started.end()).toBe(130);
    clearInterval(again);
    // Had it waited for the last words, the line would have been ended.
    expect(started).toMatchObject({ out: 'Good morning.', err: HEARS });
    await other.close();
    await stalled.close();
  });

  it('ends quietly when nobody reads its output any more', async () => {
    // The words that find nobody come two seconds of speech after those that are waited for.
    const started = run(['transcribe', sample, '--url', server.url, '--pace', '4x', '--json']);
    await started.until(/delta/);
    started.child.stdout?.destroy();
    expect(await started.end()).toBe(0);
    expect(started.err).toBe(HEARS);
  });
});

// Fetched by "kikitori models pull"; without them the cases below skip.
const present = (await listModels()).filter(({ state }) => state === 'present').map(({ name }) => name);
const model = ['tiny', 'base'].find((name) => present.includes(name));

describe.skipIf(model === undefined || !present.includes('silero'))('kikitori, with the real engine', () => {
  const env = { KIKITORI_MODEL: model ?? '' };

  it('transcribes a sample in its own process', async () => {
    const started = run(['transcribe', sample], env);
    expect(await started.end()).toBe(0);
    expect(started.err).toBe(`moonshine-${model} hears English (en).\n`);
    expect(shareHeard('ferry.flac', started.out), started.out).toBeGreaterThan(1 / 2);
  }, 120_000);

  it('serves: ready when it says so, transcribes, drains at SIGTERM', async () => {
    const server = run(['serve', '--port', '0'], env);
    const url = await server.until(/ws:\/\/127\.0\.0\.1:\d+/);
    const health = await fetch(`${url.replace('ws:', 'http:')}/health`);
    expect(health.status).toBe(200);
    const client = run(['transcribe', sample, '--url', url, '--json']);
    expect(await client.end()).toBe(0);
    expect(JSON.parse(client.out.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ type: 'summary' });
    server.child.kill('SIGTERM');
    expect(await server.end()).toBe(0);
  }, 120_000);
});
