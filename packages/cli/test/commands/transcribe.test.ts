import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32ToPcm16 } from '@kikitori/audio';
import { EngineError } from '@kikitori/engine';
import { CATALOGUE } from '@kikitori/engine-local';
import { startServer } from '@kikitori/server';
import { type Connect, createMemoryPair, TransportError } from '@kikitori/transport';
import { attachWebSockets, connectWebSocket } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineRequest } from '../../src/context.js';
import { main } from '../../src/main.js';
import type { ModelStore } from '../../src/model-store.js';
import { MemoryInput, memoryContext } from '../memory-context.js';
import { noise, scriptedEngine, TEXT, wav } from './speech.js';
import { transcribe } from './transcribing.js';

let folder = '';
let speech = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-cli-'));
  speech = join(folder, 'speech.wav');
  await writeFile(speech, wav(4_000));
  await writeFile(join(folder, 'notes.txt'), 'This is no audio.\n'.repeat(100));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const openModelStore = async (): Promise<ModelStore> => {
  const about = { kind: 'moonshine', description: '', licence: 'MIT', sizeBytes: 1, dir: '' } as const;
  const rows = [{ ...about, name: 'base', languages: ['en'], state: 'present' }] as const;
  return {
    list: async () => rows,
    pull: async () => undefined,
    remove: async () => false,
    problems: async () => [],
  };
};

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** What is said before the first word. */
const HEARS = 'scripted hears English (en).\n';

