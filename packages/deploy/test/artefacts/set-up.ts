import { afterEach } from 'vitest';
import { type CopyModelOptions, copyModel, type ModelCopy } from '../../src/artefacts/copy-model.js';
import type { TransferLimits } from '../../src/artefacts/limits.js';
import { type FakeFile, FakeHub, type FakeHubOptions, noiseFile, textFile } from '../fake-aws/fake-hub.js';
import { FakeS3, type FakeS3Options } from '../fake-aws/fake-s3.js';

export const KIB = 1_024;
export const OWNER = '111122223333';
export const DESTINATION = 's3://models/voxtral/';

/** The shapes of the real bounds, a thousand times smaller; waits are over at once. */
export const SMALL: TransferLimits = {
  partSizeBytes: 64 * KIB,
  partsInFlight: 3,
  checkpointParts: 2,
  retryDelayMs: 1,
  stallTimeoutMs: 10_000,
  rateLimitMsMax: 1_000,
  sendTimeoutMs: 10_000,
};

/** Voxtral's repository as it is: both layouts, and what nobody needs. */
export function voxtralFiles(weightBytes = 1_000 * KIB + 7): readonly FakeFile[] {
  return [
    textFile('.gitattributes', '*.safetensors filter=lfs'),
    textFile('README.md', '# Voxtral'),
    textFile('config.json', '{}'),
    noiseFile('consolidated.safetensors', weightBytes, 1),
    textFile('generation_config.json', '{}'),
    noiseFile('model.safetensors', weightBytes, 2),
    textFile('params.json', '{"dim": 3072}'),
    textFile('processor_config.json', '{}'),
    noiseFile('tekken.json', 50 * KIB, 3),
  ];
}

/** The whole content of a file. */
export function contentOf(file: FakeFile): Buffer {
  const bytes = Buffer.alloc(file.sizeBytes);
  file.fill(0, bytes);
  return bytes;
}

export interface Rig {
  readonly hub: FakeHub;
  readonly s3: FakeS3;
  readonly copy: (options?: Partial<CopyModelOptions>) => Promise<ModelCopy>;
}

const opened: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

/** A hub and an S3 that are closed after the test, and the client of their copies: to make one takes as long as to copy a small model. */
export async function openRig(
  hubOptions: Partial<FakeHubOptions> = {},
  s3Options: FakeS3Options = {},
): Promise<Rig> {
  const hub = new FakeHub({ files: voxtralFiles(), ...hubOptions });
  const s3 = new FakeS3({ partBytesMin: KIB, ...s3Options });
  await Promise.all([hub.listen(), s3.listen()]);
  const client = s3.client();
  opened.push({ close: () => client.destroy() }, hub, s3);
  const copy = (options: Partial<CopyModelOptions> = {}): Promise<ModelCopy> =>
    copyModel({
      s3: client,
      bucketOwner: OWNER,
      model: { repository: hub.repository, revision: hub.commit },
      destination: DESTINATION,
      access: { endpoint: hub.endpoint, token: undefined },
      limits: SMALL,
      ...options,
    });
  return { hub, s3, copy };
}
