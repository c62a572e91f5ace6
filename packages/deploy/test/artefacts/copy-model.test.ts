import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { modelKeyPrefix, planModelCopy } from '../../src/artefacts/copy-model.js';
import { partSizeFor } from '../../src/artefacts/file-copy.js';
import { VOXTRAL_REALTIME } from '../../src/artefacts/hub-access.js';
import type { CopyProgress } from '../../src/artefacts/transfer-progress.js';
import { noiseFile, textFile } from '../fake-aws/fake-hub.js';
import { contentOf, DESTINATION, KIB, OWNER, openRig, SMALL, voxtralFiles } from './set-up.js';

const NAMES = ['consolidated.safetensors', 'kikitori-model.json', 'params.json', 'tekken.json'];

describe('a copy from the hub to S3', () => {
  it('takes what vLLM needs, byte for byte, and writes the manifest last', async () => {
    const { hub, s3, copy } = await openRig();
    const result = await copy();

    expect([...s3.objects.keys()].toSorted()).toEqual(NAMES.map((name) => `voxtral/${name}`));
    for (const file of voxtralFiles()) {
      const object = s3.objects.get(`voxtral/${file.path}`);
      if (object !== undefined) expect(object.bytes.equals(contentOf(file)), file.path).toBe(true);
    }
    const manifest = JSON.parse(s3.objects.get('voxtral/kikitori-model.json')?.bytes.toString() ?? '');
    expect(manifest).toMatchObject({
      schema: 1,
      kind: 'kikitori-model',
      repository: hub.repository,
      commit: hub.commit,
      format: 'mistral',
      totalBytes: result.totalBytes,
    });
    const [weights] = voxtralFiles().filter(({ path }) => path === 'consolidated.safetensors');
    const sha256 = createHash('sha256')
      .update(contentOf(weights ?? textFile('', '')))
      .digest('hex');
    expect(manifest.files).toContainEqual(
      expect.objectContaining({ path: 'consolidated.safetensors', sizeBytes: 1_000 * KIB + 7, sha256 }),
    );
    expect(s3.operations.slice(-2)).toEqual(['PutObject', 'DeleteObjects']);
    expect(result).toMatchObject({ uri: DESTINATION, format: 'mistral', sentBytes: result.totalBytes });
    expect(s3.uploads.size).toBe(0);
  });

  it('does nothing where everything is there, and does not even ask the hub', async () => {
    const { hub, s3, copy } = await openRig();
    const first = await copy();
    hub.requests.length = 0;
    s3.operations.length = 0;

    expect(await copy()).toEqual({ ...first, sentBytes: 0 });
    expect(hub.requests).toEqual([]);
    expect(new Set(s3.operations)).toEqual(new Set(['GetObject', 'HeadObject']));
  });

  it('copies anew what was changed behind its back', async () => {
    const { s3, copy } = await openRig();
    const first = await copy();
    const whole = s3.objects.get('voxtral/tekken.json');
    s3.objects.set('voxtral/tekken.json', {
      ...(whole ?? { etag: '', sizeBytes: 0 }),
      bytes: Buffer.from('x'),
      checksum: 'x',
    });
    expect(await copy()).toMatchObject({ files: first.files });
    expect(s3.objects.get('voxtral/tekken.json')?.checksum).toBe(whole?.checksum);
  });

  it('finds the commit of a branch, and copies again only when it moved', async () => {
    const { hub, copy } = await openRig();
    const model = { repository: hub.repository, revision: 'main' };
    expect(await copy({ model })).toMatchObject({ commit: hub.commit });
    expect(await copy({ model })).toMatchObject({ commit: hub.commit, sentBytes: 0 });
  });

  it('reads every page of every list of S3', async () => {
    const { s3, copy } = await openRig({}, { pageSize: 2 });
    s3.fault = (operation) =>
      operation === 'Complete' ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined;
    await expect(copy()).rejects.toMatchObject({ code: 'access_denied' });
    s3.fault = () => undefined;
    s3.operations.length = 0;
    await copy();
    expect(s3.count('ListParts')).toBe(8);
    expect(s3.count('UploadPart')).toBe(0);
  });

  it('tells how far it is, never backwards, up to the whole', async () => {
    const { copy } = await openRig();
    const told: CopyProgress[] = [];
    const { totalBytes } = await copy({ onProgress: (progress) => told.push(progress) });
    const done = told.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual(done.toSorted((one, other) => one - other));
    expect(told.at(-1)).toMatchObject({
      path: 'consolidated.safetensors',
      doneBytes: totalBytes,
      totalBytes,
    });
    expect(told.at(-1)?.bytesPerSecond).toBeGreaterThan(0);
  });

  it('copies files of git’s hash that are larger than a part, and empty ones', async () => {
    const files = [
      noiseFile('params.json', 200 * KIB, 4, false),
      textFile('tekken.json', ''),
      noiseFile('consolidated.safetensors', 64 * KIB, 5),
    ];
    const { s3, copy } = await openRig({ files });
    await copy();
    for (const file of files) {
      expect(s3.objects.get(`voxtral/${file.path}`)?.bytes.equals(contentOf(file)), file.path).toBe(true);
    }
  });

  it('takes larger parts where ten thousand would not do', () => {
    expect(partSizeFor(8_900_000_000, 16 * KIB * KIB)).toBe(16 * KIB * KIB);
    expect(partSizeFor(160_000 * KIB * KIB, 16 * KIB * KIB)).toBe(16 * KIB * KIB);
    expect(partSizeFor(160_000 * KIB * KIB + 1, 16 * KIB * KIB)).toBe(17 * KIB * KIB);
  });

  it('holds no more parts at once than it says', async () => {
    const { s3, copy } = await openRig();
    let [now, most] = [0, 0];
    s3.fault = (operation) => {
      if (operation === 'UploadPart') {
        now += 1;
        most = Math.max(most, now);
        setImmediate(() => {
          now -= 1;
        });
      }
      return undefined;
    };
    await copy();
    expect(most).toBeLessThanOrEqual(SMALL.partsInFlight);
  });
});