describe('kikitori transcribe', () => {
  it('prints the transcript of a file alone, through the server session and the client in one process', async () => {
    expect(await transcribe([speech])).toEqual({
      exitCode: 0,
      out: 'Good morning.\nNine fifteen.\n',
      err: HEARS,
    });
  });

  it('hands the engine what was asked for, and closes it', async () => {
    const requests: EngineRequest[] = [];
    const engine = scriptedEngine();
    const createEngine = async (request: EngineRequest) => {
      requests.push(request);
      return engine;
    };
    await transcribe([speech, '--model', 'tiny'], { factories: { createEngine } });
    expect(requests).toMatchObject([{ model: 'tiny', threads: 1, streamsMax: 1 }]);
    expect(engine.calls).toMatchObject({ opens: 1, closes: 1, streamsOpen: 0, samples: 64_000 });
    await expect(engine.open()).rejects.toMatchObject({ code: 'engine_closed' });
  });

  it('prints JSON lines: deltas with their positions, a final per utterance, the summary last', async () => {
    const lines = jsonLines((await transcribe([speech, '--json'])).out);
    expect(lines.map(({ type }) => type)).toEqual([
      'delta',
      'delta',
      'final',
      'delta',
      'delta',
      'final',
      'summary',
    ]);
    const deltas = lines.filter(({ type }) => type === 'delta');
    expect(deltas.map(({ audio_ms }) => audio_ms)).toEqual([500, 900, 2_300, 2_800]);
    expect(
      deltas
        .map(({ text }) => text)
        .join('')
        .trim(),
    ).toBe(TEXT);
    for (const { at_ms } of deltas) expect(at_ms).toEqual(expect.any(Number));
    expect(lines[2]).toEqual({
      type: 'final',
      text: 'Good morning.',
      start_ms: 200,
      end_ms: 900,
      words: [
        { text: 'Good', start_ms: 200, end_ms: 500 },
        { text: 'morning.', start_ms: 500, end_ms: 900 },
      ],
    });
    const { first_delta_ms, final_ms, ...rest } = lines.at(-1) ?? {};
    expect(rest).toEqual({ type: 'summary', text: TEXT, audio_ms: 4_000, reconnects: 0 });
    expect([first_delta_ms, final_ms]).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('says once on stderr that a run of utterances does not sound like what is heard, and marks them in JSON', async () => {
    const said = (text: string, startMs: number) => ({ words: [{ text, startMs, endMs: startMs + 300 }] });
    const script = [
      said('Yes.', 200),
      { ...said('Bonjour.', 1_200), unsureFrom: 1 },
      { ...said('Monde.', 2_200), unsureFrom: 1 },
      said('Right.', 3_200),
    ];
    const factories = { createEngine: async () => scriptedEngine({ script }) };
    const lines = await transcribe([speech, '--json'], { factories });
    const finals = jsonLines(lines.out).filter(({ type }) => type === 'final');
    expect(finals.map(({ text, unsure }) => [text, unsure])).toEqual([
      ['Yes.', undefined],
      ['Bonjour.', true],
      ['Monde.', true],
      ['Right.', undefined],
    ]);
    expect(lines.err).toBe(
      `${HEARS}At 1.5 s: this does not sound like English; what is written may be invented.\n`,
    );
    const { utterances } = JSON.parse((await transcribe([speech, '--format', 'json'], { factories })).out);
    expect(utterances.map(({ unsure }: { unsure?: boolean }) => unsure)).toEqual([
      undefined,
      true,
      true,
      undefined,
    ]);
    const plain = await transcribe([speech], { factories });
    expect(plain.out).toBe('Yes.\nBonjour.\nMonde.\nRight.\n');
  });

  it('prints captions', async () => {
    expect((await transcribe([speech, '--format', 'srt'])).out).toMatch(
      /^1\n00:00:00,200 --> .*\nGood morning\.\n\n2\n/,
    );
    expect((await transcribe([speech, '--format', 'vtt'])).out).toMatch(/^WEBVTT\n\n00:00:00\.200 --> /);
  });

  it('says nothing when nothing was said', async () => {
    const factories = { createEngine: async () => scriptedEngine({ script: [] }) };
    expect(await transcribe([speech], { factories })).toEqual({ exitCode: 0, out: '', err: HEARS });
    const [summary] = jsonLines((await transcribe([speech, '--json'], { factories })).out);
    expect(summary).toMatchObject({ type: 'summary', text: '', first_delta_ms: null });
  });

  it('reads any container from stdin, by its content', async () => {
    const { exitCode, out } = await transcribe(['-'], { stdin: new MemoryInput([wav(4_000)]) });
    expect([exitCode, out]).toEqual([0, 'Good morning.\nNine fifteen.\n']);
  });

  it('reads raw audio from stdin as it is told, or as what Realtime speaks', async () => {
    const pcm = float32ToPcm16(noise(4_000));
    const told = await transcribe(['-', '--raw-format', 's16le:8000:1', '--json'], {
      stdin: new MemoryInput([pcm]),
    });
    expect(jsonLines(told.out).at(-1)).toMatchObject({ audio_ms: 8_000 });
    expect(told.err).toBe(HEARS);
    const assumed = await transcribe(['-', '--json'], { stdin: new MemoryInput([pcm]) });
    expect(jsonLines(assumed.out).at(-1)).toMatchObject({ audio_ms: 4_000 });
    expect(assumed.err).toContain('s16le:16000:1');
  });

  it('takes /dev/stdin for stdin, and a FIFO for a stream', async () => {
    const stdin = new MemoryInput([wav(4_000)]);
    const { exitCode, out } = await transcribe(['/dev/stdin'], { stdin });
    expect([exitCode, out]).toEqual([0, 'Good morning.\nNine fifteen.\n']);
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reading = transcribe([fifo, '--json']);
    await writeFile(fifo, float32ToPcm16(noise(4_000)));
    const raw = await reading;
    expect(raw.err).toContain(`No header on ${fifo}: taken as raw s16le:16000:1`);
    expect(jsonLines(raw.out).at(-1)).toMatchObject({ audio_ms: 4_000 });
  });

  it('begins nothing where its result would be lost', async () => {
    const createEngine = () => Promise.reject(new Error('loaded'));
    const { exitCode, err } = await transcribe([speech], {
      stdoutReader: 'closed',
      factories: { createEngine },
    });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^kikitori: Standard output is closed[^\n]+\.\n$/);
    expect((await transcribe([speech], { stdoutReader: 'void' })).exitCode).toBe(0);
  });

  it.each([
    [['no-such-file.wav'], 2, 'no-such-file.wav: There is no such file'],
    [['FOLDER/notes.txt'], 2, 'notes.txt: This is text and not audio'],
    [['FOLDER'], 2, 'folder'],
    [['SPEECH', '--pace', 'fast'], 2, '--pace must be'],
    [['SPEECH', '--url', 'nonsense'], 2, '--url must be'],
    [['SPEECH', '--url', 'ftp://x/'], 2, '--url must be'],
    [['SPEECH', '--format', 'doc'], 2, '--format must be'],
    [['SPEECH', '--raw-format', 'x'], 2, '--raw-format must be'],
    [['SPEECH', '--language', 'klingonish'], 2, '--language must be'],
    [['SPEECH', '--url', 'ws://127.0.0.1:1'], 1, 'No connection to the server'],
  ])('answers %j with %d and a sentence', async (words, expected, sentence) => {
    const filled = words.map((word) => word.replace('FOLDER', folder).replace('SPEECH', speech));
    const { exitCode, out, err } = await transcribe(filled);
    expect(err).toContain(sentence);
    expect(err).toMatch(/^kikitori: [^\n]+\n$/);
    expect([exitCode, out]).toEqual([expected, '']);
  });

  it.each(['en_US', 'EN', 'english', 'auto'])('takes --language %s for English', async (language) => {
    const { exitCode, out } = await transcribe([speech, '--language', language], {
      factories: { openModelStore },
    });
    expect([exitCode, out]).toEqual([0, 'Good morning.\nNine fifteen.\n']);
  });

  it('refuses a language that the model does not hear, with the list, and loads nothing', async () => {
    const createEngine = () => Promise.reject(new Error('loaded'));
    const factories = { createEngine, openModelStore };
    expect(await transcribe([speech, '--language', 'ja'], { factories })).toEqual({
      exitCode: 2,
      out: '',
      err: 'kikitori: The language Japanese (ja) is not heard here. This model hears English (en).\n',
    });
  });

  it('asks a model that the store does not know once it is loaded', async () => {
    const words = [speech, '--model', './mine', '--language', 'ja'];
    const { exitCode, out, err } = await transcribe(words, { factories: { openModelStore } });
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain('kikitori: The language Japanese (ja) is not heard here.');
  });

  it('says in its help what the embedded models hear, which is what the catalogue says', async () => {
    const help = await transcribe(['--help']);
    expect(help.out.replace(/\s+/g, ' ')).toContain('tiny and base hear English (en) and nothing else');
    const heard = CATALOGUE.filter(({ kind }) => kind === 'moonshine').map(({ name, languages }) => [
      name,
      languages,
    ]);
    expect(heard).toEqual([
      ['base', ['en']],
      ['tiny', ['en']],
    ]);
  });

  it('does not wait for audio from a keyboard', async () => {
    const { exitCode, err } = await transcribe(['-'], { stdin: new MemoryInput([], true) });
    expect(exitCode).toBe(2);
    expect(err).toContain('Nothing is piped');
  });

  it.each([
    ['model_unavailable', 1],
    ['model_invalid', 2],
    ['engine_worker_lost', 1],
  ] as const)('passes on what is wrong with the model: %s → %d', async (code, expected) => {
    const createEngine = () => Promise.reject(new EngineError(code, 'Go online and run again.'));
    const { exitCode, err } = await transcribe([speech], { factories: { createEngine } });
    expect([exitCode, err]).toEqual([expected, 'kikitori: Go online and run again.\n']);
  });

  it('reports an engine that breaks in the middle, keeps what was said, and closes everything', async () => {
    const engine = scriptedEngine({ faults: [{ call: 'write', nth: 30, effect: 'lose_worker' }] });
    const { exitCode, out, err } = await transcribe([speech], {
      factories: { createEngine: async () => engine },
    });
    expect(exitCode).toBe(1);
    expect(out).toContain('Good morning.');
    expect(err.replace(HEARS, '')).toMatch(/^kikitori: [^\n]+\n$/);
    expect(engine.calls.streamsOpen).toBe(0);
  });

  it('shows a bar for the download, in plain lines where nobody watches', async () => {
    const createEngine = async ({ onProgress }: EngineRequest) => {
      onProgress({ label: 'base', receivedBytes: 1_000_000, totalBytes: 2_000_000 });
      onProgress({ label: 'base', receivedBytes: 2_000_000, totalBytes: 2_000_000 });
      return scriptedEngine();
    };
    const piped = await transcribe([speech], { factories: { createEngine } });
    expect(piped.err).toBe(`Fetching the model base (once), 2.0 MB…\n${HEARS}`);
    let nowMs = 0;
    const tick = (): number => {
      nowMs += 100;
      return nowMs;
    };
    const clock = { nowMs: tick, unixMs: tick, after: () => () => undefined };
    const watched = await transcribe([speech], {
      factories: { createEngine },
      stderrIsTerminal: true,
      clock,
    });
    expect(watched.err).toContain('1.0 MB of 2.0 MB');
    expect(watched.out).toBe('Good morning.\nNine fifteen.\n');
  });

  it('ends at Ctrl-C with the transcript so far and 130', async () => {
    const endless = (async function* () {
      yield float32ToPcm16(noise(2_100));
      await new Promise(() => undefined);
    })();
    const context = memoryContext({
      stdin: new MemoryInput(endless),
      factories: { createEngine: async () => scriptedEngine() },
    });
    const exit = main(['transcribe', '-', '--raw-format', 's16le:16000:1'], context);
    const wasSaid = (): Promise<void> =>
      new Promise((resolve) => {
        const look = (): void =>
          context.stdout.text.includes('morning.') ? resolve() : void setImmediate(look);
        look();
      });
    await wasSaid();
    context.interrupt();
    expect(await exit).toBe(130);
    expect(context.stdout.text).toMatch(/^Good morning\.\n(Nine\n)?$/);
    expect(context.stderr.text).toBe(HEARS);
  });
});

describe('kikitori transcribe --url', () => {
  async function withServer(apiKey: string | undefined, use: (url: string) => Promise<void>): Promise<void> {
    const engine = scriptedEngine();
    const server = await startServer({
      engine,
      attach: attachWebSockets,
      port: 0,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    try {
      await use(server.url);
    } finally {
      await server.close();
      await engine.close();
    }
  }

  it('gives the same through a server, whose URL needs neither ws nor a path', async () => {
    await withServer(undefined, async (url) => {
      expect(await transcribe([speech, '--url', url])).toEqual({
        exitCode: 0,
        out: 'Good morning.\nNine fifteen.\n',
        err: HEARS,
      });
    });
  });

  it('waits for a server that is not there yet, says so once, and belongs to a server', async () => {
    const alone = await transcribe([speech, '--wait', '60']);
    expect([alone.exitCode, alone.out]).toEqual([2, '']);
    expect(alone.err).toContain('--wait and --max-model-len belong to a server; name one with --url.');
    await withServer(undefined, async (url) => {
      let tries = 0;
      const connect: Connect = async (options) => {
        tries += 1;
        if (tries < 4) throw new TransportError('connect_failed', 'Nobody is there.');
        return await connectWebSocket(options);
      };
      const factories = { connect: async () => connect };
      const { exitCode, out, err } = await transcribe([speech, '--url', url, '--wait', '60'], { factories });
      expect([exitCode, out, tries]).toEqual([0, 'Good morning.\nNine fifteen.\n', 4]);
      expect(err).toBe(`The server is not there yet; it is waited for, for 60 s at most.\n${HEARS}`);
    });
  });

  it('tells a language that the server does not hear as bad usage', async () => {
    await withServer(undefined, async (url) => {
      const { exitCode, out, err } = await transcribe([speech, '--url', url, '--language', 'de']);
      expect([exitCode, out]).toEqual([2, '']);
      expect(err).toContain(
        'kikitori: The language German (de) is not heard here. This model hears English (en).',
      );
    });
  });

  it('takes the key from the environment, and says so when it is missing', async () => {
    await withServer('sesame', async (url) => {
      const refused = await transcribe([speech, '--url', url]);
      expect([refused.exitCode, refused.out]).toEqual([1, '']);
      expect(refused.err).toContain('The server wants an API key; set KIKITORI_API_KEY');
      const wrong = await transcribe([speech, '--url', url], { env: { KIKITORI_API_KEY: 'open' } });
      expect([wrong.exitCode, wrong.out]).toEqual([1, '']);
      expect(wrong.err).toContain('The server does not know this API key; correct KIKITORI_API_KEY');
      const allowed = await transcribe([speech, '--url', url], { env: { KIKITORI_API_KEY: 'sesame' } });
      expect(allowed.exitCode).toBe(0);
    });
  });

  it('tells what the server said about an unknown model', async () => {
    await withServer(undefined, async (url) => {
      const { exitCode, err } = await transcribe([speech, '--url', url, '--model', 'nobody']);
      expect(exitCode).toBe(1);
      expect(err.replace(HEARS, '')).toMatch(/^kikitori: The server reported an error.*model_not_found.*\n$/);
    });
  });

  it('makes one final per commit of a plain vLLM server', async () => {
    const peer = createMemoryPair();
    const serve = async (): Promise<void> => {
      await peer.far.send('{"type":"session.created","id":"sess-0000000000000000","created":1}');
      for await (const message of peer.far.messages) {
        if (!String(message).includes('"final":true')) continue;
        for (const delta of ['', ' Fir', 'st', ' words.']) {
          await peer.far.send(JSON.stringify({ type: 'transcription.delta', delta }));
        }
        await peer.far.send('{"type":"transcription.done","text":" First words.","usage":null}');
      }
    };
    const served = serve();
    const factories = { connect: async () => async () => peer.near };
    const { exitCode, out } = await transcribe([speech, '--url', 'ws://vllm:8000', '--json'], { factories });
    await served;
    expect(exitCode).toBe(0);
    const lines = jsonLines(out);
    expect(lines.map(({ type }) => type)).toEqual(['delta', 'delta', 'delta', 'final', 'summary']);
    expect(lines[3]).toEqual({ type: 'final', text: 'First words.', start_ms: 0, end_ms: 4_000, words: [] });
    expect(lines[4]).toMatchObject({ text: 'First words.', audio_ms: 4_000 });
  });
});
