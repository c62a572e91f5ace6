/** `destroy --all`: what only this endpoint used goes, what anybody else may need stays and is listed. */
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureModelBucket } from '../../src/artefacts/model-bucket.js';
import { noteUse } from '../../src/artefacts/model-uses.js';
import { ensureRepository } from '../../src/image/repository.js';
import { destroyEndpoint } from '../../src/lifecycle/destroy.js';
import { ENDPOINT_TAG } from '../../src/names.js';
import type { FakeAccount } from '../fake-aws/account.js';
import { Rehearsal, type RehearsalOptions } from '../fake-aws/rehearsal.js';
import { VirtualTime } from '../fake-aws/virtual-time.js';

beforeAll(() => {
  vi.stubEnv('AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED', 'true');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

let open: Rehearsal[] = [];
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  open = [];
});

async function rehearse(
  wire: RehearsalOptions['wire'] = 'in process',
): Promise<{ rehearsal: Rehearsal; account: FakeAccount }> {
  const rehearsal = await Rehearsal.open({ time: new VirtualTime(), seed: 1, wire });
  open.push(rehearsal);
  return { rehearsal, account: rehearsal.fake.account };
}

const WEIGHTS = 'models/voxtral/';

/** What deployments have brought: an image of its own for each endpoint, and weights that they share. */
async function bring(rehearsal: Rehearsal, ...endpointNames: readonly string[]): Promise<void> {
  const { account } = rehearsal.fake;
  await rehearsal.run(async (aws, { signal }) => {
    const tags = { [ENDPOINT_TAG]: 'shared' };
    await ensureRepository(aws, account.id, tags, signal);
    const s3 = await aws.s3();
    const { bucket } = account.s3;
    const inBucket = { s3, bucket, region: account.region, bucketOwner: account.id, signal };
    await ensureModelBucket(inBucket, tags);
    for (const endpointName of endpointNames) {
      account.ecr.lay('kikitori', tagOf(endpointName), { of: endpointName });
      await noteUse(inBucket, { endpointName, prefix: WEIGHTS });
    }
    const Key = `${WEIGHTS}consolidated.safetensors`;
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'weights' }));
  });
}

const tagOf = (endpointName: string): string => `${endpointName}.vllm-0123456789abcdef`;

async function destroyAll(rehearsal: Rehearsal, endpointName: string, signal?: AbortSignal) {
  const wish = { endpointName, keepsLog: false, isAll: true };
  const { left } = await rehearsal.run((aws, options) => destroyEndpoint(aws, wish, options), signal);
  return left.slice(0, -1);
}

/** A model of somebody, in the same account. */
function addModel(account: FakeAccount, name: string, used: { image?: string; weights?: string }): void {
  account.models.set(name, {
    role: 'role',
    image: used.image ?? 'other:1',
    weights: used.weights,
    environment: {},
  });
}

describe('destroy --all', () => {
  it('leaves nothing where nobody else has anything', async () => {
    const { rehearsal, account } = await rehearse('sockets');
    await bring(rehearsal, 'demo');
    expect(await destroyAll(rehearsal, 'demo')).toEqual([]);
    expect(account.inventory()).toEqual([]);
    expect(await destroyAll(rehearsal, 'demo')).toEqual([]);
  });

  it('leaves what another endpoint has, says so, and takes it with the last one', async () => {
    const { rehearsal, account } = await rehearse();
    await bring(rehearsal, 'demo', 'live');
    expect(await destroyAll(rehearsal, 'demo')).toEqual([
      'the ECR repository kikitori: images of live (1 in all)',
      `the weights in s3://${account.s3.bucket}/${WEIGHTS}: also of live`,
      `the bucket ${account.s3.bucket}: something else is in it`,
    ]);
    expect(new Set(account.inventory())).toEqual(
      new Set([
        'repository kikitori',
        `image kikitori:${tagOf('live')}`,
        `bucket ${account.s3.bucket}`,
        `object endpoints/live/${WEIGHTS}`,
        `object ${WEIGHTS}consolidated.safetensors`,
      ]),
    );
    expect(await destroyAll(rehearsal, 'live')).toEqual([]);
    expect(account.inventory()).toEqual([]);
  });

  it('leaves what a model uses that was made by hand', async () => {
    const { rehearsal, account } = await rehearse();
    await bring(rehearsal, 'demo');
    const digest = account.ecr.repositories.get('kikitori')?.tags.get(tagOf('demo'));
    const weights = `s3://${account.s3.bucket}/${WEIGHTS}`;
    addModel(account, 'by-digest', { image: `kikitori@${digest}` });
    addModel(account, 'by-prefix', { weights });
    const before = account.inventory();
    const left = (await destroyAll(rehearsal, 'demo')).join('\n');
    expect(left).toContain(`the image ${tagOf('demo')} in the ECR repository kikitori: used by by-digest`);
    expect(left).toContain(`the weights in ${weights}: used by by-prefix`);
    expect(account.inventory()).toEqual(before);
    account.models.clear();
    expect(await destroyAll(rehearsal, 'demo')).toEqual([]);
    expect(account.inventory()).toEqual([]);
  });

  it('leaves images that others have pushed, and a repository that was there before', async () => {
    const { rehearsal, account } = await rehearse();
    account.ecr.lay('kikitori', 'ours-by-hand', { of: 'a team' });
    account.ecr.lay('kikitori', tagOf('demo'), { of: 'demo' });
    expect(await destroyAll(rehearsal, 'demo')).toEqual([
      'the ECR repository kikitori: images of ours-by-hand (1 in all)',
    ]);
    account.ecr.repository('kikitori').tags.clear();
    account.ecr.repository('kikitori').manifests.clear();
    expect(await destroyAll(rehearsal, 'demo')).toEqual(['the ECR repository kikitori: it was there before']);
  });

  it('removes nothing that others may use where it may not look who does', async () => {
    const { rehearsal, account } = await rehearse();
    await bring(rehearsal, 'demo');
    const before = account.inventory();
    account.policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'Some',
          Effect: 'Allow',
          Action: ['sts:*', 'cloudformation:*', 'sagemaker:Describe*', 'ecr:*', 's3:*', 'logs:*'],
          Resource: ['*'],
        },
      ],
    };
    const left = (await destroyAll(rehearsal, 'demo')).join('\n');
    expect(left).toMatch(/image .*sagemaker:ListModels/);
    expect(left).toMatch(/weights .*sagemaker:ListModels/);
    expect(account.inventory()).toEqual(before);
  });

  it('broken off at any call, is brought to its end by the next run', async () => {
    const stopped = new Error('Ctrl-C');
    let nth = 0;
    for (let isOver = false; !isOver; ) {
      nth += 1;
      const { rehearsal, account } = await rehearse();
      await bring(rehearsal, 'demo');
      const stop = new AbortController();
      let calls = 0;
      rehearsal.fake.onCall = () => {
        calls += 1;
        if (calls === nth) stop.abort(stopped);
      };
      isOver = await destroyAll(rehearsal, 'demo', stop.signal).then(
        () => calls < nth,
        (error: unknown) => {
          expect(error).toBe(stopped);
          return false;
        },
      );
      rehearsal.fake.onCall = undefined;
      expect(await destroyAll(rehearsal, 'demo')).toEqual([]);
      expect(account.inventory(), `broken off at call ${nth}`).toEqual([]);
    }
    expect(nth).toBeGreaterThan(8);
  });
});
