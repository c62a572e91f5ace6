import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { regionOf } from '../../src/aws/with-aws.js';
import { memoryContext } from '../memory-context.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-region-'));
  const path = join(folder, 'config');
  await writeFile(path, '[default]\nregion = eu-west-3\n[profile odd]\nregion = there\n[profile bare]\n');
  vi.stubEnv('AWS_CONFIG_FILE', path);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const region = (given: string | undefined, env: Readonly<Record<string, string>> = {}) =>
  regionOf(given, memoryContext({ env }));

describe('the region of a command about AWS', () => {
  it("is the flag's, else the environment's, else the profile's", async () => {
    const env = { AWS_REGION: 'us-west-2', AWS_DEFAULT_REGION: 'us-west-1' };
    await expect(region('us-east-1', env)).resolves.toBe('us-east-1');
    await expect(region(undefined, env)).resolves.toBe('us-west-2');
    await expect(region(undefined, { ...env, AWS_REGION: '' })).resolves.toBe('us-west-1');
    await expect(region(undefined)).resolves.toBe('eu-west-3');
  });

  it('may be one of any partition', async () => {
    for (const one of ['eusc-de-east-1', 'cn-north-1', 'us-gov-west-1', 'us-isob-east-1']) {
      await expect(region(one)).resolves.toBe(one);
    }
  });

  it('is asked for in all three ways where nobody says it, and corrected where it is none', async () => {
    vi.stubEnv('AWS_PROFILE', 'bare');
    const missing = expect(region(undefined)).rejects;
    await missing.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/--region.*AWS_REGION.*~\/\.aws\/config/),
    });
    vi.stubEnv('AWS_PROFILE', 'odd');
    await expect(region(undefined)).rejects.toThrow('A region looks like us-east-1');
  });
});
