import { describe, expect, it } from 'vitest';
import { DIALECTS, dialectOf } from '../../src/dialects/registry.js';

/** Members of every object: whoever looks settings up in one finds these. */
const INHERITED = ['constructor', 'toString', '__proto__', 'hasOwnProperty'];

const openAi = (format: unknown): string =>
  JSON.stringify({ type: 'session.update', session: { audio: { input: { format } } } });

/** A path, its query, and what a client says first, with a name in the place of an encoding. */
const SAID: readonly [string, (name: string) => readonly [string, string | Uint8Array]][] = [
  ['/v1/realtime', (name) => ['intent=transcription', openAi({ type: name })]],
  ['/v1/realtime', (name) => ['', betaUpdate({ input_audio_format: name })]],
  ['/v1/realtime', (name) => ['', betaUpdate({ input_audio_format: name, input_audio_params: {} })]],
  [
    '/v1/audio/transcriptions/realtime',
    (name) => ['', JSON.stringify({ type: 'session.update', session: { audio_format: { encoding: name } } })],
  ],
  ['/v1/listen', (name) => [`encoding=${name}`, new Uint8Array(2)]],
  ['/v2/listen', (name) => [`encoding=${name}`, new Uint8Array(2)]],
  ['/v3/ws', (name) => [`encoding=${name}`, new Uint8Array(2)]],
];

function betaUpdate(session: object): string {
  return JSON.stringify({ type: 'transcription_session.update', session });
}

describe('an encoding whose name every object has', () => {
  it.each(SAID)('is refused as any other that is not known, at %s', (path, sayOf) => {
    for (const name of INHERITED) {
      const [query, firstMessage] = sayOf(name);
      const request = { path, query, headers: {}, protocols: [], firstMessage };
      const said = dialectOf(DIALECTS, request)?.converse(request).read(firstMessage);
      expect(said, name).toMatchObject([{ type: 'invalid' }]);
    }
  });
});
