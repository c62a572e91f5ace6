import { describe, expect, it } from 'vitest';
import { formatS3Uri, parseS3Uri } from '../../src/artefacts/s3-location.js';
import { checkStoredModel, removeStoredModel } from '../../src/artefacts/stored-model.js';
import { DESTINATION, OWNER, openRig, type Rig } from './set-up.js';

const REGION = 'eu-central-1';

function check({ s3 }: Rig, uri = DESTINATION, region = REGION) {
  return checkStoredModel({ s3: s3.client(), uri, region, bucketOwner: OWNER });
}

function lay({ s3 }: Rig, ...keys: readonly string[]): void {
  for (const key of keys) {
    s3.objects.set(key, { bytes: Buffer.from('abc'), sizeBytes: 3, etag: '"e"', checksum: undefined });
  }
}

describe('a model that is in S3 already', () => {
  it('made by a copy is known with its commit', async () => {
    const rig = await openRig();
    const { totalBytes } = await rig.copy();
    const found = await check(rig, 's3://models/voxtral');
    expect(found).toMatchObject({ uri: DESTINATION, format: 'mistral', commit: rig.hub.commit });
    expect(found.totalBytes).toBeGreaterThan(totalBytes);
  });

  it('put there by somebody is known by its files', async () => {
    const rig = await openRig();
    lay(rig, 'm/config.json', 'm/tokenizer.json', 'm/model.safetensors', 'm/anything.txt');
    await expect(check(rig, 's3://models/m/')).resolves.toEqual({
      uri: 's3://models/m/',
      format: 'huggingface',
      totalBytes: 12,
      commit: undefined,
    });
  });

  it.each<[string, readonly string[], RegExp]>([
    ['nothing', [], /nothing below this prefix/],
    ['too little', ['m/params.json', 'm/tekken.json'], /consolidated\.safetensors is missing/],
    ['an archive', ['m/model.tar.gz'], /archive/],
    ['files of another prefix', ['model/params.json', 'model/consolidated.safetensors'], /nothing below/],
  ])('is refused when it is %s', async (_name, keys, sentence) => {
    const rig = await openRig();
    lay(rig, ...keys);
    const checked = check(rig, 's3://models/m/');
    await expect(checked).rejects.toMatchObject({ code: 'model_incomplete' });
    await expect(checked).rejects.toThrow(sentence);
  });

  it('is refused when a file is not what was copied there', async () => {
    const rig = await openRig();
    await rig.copy();
    lay(rig, 'voxtral/tekken.json');
    await expect(check(rig)).rejects.toThrow(/tekken\.json is missing or has another length/);
  });

  it('is refused in another region, in a bucket that is not there, in one of another account', async () => {
    const rig = await openRig();
    await rig.copy();
    await expect(check(rig, DESTINATION, 'us-east-1')).rejects.toThrow(/another region/);
    await expect(check(rig, 's3://other/voxtral/')).rejects.toMatchObject({ code: 'bucket_unusable' });
    const theirs = await openRig({}, { owner: '999999999999' });
    await expect(check(theirs)).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('is removed whole, with the parts of what was never finished, and twice does no harm', async () => {
    const rig = await openRig({}, { pageSize: 2 });
    await rig.copy();
    lay(rig, 'voxtral-2/params.json');
    const upload = {
      key: 'voxtral/x',
      uploadId: 'u',
      beganAt: new Date(),
      algorithm: 'SHA256',
      parts: new Map(),
    };
    rig.s3.uploads.set('u', upload);
    const options = { s3: rig.s3.client(), uri: DESTINATION, bucketOwner: OWNER };
    expect(await removeStoredModel(options)).toEqual([]);
    expect([...rig.s3.objects.keys()]).toEqual(['voxtral-2/params.json']);
    expect(rig.s3.uploads.size).toBe(0);
    expect(await removeStoredModel(options)).toEqual([]);
    rig.s3.isThere = false;
    expect(await removeStoredModel(options)).toEqual([]);
  });

  it('is not removed when it is named as a whole bucket', async () => {
    const rig = await openRig();
    const removed = removeStoredModel({ s3: rig.s3.client(), uri: 's3://models' });
    await expect(removed).rejects.toMatchObject({ code: 'invalid_setting' });
  });
});

describe('a place in S3', () => {
  it('gets a slash at its end', () => {
    expect(formatS3Uri(parseS3Uri('s3://bucket/a/b'))).toBe('s3://bucket/a/b/');
    expect(parseS3Uri('s3://bucket/a/b/')).toEqual({ bucket: 'bucket', prefix: 'a/b/' });
    expect(parseS3Uri('s3://bucket')).toEqual({ bucket: 'bucket', prefix: '' });
  });

  it.each([
    '',
    'bucket/a',
    'https://bucket/a',
    's3://B/a',
    's3://bucket//a',
    's3://bucket/a/../b',
    's3://bucket/a*',
  ])('is refused: %j', (uri) => {
    expect(() => parseS3Uri(uri)).toThrow(/s3:\/\/BUCKET\/PREFIX/);
  });
});
