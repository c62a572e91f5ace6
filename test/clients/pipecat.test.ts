/** pipecat's services. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { pythonHomes, pythonOf } from './homes.js';
import {
  areThere,
  finalOf,
  kindsOf,
  pythonScript,
  type SpokenFiles,
  spokenFiles,
  toldBy,
} from './programs.js';
import { closeRecogniser, KEY, openStage, type Stage, whyNoClients } from './stage.js';

const PYTHON = pythonOf(pythonHomes.pipecat);
const isThere = areThere('pipecat', PYTHON);

describe.skipIf(whyNoClients !== undefined || !isThere)('of pipecat', { timeout: 120_000 }, () => {
  let stage: Stage;
  let files: SpokenFiles;
  beforeAll(async () => {
    if (whyNoClients !== undefined) return;
    stage = await openStage();
    files = await spokenFiles();
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await closeRecogniser();
    await files?.[Symbol.asyncDispose]();
  });

  it.each(['openai', 'mistral', 'deepgram', 'flux', 'assemblyai'])('%s', async (client) => {
    const { model } = stage.engine.info;
    const words = [pythonScript('pipecat_services.py'), client, stage.plain.url, KEY, model, files[16_000]];
    const heard = await toldBy(PYTHON, words);
    expect(kindsOf(heard)).toEqual(['final', 'interim']);
    expectWhole(finalOf(heard), 'ferry');
  });
});
