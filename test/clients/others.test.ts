/** Clients that are programs of their own: those in Python, and LiveKit's agents. `node test/clients/install.js` brings them. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { nodeClientsHome, pythonHomes, pythonOf } from './homes.js';
import { closeRecogniser, KEY, openStage, type Stage, spoken, whyNoClients } from './stage.js';

const run = promisify(execFile);
const CLIENT_MS_MAX = 90_000;
const hasSdks = existsSync(pythonOf(pythonHomes.sdks));
const hasPipecat = existsSync(pythonOf(pythonHomes.pipecat));
const hasLiveKit = existsSync(join(nodeClientsHome, 'node_modules', '@livekit', 'agents'));
for (const [name, isThere] of [
  ['Python', hasSdks],
  ['pipecat', hasPipecat],
  ['LiveKit', hasLiveKit],
] as const) {
  if (!isThere)
    process.stderr.write(`clients of ${name} are not tried: node test/clients/install.js brings them\n`);
}

/** One thing that a client was told. */
interface Told {
  readonly kind: 'interim' | 'final' | 'start' | 'end' | 'error';
  readonly text: string;
}

describe.skipIf(whyNoClients !== undefined)('clients of others', { timeout: 120_000 }, () => {
  let stage: Stage;
  let folder = '';
  const files = { 16000: '', 24000: '' };

  beforeAll(async () => {
    if (whyNoClients !== undefined) return;
    stage = await openStage();
    folder = await mkdtemp(join(tmpdir(), 'kikitori-others-'));
    for (const rateHz of [16_000, 24_000] as const) {
      files[rateHz] = join(folder, `${rateHz}.raw`);
      await writeFile(files[rateHz], await spoken(rateHz, 'ferry.flac'));
    }
  });
  afterAll(async () => {
    await stage?.[Symbol.asyncDispose]();
    await closeRecogniser();
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  async function told(program: string, ...words: readonly string[]): Promise<Told[]> {
    const { stdout } = await run(program, words, { timeout: CLIENT_MS_MAX });
    const lines = stdout.split('\n').filter((line) => line.startsWith('{"kind"'));
    return lines.map((line): Told => JSON.parse(line));
  }

  const finalOf = (heard: readonly Told[]): string =>
    heard.flatMap(({ kind, text }) => (kind === 'final' && text !== '' ? [text] : [])).join(' ');
  const kindsOf = (heard: readonly Told[]): string[] => [...new Set(heard.map(({ kind }) => kind))];

  const PYTHON = join(import.meta.dirname, 'python_clients.py');

  it.skipIf(!hasSdks).each(['openai-realtime', 'openai-file', 'mistral-realtime'])(
    'in Python: %s is told what was said, as it is said and as a whole',
    async (client) => {
      const words = [client, stage.plain.url, KEY, stage.engine.info.model, files[16_000]];
      const heard = await told(pythonOf(pythonHomes.sdks), PYTHON, ...words);
      expect(kindsOf(heard).toSorted()).toEqual(['final', 'interim']);
      expectWhole(finalOf(heard), 'ferry');
    },
  );

  it.skipIf(!hasSdks)('in Python: a model that is not there is told', async () => {
    for (const client of ['openai-realtime', 'mistral-realtime']) {
      const words = [client, stage.plain.url, KEY, 'nobody', files[16_000]];
      const heard = await told(pythonOf(pythonHomes.sdks), PYTHON, ...words);
      expect(heard.at(-1)).toMatchObject({ kind: 'error', text: expect.stringContaining('nobody') });
    }
  });

  it
    .skipIf(!hasPipecat)
    .each(['pipecat-openai', 'pipecat-mistral', 'pipecat-deepgram', 'pipecat-flux', 'pipecat-assemblyai'])(
    'of pipecat: %s',
    async (client) => {
      const words = [client, stage.plain.url, KEY, stage.engine.info.model, files[16_000]];
      const heard = await told(pythonOf(pythonHomes.pipecat), PYTHON, ...words);
      expect(kindsOf(heard).toSorted()).toEqual(['final', 'interim']);
      expectWhole(finalOf(heard), 'ferry');
    },
  );

  it
    .skipIf(!hasLiveKit)
    .each([
      'openai, the server ends turns',
      'openai, LiveKit ends turns',
      'mistral',
      'deepgram',
      'deepgram flux',
    ])('of LiveKit: %s', async (client) => {
    const { model } = stage.engine.info;
    const script = join(import.meta.dirname, 'livekit_clients.mjs');
    const words = [nodeClientsHome, client, stage.plain.url, KEY, model, files[24_000]];
    const heard = await told(process.execPath, script, ...words);
    expect(kindsOf(heard).toSorted()).toEqual(['end', 'final', 'interim', 'start']);
    expectWhole(finalOf(heard), 'ferry');
  });
});
