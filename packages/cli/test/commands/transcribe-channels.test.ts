import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeWav } from '@kikitori/audio';
import { startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineRequest } from '../../src/context.js';
import { MemoryInput } from '../memory-context.js';
import { noise, scriptedEngine } from './speech.js';
import { transcribe } from './transcribing.js';

/** Sound that changes as speech does, another one for each seed: hiss through a resonance that glides. */
function voice(seed: number): Float32Array {
  let state = seed;
  const random = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const out = new Float32Array(64_000);
  for (let at = 0; at < out.length; at += 2_000 + Math.round(3_000 * random())) {
    const [fromHz, toHz] = [300 + 2_500 * random(), 300 + 2_500 * random()];
    let [last, beforeLast] = [0, 0];
    for (let i = 0; i < 2_000 && at + i < out.length; i += 1) {
      const turn = (2 * Math.PI * (fromHz + ((toHz - fromHz) * i) / 2_000)) / 16_000;
      const next = random() - 0.5 + 1.96 * Math.cos(turn) * last - 0.9604 * beforeLast;
      [last, beforeLast] = [next, last];
      out[at + i] = 0.03 * next;
    }
  }
  return out;
}

function stereo(first: Float32Array, second: Float32Array): Uint8Array {
  const both = Float32Array.from({ length: 2 * first.length }, (_, index) => {
    const channel = index % 2 === 0 ? first : second;
    return channel[index >> 1] ?? 0;
  });
  return encodeWav(both, { sampleRateHz: 16_000, channels: 2 });
}

const call = stereo(voice(1), voice(2));
let folder = '';
const files = { call: '', same: '', mono: '' };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-cli-channels-'));
  const bytes = {
    call,
    same: stereo(voice(1), voice(1)),
    mono: encodeWav(noise(4_000), { sampleRateHz: 16_000 }),
  };
  for (const name of ['call', 'same', 'mono'] as const) {
    files[name] = join(folder, `${name}.wav`);
    await writeFile(files[name], bytes[name]);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const PLAIN = 'Good morning.\nNine fifteen.\n';
const LABELLED = [
  'Channel 1: Good morning.',
  'Channel 2: Good morning.',
  'Channel 1: Nine fifteen.',
  'Channel 2: Nine fifteen.',
];

describe('kikitori transcribe of two channels', () => {
  it('tells two voices apart, on one timeline', async () => {
    const { exitCode, out } = await transcribe([files.call]);
    expect([exitCode, out]).toEqual([0, `${LABELLED.join('\n')}\n`]);
  });

  it('labels them in JSON and in captions', async () => {
    const json = JSON.parse((await transcribe([files.call, '--format', 'json'])).out);
    expect(json).toMatchObject({ text: LABELLED.join('\n'), audio_ms: 4_000 });
    expect(
      json.utterances.map(({ label, text, start_ms }: Record<string, unknown>) => [label, text, start_ms]),
    ).toEqual([
      ['Channel 1', 'Good morning.', 200],
      ['Channel 2', 'Good morning.', 200],
      ['Channel 1', 'Nine fifteen.', 2_000],
      ['Channel 2', 'Nine fifteen.', 2_000],
    ]);
    const srt = (await transcribe([files.call, '--format', 'srt'])).out;
    expect(srt).toContain('\nChannel 2: Good morning.\n');
    const lines = (await transcribe([files.call, '--json'])).out.trimEnd().split('\n');
    const told = lines.map((line) => JSON.parse(line)).filter(({ type }) => type !== 'summary');
    expect(new Set(told.map(({ label }) => label))).toEqual(new Set(['Channel 1', 'Channel 2']));
  });

  it('loads one engine for both, with a stream for each', async () => {
    const requests: EngineRequest[] = [];
    const engine = scriptedEngine();
    const createEngine = async (request: EngineRequest) => {
      requests.push(request);
      return engine;
    };
    await transcribe([files.call], { factories: { createEngine } });
    expect(requests).toMatchObject([{ threads: 1, streamsMax: 2 }]);
    expect(engine.calls).toMatchObject({ opens: 2, closes: 2, streamsOpen: 0, samples: 2 * 64_000 });
  });

  it('has no labels where one voice was found, or one was asked for', async () => {
    const silentSecond = async () => scriptedEngine({ script: [] });
    for (const words of [[files.same], [files.call, '--channels', 'mix'], [files.call, '--channels', '2']]) {
      expect((await transcribe(words)).out, words.join(' ')).toBe(PLAIN);
    }
    expect((await transcribe([files.mono, '--channels', 'each'])).out).toBe(PLAIN);
    expect((await transcribe([files.call], { factories: { createEngine: silentSecond } })).out).toBe('');
  });

  it('hears each channel apart where that is asked for, also on a pipe', async () => {
    expect((await transcribe([files.same, '--channels', 'each'])).out).toBe(`${LABELLED.join('\n')}\n`);
    const piped = await transcribe(['-', '--channels', 'each'], { stdin: new MemoryInput([call]) });
    expect(piped.out).toBe(`${LABELLED.join('\n')}\n`);
  });

  it('mixes a pipe that it cannot look through first, and says so', async () => {
    const { out, err } = await transcribe(['-'], {
      stdin: new MemoryInput([call.subarray(0, 70_000), call.subarray(70_000)]),
    });
    expect(out).toBe(PLAIN);
    expect(err).toContain('The two channels hold different voices, which were mixed');
    expect(err).toContain('--channels each');
  });

  it.each([
    ['left', '--channels must be auto, mix, each, or the number of a channel, such as 1 or 2.'],
    ['0', '--channels must be'],
    ['3', 'call.wav: This recording has 2 channels: channels may be auto, mix, each, or 1 to 2.'],
  ])('refuses --channels %s with what there is', async (value, sentence) => {
    const { exitCode, out, err } = await transcribe([files.call, '--channels', value]);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });

  it('takes a place of a server for each, and says what to do where it has one', async () => {
    const serve = async (streamsMax: number) => {
      const engine = scriptedEngine({ streamsMax });
      const server = await startServer({ engine, attach: attachWebSockets, port: 0 });
      await server.ready;
      return { engine, server };
    };
    for (const streamsMax of [1, 2]) {
      const { engine, server } = await serve(streamsMax);
      const { exitCode, out, err } = await transcribe([files.call, '--url', server.url]);
      if (streamsMax === 2) expect([exitCode, out]).toEqual([0, `${LABELLED.join('\n')}\n`]);
      else {
        expect([exitCode, out]).toEqual([1, '']);
        expect(err).toContain(
          'Each channel takes a place of the server, and this was number 2; --channels 1, then',
        );
      }
      await server.close();
      await engine.close();
    }
  });
});
