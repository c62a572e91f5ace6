import { assemblyAi } from './assemblyai/assemblyai.js';
import { deepgramFlux } from './deepgram/flux.js';
import { deepgramListen } from './deepgram/listen.js';
import type { Dialect, DialectRequest } from './dialect.js';
import { mistral } from './mistral/mistral.js';
import { nim } from './nim/nim.js';
import { openai } from './openai/openai.js';
import { vllm } from './vllm/vllm.js';
import { wyoming } from './wyoming/wyoming.js';

/** Every dialect that is served, the more particular before the more general. */
export const DIALECTS: readonly Dialect[] = [
  // What has a path of its own.
  assemblyAi,
  deepgramListen,
  deepgramFlux,
  mistral,
  // What comes over TCP.
  wyoming,
  // What shares one.
  nim,
  openai,
  vllm,
];

/** Whose connection it is; undefined: nobody's. */
export function dialectOf(dialects: readonly Dialect[], request: DialectRequest): Dialect | undefined {
  return dialects.find((dialect) => dialect.claims(request));
}
