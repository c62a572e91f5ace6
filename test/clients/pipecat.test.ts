/** pipecat's services. */
import { describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { pythonHomes, pythonOf } from './homes.js';
import { areThere, finalOf, kindsOf, pythonScript, toldBy, useSpokenFiles } from './programs.js';
import { KEY, useStage, whyNoClients } from './stage.js';

const PYTHON = pythonOf(pythonHomes.pipecat);
const isThere = areThere('pipecat', PYTHON);

describe.skipIf(whyNoClients !== undefined || !isThere)('of pipecat', { timeout: 120_000 }, () => {
  const stage = useStage();
  const files = useSpokenFiles();

  it.each(['openai', 'mistral', 'deepgram', 'flux', 'assemblyai'])('%s', async (client) => {
    const { model } = stage.engine.info;
    const words = [pythonScript('pipecat_services.py'), client, stage.plain.url, KEY, model, files[16_000]];
    const heard = await toldBy(PYTHON, words);
    expect(kindsOf(heard)).toEqual(['final', 'interim']);
    expectWhole(finalOf(heard), 'ferry');
  });
});
