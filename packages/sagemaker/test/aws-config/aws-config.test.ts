import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configuredEndpointUrl, profileRegion } from '../../src/aws-config/index.js';
import { createSageMakerConnect } from '../../src/client/index.js';
import { optionsFor } from '../client/opened.js';
import { RawPeer } from '../client/raw-peer.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-aws-config-'));
  vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** AWS's code keeps what it has read, by the path: each test has a file of its own. */
async function config(text: string, variable = 'AWS_CONFIG_FILE'): Promise<void> {
  const path = join(folder, variable);
  await writeFile(path, text);
  vi.stubEnv(variable, path);
}

const SERVICE_VARIABLE = 'AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2';

const PROFILE = `[default]
services = local
endpoint_url = http://profile.test

[services local]
sagemaker_runtime_http2 =
  endpoint_url = http://section.test
`;

describe('the address that is configured for AWS', () => {
  it('is none where nobody configured one', async () => {
    await expect(configuredEndpointUrl()).resolves.toBeUndefined();
  });

  it('is that of the service before that of all, and the environment before the profile', async () => {
    await config(PROFILE.replace('services = local\n', ''));
    await expect(configuredEndpointUrl()).resolves.toBe('http://profile.test');
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://all.test');
    await expect(configuredEndpointUrl()).resolves.toBe('http://all.test');
    vi.stubEnv(SERVICE_VARIABLE, 'https://one.test:8443');
    await expect(configuredEndpointUrl()).resolves.toBe('https://one.test:8443');
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true');
    await expect(configuredEndpointUrl()).resolves.toBeUndefined();
  });

  it('is that of the services section before that of the profile', async () => {
    await config(PROFILE);
    await expect(configuredEndpointUrl()).resolves.toBe('http://section.test');
  });

  it.each(['localhost:8443', 'ws://localhost:8443', 'nothing'])(
    'is refused with a sentence where it is none: %s',
    async (url) => {
      vi.stubEnv(SERVICE_VARIABLE, url);
      await expect(configuredEndpointUrl()).rejects.toMatchObject({
        reason: 'invalid_endpoint_url',
        message: expect.stringContaining(SERVICE_VARIABLE),
      });
    },
  );

  it('is where the client goes, unless it is told another one', async () => {
    const configured = await RawPeer.start();
    const told = await RawPeer.start();
    vi.stubEnv(SERVICE_VARIABLE, configured.url);
    for (const [peer, endpointUrl] of [
      [told, told.url],
      [configured, undefined],
    ] as const) {
      const connecting = createSageMakerConnect(optionsFor('', { endpointUrl }))({ url: '' });
      const line = await peer.nextLine();
      await line.until(({ frames }) => frames.some(({ type }) => type === 1));
      line.accept();
      (await connecting).destroy();
    }
    expect([told.lines.length, configured.lines.length]).toEqual([1, 1]);
    await Promise.all([told.stop(), configured.stop()]);
  });

  it("does not go together with the service's FIPS endpoint", async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://localhost:1');
    const connect = createSageMakerConnect(optionsFor('', { endpointUrl: undefined, isFips: true }));
    await expect(connect({ url: '' })).rejects.toMatchObject({ reason: 'invalid_option' });
  });

  it('leaves whoever has enough alone while it is looked up', async () => {
    const connect = createSageMakerConnect(optionsFor('', { endpointUrl: undefined }));
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(connect({ url: '', signal })).rejects.toThrow('enough');
  });
});

describe('the region of the profile', () => {
  it('is that of AWS_PROFILE, else of the default one', async () => {
    await config(
      '[default]\nregion = eu-west-3\n[profile sovereign]\nregion = eusc-de-east-1\n[profile bare]\n',
    );
    await expect(profileRegion()).resolves.toBe('eu-west-3');
    vi.stubEnv('AWS_PROFILE', 'sovereign');
    await expect(profileRegion()).resolves.toBe('eusc-de-east-1');
    vi.stubEnv('AWS_PROFILE', 'bare');
    await expect(profileRegion()).resolves.toBeUndefined();
    vi.stubEnv('AWS_PROFILE', 'nobody');
    await expect(profileRegion()).resolves.toBeUndefined();
  });

  it("may stand among the keys, as AWS's clients read it", async () => {
    await config('[default]\nregion = ap-south-1\n', 'AWS_SHARED_CREDENTIALS_FILE');
    await expect(profileRegion()).resolves.toBe('ap-south-1');
  });

  it('is none without a file', async () => {
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'absent'));
    await expect(profileRegion()).resolves.toBeUndefined();
  });
});
