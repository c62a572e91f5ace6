import { describe, expect, it } from 'vitest';
import { ensureModelBucket, modelBucketName, removeModelBucket } from '../../src/artefacts/model-bucket.js';
import { OWNER, openRig, type Rig } from './set-up.js';

const REGION = 'eu-central-1';
const place = ({ s3 }: Rig, region = REGION) => ({
  s3: s3.client(),
  bucket: 'models',
  region,
  bucketOwner: OWNER,
  signal: new AbortController().signal,
});

describe('the bucket for models', () => {
  it('is made for us alone, in the region, with an end for what was never finished', async () => {
    const rig = await openRig();
    rig.s3.isThere = false;
    expect(await ensureModelBucket(place(rig), { app: 'kikitori' })).toBe(true);
    expect(rig.s3.settings.get('CreateBucket')).toContain(REGION);
    const access = rig.s3.settings.get('PutPublicAccess') ?? '';
    expect([...access.matchAll(/>true</g)]).toHaveLength(4);
    expect(rig.s3.settings.get('PutLifecycle')).toMatch(/<DaysAfterInitiation>7</);
    expect(rig.s3.settings.get('PutTagging')).toMatch(/app.*kikitori/);
    expect(await ensureModelBucket(place(rig))).toBe(false);
    expect(rig.s3.count('CreateBucket')).toBe(1);
  });

  it('is made without a region’s name where the region has none', async () => {
    const rig = await openRig({}, { region: 'us-east-1' });
    rig.s3.isThere = false;
    await ensureModelBucket(place(rig, 'us-east-1'));
    expect(rig.s3.settings.get('CreateBucket')).toBe('');
  });

  it('of somebody else under our name is not used', async () => {
    const rig = await openRig({}, { owner: '999999999999' });
    await expect(ensureModelBucket(place(rig))).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('is removed when it is empty, and only then', async () => {
    const rig = await openRig();
    await rig.copy();
    expect(await removeModelBucket(place(rig), 'app')).toBe('occupied');
    rig.s3.objects.clear();
    expect(await removeModelBucket(place(rig), 'app')).toBe('gone');
    expect(await removeModelBucket(place(rig), 'app')).toBe('absent');
  });

  it('is not removed where somebody else has made it', async () => {
    const rig = await openRig();
    rig.s3.settings.set(
      'PutTagging',
      '<Tagging><TagSet><Tag><Key>team</Key><Value>a</Value></Tag></TagSet></Tagging>',
    );
    expect(await removeModelBucket(place(rig), 'app')).toBe('foreign');
    expect(rig.s3.isThere).toBe(true);
  });

  it('that a run only began to make is made to its end by the next one', async () => {
    const rig = await openRig();
    rig.s3.isThere = false;
    rig.s3.fault = (operation) =>
      operation === 'PutLifecycle' ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined;
    await expect(ensureModelBucket(place(rig), { app: 'kikitori' })).rejects.toMatchObject({
      code: 'access_denied',
    });
    rig.s3.fault = () => undefined;
    expect(await ensureModelBucket(place(rig), { app: 'kikitori' })).toBe(false);
    expect([...rig.s3.settings.keys()].sort()).toEqual([
      'CreateBucket',
      'PutLifecycle',
      'PutPublicAccess',
      'PutTagging',
    ]);
  });

  it('with something in it is left as it is', async () => {
    const rig = await openRig();
    await rig.copy();
    expect(await ensureModelBucket(place(rig), { app: 'kikitori' })).toBe(false);
    expect(rig.s3.settings.size).toBe(0);
  });

  it('has a name of its own for each account and region', () => {
    expect(modelBucketName('111122223333', REGION)).toBe('kikitori-models-111122223333-eu-central-1');
    expect(modelBucketName('111122223333', 'ap-southeast-3').length).toBeLessThanOrEqual(63);
  });
});
