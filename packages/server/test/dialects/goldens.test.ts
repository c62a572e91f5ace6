/** Conversations that people can read, as a client of each dialect has them. */
import { encodeBase64 } from '@kikitori/audio';
import type { Message } from '@kikitori/transport';
import { describe, it } from 'vitest';
import { assemblyAi } from '../../src/dialects/assemblyai/assemblyai.js';
import type { Dialect } from '../../src/dialects/dialect.js';
import { mistral } from '../../src/dialects/mistral/mistral.js';
import { nim } from '../../src/dialects/nim/nim.js';
import { openai } from '../../src/dialects/openai/openai.js';
import { wyoming } from '../../src/dialects/wyoming/wyoming.js';
import { playGolden } from './golden-player.js';

const BYTES_PER_MS = 32;

/** How clients of a dialect send audio of 16 kHz, or of another rate. */
const appendOf =
  (type: string, bytesPerMs = BYTES_PER_MS) =>
  (lengthMs: number): readonly Message[] => {
    return [JSON.stringify({ type, audio: encodeBase64(new Uint8Array(lengthMs * bytesPerMs)) })];
  };

const append = appendOf('input_audio_buffer.append');
/** An event, and its payload. */
const chunk = (lengthMs: number): readonly Message[] => [
  JSON.stringify({ type: 'audio-chunk', data: { rate: 16_000, width: 2, channels: 1 } }),
  new Uint8Array(lengthMs * BYTES_PER_MS),
];

const PLAYED: readonly [string, Dialect, (lengthMs: number) => readonly Message[]][] = [
  ['openai-voice-detection', openai, append],
  ['openai-commits', openai, append],
  // 24 kHz, which its `pcm16` is.
  ['openai-beta', openai, appendOf('input_audio_buffer.append', 48)],
  ['openai-refused', openai, append],
  ['mistral-flushes', mistral, appendOf('input_audio.append')],
  ['nim-results', nim, append],
  ['assemblyai-turns', assemblyAi, (lengthMs) => [new Uint8Array(lengthMs * BYTES_PER_MS)]],
  ['wyoming-transcripts', wyoming, chunk],
  ['wyoming-language-not-heard', wyoming, chunk],
  ['wyoming-audio-not-heard', wyoming, chunk],
];

describe('a conversation that is written down', () => {
  it.each(PLAYED)('%s', async (name, dialect, audio) => {
    await playGolden({ dialect, path: new URL(`golden/${name}.txt`, import.meta.url), audio });
  });
});
