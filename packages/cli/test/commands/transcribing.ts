import { connectWebSocket } from '@kikitori/transport/ws';
import { main } from '../../src/main.js';
import { type MemoryContextOptions, memoryContext } from '../memory-context.js';
import { scriptedEngine } from './speech.js';

/** `kikitori transcribe` with a scripted engine, to its end. */
export async function transcribe(words: readonly string[], options: MemoryContextOptions = {}) {
  const context = memoryContext({
    ...options,
    factories: {
      createEngine: async () => scriptedEngine(),
      connect: async () => connectWebSocket,
      ...options.factories,
    },
  });
  const exitCode = await main(['transcribe', ...words], context);
  return { exitCode, out: context.stdout.text, err: context.stderr.text };
}