describe('many parts at once', () => {
  it('make Node warn of no leak on the user’s terminal', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', onWarning);
    const { copy } = await openRig();
    await copy({ limits: { ...SMALL, partsInFlight: 12 } });
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).not.toContain('MaxListenersExceededWarning');
  });
});

describe('a plan', () => {
  it('says what would be copied, and touches nothing', async () => {
    const { hub, s3 } = await openRig();
    const plan = await planModelCopy({
      model: { repository: hub.repository, revision: 'main' },
      destination: DESTINATION,
      access: { endpoint: hub.endpoint, token: undefined },
      limits: SMALL,
    });
    expect(plan).toMatchObject({ uri: DESTINATION, commit: hub.commit, format: 'mistral' });
    expect(plan.files.map(({ path }) => path).toSorted()).toEqual([
      'consolidated.safetensors',
      'params.json',
      'tekken.json',
    ]);
    expect(s3.operations).toEqual([]);
  });

  it('gives each commit a prefix of its own', () => {
    expect(modelKeyPrefix(VOXTRAL_REALTIME)).toBe(
      'models/mistralai/Voxtral-Mini-4B-Realtime-2602/2769294da956/',
    );
  });
});

describe('a copy refuses', () => {
  it('bytes that are not the announced ones, and leaves nothing of them', async () => {
    const { hub, s3, copy } = await openRig();
    hub.fault = (_where, path) =>
      path === 'consolidated.safetensors' ? { kind: 'corrupt', at: 500 * KIB } : undefined;
    await expect(copy()).rejects.toMatchObject({ code: 'model_mismatch', retryable: true });
    expect([...s3.objects.keys()]).not.toContain('voxtral/consolidated.safetensors');
    expect(s3.uploads.size).toBe(0);
    expect(s3.operations).not.toContain('Complete');

    hub.fault = () => undefined;
    await expect(copy()).resolves.toMatchObject({ format: 'mistral' });
  });

  it.each(['params.json', 'tekken.json'])('a short file with another byte: %s', async (name) => {
    const { hub, s3, copy } = await openRig();
    hub.fault = (_where, path) => (path === name ? { kind: 'corrupt', at: 3 } : undefined);
    await expect(copy()).rejects.toMatchObject({ code: 'model_mismatch' });
    expect([...s3.objects.keys()]).not.toContain(`voxtral/${name}`);
  });

  it.each([
    ['longer', 1_000 * KIB + 8],
    ['shorter', 1_000 * KIB + 6],
  ])('a file whose announced length is another one: %s', async (_name, sizeBytes) => {
    const { hub, s3, copy } = await openRig();
    hub.announced.set('consolidated.safetensors', { sizeBytes });
    await expect(copy()).rejects.toMatchObject({ code: 'model_mismatch' });
    expect(s3.operations).not.toContain('Complete');
  });

  it('a body that is longer than its range', async () => {
    const { hub, copy } = await openRig();
    hub.fault = (_where, path) => (path === 'tekken.json' ? { kind: 'longer', bytes: 5 } : undefined);
    await expect(copy()).rejects.toMatchObject({ code: 'model_mismatch' });
  });

  it('a prefix that holds something else, before anything is sent', async () => {
    const { s3, copy } = await openRig();
    s3.objects.set('voxtral/config.json', { bytes: Buffer.from('{}'), sizeBytes: 2, etag: '', checksum: '' });
    await expect(copy()).rejects.toMatchObject({ code: 'prefix_occupied' });
    expect(s3.operations).not.toContain('PutObject');
  });

  it('the prefix of another commit', async () => {
    const { hub, copy } = await openRig();
    await copy();
    const model = { repository: hub.repository, revision: 'd'.repeat(40) };
    await expect(copy({ model })).rejects.toMatchObject({ code: 'prefix_occupied' });
  });

  it('a bucket of another account', async () => {
    const { copy } = await openRig({}, { owner: '999999999999' });
    await expect(copy({ bucketOwner: OWNER })).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('a bucket that is not there', async () => {
    const { s3, copy } = await openRig();
    s3.isThere = false;
    await expect(copy()).rejects.toMatchObject({ code: 'bucket_unusable' });
  });

  it('a repository without a model', async () => {
    const { copy } = await openRig({ files: [textFile('README.md', 'nothing')] });
    await expect(copy()).rejects.toMatchObject({ code: 'model_unsuitable' });
  });
});
