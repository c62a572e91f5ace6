/** LiveKit's speech-to-text plug-ins, in JavaScript and in Python. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { nodeClientsHome, pythonHomes, pythonOf } from './homes.js';
import { areThere, finalOf, kindsOf, pythonScript, toldBy, useSpokenFiles } from './programs.js';
import { KEY, useStage, whyNoClients } from './stage.js';

const PYTHON = pythonOf(pythonHomes.livekit);
const hasNode = areThere('LiveKit', join(nodeClientsHome, 'node_modules', '@livekit', 'agents'));
const hasPython = areThere('LiveKit in Python', PYTHON);
const TURNS = ['end', 'final', 'interim', 'start'];

describe.skipIf(whyNoClients !== undefined)('of LiveKit', { timeout: 120_000 }, () => {
  const stage = useStage();
  const files = useSpokenFiles();

  it
    .skipIf(!hasNode)
    .each([
      'openai, the server ends turns',
      'openai, LiveKit ends turns',
      'mistral',
      'deepgram',
      'deepgram flux',
    ])('in JavaScript: %s', async (client) => {
    const { model } = stage.engine.info;
    const script = join(import.meta.dirname, 'livekit_clients.mjs');
    const words = [script, nodeClientsHome, client, stage.plain.url, KEY, model, files[24_000]];
    const heard = await toldBy(process.execPath, words);
    expect(kindsOf(heard)).toEqual(TURNS);
    expectWhole(finalOf(heard), 'ferry');
  });

  it.skipIf(!hasPython).each([
    ['openai', TURNS],
    ['openai-commits', TURNS],
    ['openai-file', ['final']],
    ['mistral', TURNS],
    ['mistral-file', ['final']],
    ['deepgram', TURNS],
    ['deepgram-file', ['final']],
    ['flux', TURNS],
    ['assemblyai', TURNS],
  ])('in Python: %s', async (client, kinds) => {
    const { model } = stage.engine.info;
    const words = [pythonScript('livekit_plugins.py'), client, stage.plain.url, KEY, model, files[16_000]];
    const heard = await toldBy(PYTHON, words);
    expect(kindsOf(heard)).toEqual(kinds);
    expectWhole(finalOf(heard), 'ferry');
  });
});
