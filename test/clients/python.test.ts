/** Libraries in Python of OpenAI, Mistral, Deepgram, AssemblyAI and Home Assistant. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { pythonHomes, pythonOf } from './homes.js';
import { areThere, finalOf, kindsOf, pythonScript, type Told, toldBy, useSpokenFiles } from './programs.js';
import { KEY, useStage, whyNoClients } from './stage.js';

const PYTHON = pythonOf(pythonHomes.sdks);
const isThere = areThere('Python', PYTHON);
const SCRIPT = pythonScript('sdks.py');
const INTERIMS = ['final', 'interim'];
const TURNS = ['final', 'interim', 'start'];

describe.skipIf(whyNoClients !== undefined || !isThere)('in Python', { timeout: 120_000 }, () => {
  const stage = useStage();
  const files = useSpokenFiles();

  const told = (client: string, { key = KEY, model = '', url = stage.plain.url } = {}): Promise<Told[]> =>
    toldBy(PYTHON, [SCRIPT, client, url, key, model || stage.engine.info.model, files[16_000]]);

  async function assemblyai(server: 'plain' | 'secure', key: string): Promise<Told[]> {
    const authority = join(files.folder, 'authority.pem');
    await writeFile(authority, stage.authority);
    const { url } = stage[server];
    const words = [SCRIPT, 'assemblyai', url, key, 'universal-streaming-english', files[16_000]];
    return await toldBy(PYTHON, words, { SSL_CERT_FILE: authority });
  }

  it.each([
    ['openai-realtime', INTERIMS],
    ['openai-file', INTERIMS],
    ['mistral-realtime', INTERIMS],
    ['deepgram-live', ['end', ...TURNS]],
    ['deepgram-flux', TURNS],
    ['deepgram-file', INTERIMS],
  ])('%s is told what was said, as it is said and as a whole', async (client, kinds) => {
    const heard = await told(client);
    expect(kindsOf(heard)).toEqual(kinds);
    expectWhole(finalOf(heard), 'ferry');
  });

  it.each(['plain', 'secure'] as const)(
    'assemblyai is told turns as they grow, and formatted when they are over: %s',
    async (server) => {
      const heard = await assemblyai(server, KEY);
      expect(kindsOf(heard)).toEqual(['end', ...TURNS]);
      expectWhole(finalOf(heard), 'ferry');
    },
  );

  it('Home Assistant is told what is served, and what was said, as it is said and as a whole', async () => {
    const heard = await told('wyoming', { url: `tcp://127.0.0.1:${stage.plain.wyoming?.port}` });
    expect(heard[0]).toEqual({ kind: 'served', text: `kikitori: ${stage.engine.info.model} (en)` });
    expect(kindsOf(heard.slice(1))).toEqual(INTERIMS);
    expectWhole(finalOf(heard), 'ferry');
  });

  it('libraries of different makers are told the same of a file', async () => {
    expect(finalOf(await told('deepgram-file'))).toBe(finalOf(await told('openai-file')));
  });

  it.each(['openai-realtime', 'mistral-realtime', 'deepgram-live', 'deepgram-flux'])(
    '%s is told of a model that is not there',
    async (client) => {
      const heard = await told(client, { model: 'nobody' });
      expect(heard.at(-1)).toMatchObject({ kind: 'error', text: expect.stringContaining('nobody') });
    },
  );

  it('of Deepgram is told of a wrong key, and with a file of a model that is not there', async () => {
    for (const client of ['deepgram-live', 'deepgram-flux', 'deepgram-file']) {
      const refused = [{ kind: 'error', text: expect.stringMatching(/^401 /) }];
      expect(await told(client, { key: 'wrong' }), client).toEqual(refused);
    }
    const unknown = [{ kind: 'error', text: expect.stringMatching(/^400 .*INVALID_MODEL/) }];
    expect(await told('deepgram-file', { model: 'nobody' })).toEqual(unknown);
  });

  it('of AssemblyAI is told of a wrong key', async () => {
    expect(await assemblyai('secure', 'wrong')).toEqual([
      { kind: 'error', text: expect.stringMatching(/^401 /) },
    ]);
  });
});
