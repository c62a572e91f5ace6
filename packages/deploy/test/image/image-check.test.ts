import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseEcrName, registryHost, repositoryArn } from '../../src/image/ecr-name.js';
import { checkImage, STREAMING_LABEL } from '../../src/image/image-check.js';
import { FakeEcr } from '../fake-aws/fake-ecr.js';

const REGION = 'eu-central-1';
const REGISTRY = `111122223333.dkr.ecr.${REGION}.amazonaws.com`;
const GOOD = { os: 'linux', architecture: 'amd64', config: { Labels: { [STREAMING_LABEL]: 'true' } } };

let ecr: FakeEcr;
beforeEach(async () => {
  ecr = new FakeEcr();
  await ecr.listen();
});
afterEach(async () => {
  await ecr.close();
});

const check = (uri: string, region = REGION) =>
  checkImage(ecr.aws(region), uri, new AbortController().signal);

describe('an image that is in ECR', () => {
  it('is used by its digest, whatever its tag points to later', async () => {
    const digest = ecr.lay('speech/own', 'v1', GOOD);
    const expected = {
      uri: `${REGISTRY}/speech/own@${digest}`,
      digest,
      repositoryArn: `arn:aws:ecr:${REGION}:111122223333:repository/speech/own`,
      warnings: [],
    };
    expect(await check(`${REGISTRY}/speech/own:v1`)).toEqual(expected);
    expect(await check(`${REGISTRY}/speech/own@${digest}`)).toEqual(expected);
    expect(await check(`${REGISTRY}/speech/own:v1@${digest}`)).toEqual(expected);
  });

  it('is warned about when its manifest is of the OCI kind', async () => {
    ecr.lay('own', 'v1', GOOD, 'application/vnd.oci.image.manifest.v1+json');
    expect((await check(`${REGISTRY}/own:v1`)).warnings).toEqual([expect.stringMatching(/OCI/)]);
  });

  it.each<[string, unknown, RegExp]>([
    ['lacks the label', { ...GOOD, config: { Labels: {} } }, /lacks the label com\.amazonaws/],
    ['has no labels', { ...GOOD, config: { Labels: null } }, /lacks the label/],
    ['says false', { ...GOOD, config: { Labels: { [STREAMING_LABEL]: 'false' } } }, /lacks the label/],
    ['is for another processor', { ...GOOD, architecture: 'arm64' }, /not for linux\/amd64/],
    ['says nothing', 7, /cannot be read/],
  ])('is refused when it %s', async (_name, config, sentence) => {
    ecr.lay('own', 'v1', config);
    const checked = check(`${REGISTRY}/own:v1`);
    await expect(checked).rejects.toMatchObject({ code: 'image_unsuitable' });
    await expect(checked).rejects.toThrow(sentence);
  });

  it('is refused when it is a list of images', async () => {
    ecr.lay('own', 'v1', GOOD, 'application/vnd.oci.image.index.v1+json');
    await expect(check(`${REGISTRY}/own:v1`)).rejects.toThrow(/list of images/);
  });

  it('is refused when it is not there, in another region, or not in ECR', async () => {
    await expect(check(`${REGISTRY}/own:v1`)).rejects.toMatchObject({ code: 'image_missing' });
    ecr.repository('own');
    await expect(check(`${REGISTRY}/own:v1`)).rejects.toMatchObject({ code: 'image_missing' });
    await expect(check(`${REGISTRY}/own:v1`, 'us-east-1')).rejects.toThrow(/another region/);
    await expect(check('docker.io/library/node:20')).rejects.toThrow(/only from ECR/);
    await expect(check('public.ecr.aws/x/y:1')).rejects.toThrow(/only from ECR/);
  });

  it('is told as denied when it may not be read', async () => {
    ecr.fault = () => 'AccessDeniedException';
    await expect(check(`${REGISTRY}/own:v1`)).rejects.toMatchObject({ code: 'access_denied' });
  });
});

describe('names of ECR', () => {
  it('are read with account, region, repository, tag and digest', () => {
    expect(parseEcrName(`${REGISTRY}/a/b:c-1`)).toMatchObject({
      accountId: '111122223333',
      region: REGION,
      repository: 'a/b',
      tag: 'c-1',
      digest: undefined,
    });
    expect(parseEcrName('111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a')).toMatchObject({
      region: 'cn-north-1',
    });
    expect(parseEcrName('111122223333.dkr.ecr-fips.us-east-1.amazonaws.com/a')).toMatchObject({
      repository: 'a',
    });
    for (const host of [
      'dkr.ecr.eusc-de-east-1.amazonaws.eu',
      'dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu',
      'dkr-ecr.us-east-1.on.aws',
      'dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
      'dkr.ecr.us-iso-east-1.c2s.ic.gov',
    ]) {
      expect(parseEcrName(`111122223333.${host}/a:1`)?.repository, host).toBe('a');
    }
    for (const other of [
      '111122223333.dkr.ecr.eusc-de-east-1.amazonaws.com/a',
      '111122223333.dkr.ecr.us-east-1.amazonaws.com.cn/a',
      '111122223333.dkr.ecr.us-east-1.example.com/a',
    ]) {
      expect(parseEcrName(other), other).toBeUndefined();
    }
    for (const other of ['', 'a', 'docker.io/a', `${REGISTRY}/`, `${REGISTRY}/A`, `evil.com/${REGISTRY}/a`]) {
      expect(parseEcrName(other), other).toBeUndefined();
    }
  });

  it('are made for each partition', () => {
    expect(registryHost('1', 'cn-north-1')).toBe('1.dkr.ecr.cn-north-1.amazonaws.com.cn');
    expect(registryHost('1', 'eusc-de-east-1')).toBe('1.dkr.ecr.eusc-de-east-1.amazonaws.eu');
    const place = { accountId: '1', repository: 'r' };
    expect(repositoryArn({ ...place, region: 'eusc-de-east-1' })).toBe(
      'arn:aws-eusc:ecr:eusc-de-east-1:1:repository/r',
    );
    expect(repositoryArn({ ...place, region: 'us-gov-west-1' })).toBe(
      'arn:aws-us-gov:ecr:us-gov-west-1:1:repository/r',
    );
  });
});
