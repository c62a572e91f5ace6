/** AssemblyAI's own client against our server. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectWhole } from '../browser/spoken.js';
import { KEY, spoken, useStage, whyNoClients } from './stage.js';

const run = promisify(execFile);
const CLIENT_MS_MAX = 90_000;
const RATE_HZ = 16_000;

describe.skipIf(whyNoClients !== undefined)('the client of AssemblyAI', { timeout: 120_000 }, () => {
  const stage = useStage();
  let folder = '';
  beforeAll(async () => {
    if (whyNoClients !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'kikitori-assemblyai-'));
    await writeFile(join(folder, 'authority.pem'), stage.authority);
    await writeFile(join(folder, 'ferry.raw'), await spoken(RATE_HZ, 'ferry.flac'));
  });
  afterAll(async () => {
    if (folder !== '') await rm(folder, { recursive: true, force: true });
  });

  async function told(apiKey: string): Promise<{ readonly kind: string; readonly text: string }[]> {
    const script = join(import.meta.dirname, 'assemblyai_client.mjs');
    const { stdout } = await run(
      process.execPath,
      [script, stage.secure.url, apiKey, join(folder, 'ferry.raw')],
      {
        timeout: CLIENT_MS_MAX,
        env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem') },
      },
    );
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  it('gets turns as they grow, and formatted when they are over', async () => {
    const heard = await told(KEY);
    expect([...new Set(heard.map(({ kind }) => kind))].toSorted()).toEqual(['final', 'interim']);
    expectWhole(heard.flatMap(({ kind, text }) => (kind === 'final' ? [text] : [])).join(' '), 'ferry');
  });

  it('is told of a wrong key', async () => {
    expect(await told('wrong')).toEqual([{ kind: 'error', text: expect.stringContaining('401') }]);
  });
});
