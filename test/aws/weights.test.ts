/** Weights from a hub to moto's S3, in parts: broken off, taken up, used by an endpoint, and gone with it. */
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { copyModel } from '@kikitori/deploy';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SMALL } from '../../packages/deploy/test/artefacts/set-up.js';
import { inventory } from './inventory.js';
import { ACCOUNT, REGION } from './moto.js';
import { MotoRig } from './moto-rig.js';
import { whyNoTools } from './tools.js';

const WEIGHTS = 'consolidated.safetensors';
const DEMO = ['--endpoint', 'demo'];
const BUCKET = `kikitori-models-${ACCOUNT}-${REGION}`;

describe.skipIf(whyNoTools !== undefined)('weights in the S3 of moto', () => {
  let rig: MotoRig;
  beforeAll(async () => {
    vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
    rig = await MotoRig.open();
  });
  afterAll(async () => {
    await rig?.close();
    vi.unstubAllEnvs();
  });

  beforeEach(() => rig.reset());

  it('are taken up where they broke off, and removed with the endpoint', async () => {
    const { repository, commit } = rig.hub;
    const deploy = ['deploy', ...DEMO, '--skip-try', '--weights', `${repository}@${commit}`];
    // The bucket is made, and then the hub is gone.
    rig.hub.fault = () => ({ kind: 'answer', status: 404 });
    expect((await rig.run(...deploy)).exitCode).toBe(1);
    rig.hub.fault = () => undefined;

    const aws = rig.connect();
    const s3 = await aws.s3();
    const prefix = `models/${repository}/${commit.slice(0, 12)}/`;
    const copy = () =>
      copyModel({
        s3,
        bucketOwner: ACCOUNT,
        model: { repository, revision: commit },
        destination: `s3://${BUCKET}/${prefix}`,
        access: { endpoint: rig.hub.endpoint, token: undefined },
        limits: SMALL,
      });
    // Of its 16 parts the hub gives ten.
    let given = 0;
    rig.hub.fault = (where, path) => {
      if (where !== 'storage' || path !== WEIGHTS) return undefined;
      given += 1;
      return given > 10 ? { kind: 'answer', status: 404 } : undefined;
    };
    await expect(copy()).rejects.toMatchObject({ code: 'hub_not_found' });
    rig.hub.fault = () => undefined;
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(Uploads.map(({ Key }) => Key)).toEqual([`${prefix}${WEIGHTS}`]);

    const { sentBytes, totalBytes } = await copy();
    expect(totalBytes).toBeGreaterThan(1_000_000);
    expect(sentBytes).toBeGreaterThan(0);
    expect(sentBytes).toBeLessThan(600_000);
    aws.close();

    const made = await rig.run(...deploy);
    expect(made.err).toMatch(/= Weights are there \(1\.1 MB\)\n[\s\S]*✓ The endpoint is in service/);
    const destroyed = await rig.run('destroy', ...DEMO, '--all');
    expect(destroyed.err).toMatch(/✓ The weights in s3:.* are gone\n/);
    expect(await inventory(rig.moto)).toEqual([]);
  }, 600_000);
});
