/** What comes from outside may hold what a terminal obeys: it is shown, by every command and in every form. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryPair } from '@kikitori/transport';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { examine } from '../src/commands/doctor.js';
import { createLogger } from '../src/logging.js';
import { main } from '../src/main.js';
import { createProcessContext } from '../src/process-context.js';
import { announce } from '../src/terminal/announcement.js';
import { scriptedEngine, wav } from './commands/speech.js';
import { type MemoryContextOptions, memoryContext } from './memory-context.js';
import { Screen } from './terminal/screen.js';

/** The title of the window, a colour by C1, backspaces, turned text, and a second line. */
const EVIL = '\x1b]0;evil\x07\x9b31m\b\x7f\u202eevil\u2066\nkikitori: all is well';
const SHOWN = '␛]0;evil␇�31m␈␡�evil�';

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const OBEYED = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/u;
/** The sequences that are ours alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is read here
const OURS = /\x1b\[(?:\?2026[hl]|\?25[hl]|\d*[AJKm])|\r/gu;

let folder = '';
let speech = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-cli-'));
  speech = join(folder, 'speech.wav');
  await writeFile(speech, wav(2_000));
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SCREENS = [
  { stdoutIsTerminal: true, stderrIsTerminal: true },
  { stdoutIsTerminal: false, stderrIsTerminal: true },
  { stdoutIsTerminal: false, stderrIsTerminal: false },
];

async function run(words: readonly string[], options: MemoryContextOptions) {
  const context = memoryContext(options);
  await main(words, context);
  const [out, err] = [context.stdout.text, context.stderr.text];
  expect(`${out}${err}`.replace(OURS, '')).not.toMatch(OBEYED);
  return { out, err };
}

describe.each(SCREENS)('text from outside, %o', (screen) => {
  const factories = {
    createEngine: async () =>
      scriptedEngine({ script: [{ words: [{ text: EVIL, startMs: 200, endMs: 900 }] }] }),
  };

  it.each([['text'], ['json'], ['srt'], ['vtt']])('as a transcript, %s', async (format) => {
    const { out } = await run(['transcribe', speech, '--format', format], { ...screen, factories });
    if (format === 'text') expect(out.replace(OURS, '')).toContain(`${SHOWN} kikitori: all is well\n`);
    if (format === 'json') expect(JSON.parse(out)).toMatchObject({ text: EVIL });
    if (format === 'vtt') expect(out).toContain('\n]0;evil 31m evil kikitori: all is well\n');
  });

  it('as JSON lines, from which it can be read as it was', async () => {
    const { out } = await run(['transcribe', speech, '--json'], { ...screen, factories });
    const [delta] = out.replace(OURS, '').split('\n');
    expect(JSON.parse(delta ?? '')).toMatchObject({ type: 'delta', text: expect.stringContaining(EVIL) });
  });

  it('as the error of a server', async () => {
    const connect = async () => {
      const { near, far } = createMemoryPair();
      void far.send(JSON.stringify({ type: 'session.created', id: 'sess-1', created: 1 }));
      void far.send(JSON.stringify({ type: 'error', error: EVIL, code: EVIL }));
      return near;
    };
    const { err } = await run(['transcribe', speech, '--url', 'ws://127.0.0.1:1/v1/realtime'], {
      ...screen,
      factories: { connect: async () => connect },
    });
    const lines = new Screen(err).rows();
    expect(lines.join(' ')).toContain(SHOWN);
    expect(lines.filter((line) => line.startsWith('kikitori: '))).toHaveLength(1);
  });

  it('as the name of a microphone, of a model, of a file', async () => {
    const listMicrophones = async () => [{ number: 0, name: EVIL }];
    const devices = await run(['listen', '--list-devices'], { ...screen, factories: { listMicrophones } });
    expect(devices.out).toBe(`0  ${SHOWN} kikitori: all is well\n`);
    const openModelStore = async () => ({
      list: async () => [
        {
          name: EVIL,
          kind: 'moonshine' as const,
          state: 'present' as const,
          sizeBytes: 1,
          description: EVIL,
          licence: 'MIT',
          languages: [EVIL],
          dir: EVIL,
        },
      ],
      pull: async () => undefined,
      remove: async () => true,
      problems: async () => [],
    });
    const table = await run(['models', 'list'], { ...screen, factories: { openModelStore } });
    expect(table.out).not.toContain('\nkikitori');
    const json = await run(['models', 'list', '--json'], { ...screen, factories: { openModelStore } });
    expect(JSON.parse(json.out)).toMatchObject([{ name: EVIL, dir: EVIL }]);
    const missing = await run(['transcribe', join(folder, EVIL)], { ...screen, factories });
    expect(missing.err).not.toContain('\nkikitori: all');
  });

  it('as what a check found', async () => {
    const context = memoryContext(screen);
    const look = async () => ({ status: 'warn' as const, detail: EVIL, advice: EVIL });
    const given = { port: 8000, model: undefined, json: false };
    await examine([{ name: 'evil', look }], { options: given }, context);
    expect(context.stdout.text.replace(OURS, '')).not.toMatch(OBEYED);
    expect(context.stdout.text).not.toContain('\nkikitori');
  });

  it('as a line of the log, and as an address', () => {
    const { stdout, stderr, env } = memoryContext(screen);
    createLogger('info', { output: stderr, env }).info('Something came.', { reason: EVIL });
    expect(stderr.text.replace(OURS, '')).not.toMatch(OBEYED);
    expect(stderr.text.trimEnd().split('\n')).toHaveLength(1);
    announce(['It runs', ''], [{ label: 'At', value: EVIL, note: EVIL }], { stdout, env });
    expect(stdout.text.replace(OURS, '')).not.toMatch(OBEYED);
    expect(stdout.text).not.toContain('\nkikitori');
  });

  it('as the words of a crash', async () => {
    const createEngine = async () => {
      throw new Error(EVIL, { cause: new Error(EVIL) });
    };
    const { err } = await run(['transcribe', speech], {
      ...screen,
      env: { KIKITORI_DEBUG: '1' },
      factories: { createEngine },
    });
    expect(err).toContain(SHOWN);
  });
});

it('the streams of the process are screened', () => {
  const written: unknown[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(text);
      return true;
    });
  }
  const { context, dispose } = createProcessContext();
  context.stdout.write(EVIL);
  context.stderr.write(EVIL);
  dispose();
  vi.restoreAllMocks();
  expect(written).toEqual([`${SHOWN}\nkikitori: all is well`, `${SHOWN}\nkikitori: all is well`]);
});
