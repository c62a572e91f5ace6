/** The whole engine over a model of a script: every guarantee of `SpeechEngine`, with no model on the machine. */
import { afterAll, describe, expect, it } from 'vitest';
import { describeSpeechEngine } from '../../src/conformance/engine.js';
import { LocalEngine } from '../../src/recognition/local-engine.js';
import { ScriptedModel, type ScriptedSpeech } from '../../src/scripted-model.js';

const WORDS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const model = new ScriptedModel(WORDS);

/** Words of 300 ms with a breath between them, and a pause in the middle. */
function spoken(words: readonly string[]): { readonly audio: Float32Array; readonly text: string } {
  let atMs = 400;
  const speech = words.map((text, i): ScriptedSpeech => {
    atMs += i === 3 ? 1500 : 60;
    const startMs = atMs;
    atMs += 300;
    return { text, startMs, endMs: atMs };
  });
  return { audio: model.say(speech, atMs + 1000), text: words.join(' ') };
}

describeSpeechEngine(
  {
    name: 'a local engine over a scripted model',
    create: async () =>
      new LocalEngine({
        model: 'scripted',
        languages: ['en'],
        vocabulary: model.vocabulary,
        decoders: [model.decoder(), model.decoder()],
        voice: model.voice(),
        streamsMax: 3,
      }),
    speech: spoken(['one', 'two', 'three', 'four', 'five', 'six']),
    otherSpeech: spoken(['seven', 'eight', 'nine', 'ten']),
    silence: new Float32Array(16 * 2000),
    // When a word is said depends on when its decodes come.
    isDeterministic: false,
  },
  { describe, it, afterAll, expect },
);
