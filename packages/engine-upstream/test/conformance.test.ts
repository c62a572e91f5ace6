import type { SpeechEngine } from '@kikitori/engine';
import { describeSpeechEngine, type EngineUnderTest } from '@kikitori/engine/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { createUpstreamEngine } from '../src/upstream-engine.js';
import { ourServer, sound, vllmLike } from './servers.js';

const INFO = { model: 'behind', languages: ['en'], streamsMax: 3 };

const SCRIPT = [
  {
    words: [
      { text: 'One', startMs: 2300, endMs: 2500 },
      { text: 'two.', startMs: 2600, endMs: 2900 },
    ],
  },
  { words: [{ text: 'Three.', startMs: 4000, endMs: 4600 }] },
];

const ours: EngineUnderTest = {
  name: 'an engine behind our own server',
  create: async (): Promise<SpeechEngine> => {
    const { connect } = ourServer(SCRIPT);
    return createUpstreamEngine({ info: INFO, connect });
  },
  speech: { audio: new Float32Array(16 * 5000), text: 'one two three' },
  otherSpeech: { audio: new Float32Array(16 * 2800), text: 'one two' },
  silence: new Float32Array(16 * 2000),
};

/** What is said depends on how loud it is said. */
const SAID: Readonly<Record<number, readonly string[]>> = {
  2: [' Some', 'thing', ' was'],
  3: [' said,'],
  4: [' then', ' noth', 'ing.'],
  5: [' Quite', ' another', ' matter.'],
};

const vllm: EngineUnderTest = {
  name: 'an engine behind a server that behaves like vLLM',
  create: async (): Promise<SpeechEngine> => {
    const { connect } = vllmLike({ pieces: (_, peak) => SAID[Math.round(peak / 2_000)] ?? [] });
    return createUpstreamEngine({ info: INFO, connect });
  },
  speech: {
    audio: sound('----------22222--333-----------44444----------'),
    text: 'something was said then nothing',
  },
  otherSpeech: { audio: sound('------------5555-----'), text: 'quite another matter' },
  silence: sound('-'.repeat(20)),
};

for (const engine of [ours, vllm]) describeSpeechEngine(engine, { describe, it, afterAll, expect });
