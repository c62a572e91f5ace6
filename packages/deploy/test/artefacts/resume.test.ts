import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATE_NAME } from '../../src/artefacts/upload-state.js';
import type { HubFault } from '../fake-aws/fake-hub.js';
import type { S3Fault } from '../fake-aws/fake-s3.js';
import { contentOf, KIB, openRig, type Rig, SMALL, voxtralFiles } from './set-up.js';

const WEIGHTS = 'consolidated.safetensors';
const WEIGHT_BYTES = 1_000 * KIB + 7;
const PARTS = 16;

function expectWhole({ s3 }: Rig): void {
  for (const file of voxtralFiles(WEIGHT_BYTES)) {
    const object = s3.objects.get(`voxtral/${file.path}`);
    if (['params.json', 'tekken.json', WEIGHTS].includes(file.path)) {
      expect(object?.bytes.equals(contentOf(file)), file.path).toBe(true);
    } else expect(object).toBeUndefined();
  }
  expect(s3.objects.has('voxtral/kikitori-model.json')).toBe(true);
  expect(s3.objects.has(`voxtral/${STATE_NAME}`)).toBe(false);
}

/** Fails every request for the weights from the nth on, until it is healed. */
function breakAfter(rig: Rig, parts: number): void {
  let sent = 0;
  rig.s3.fault = (operation) => {
    if (operation !== 'UploadPart') return undefined;
    sent += 1;
    return sent > parts ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined;
  };
}

/** Parts of the weights that were fetched from the storage. */
function fetchedParts({ hub }: Rig): number {
  return hub.seen('storage').filter(({ path }) => path === `/${WEIGHTS}`).length;
}

describe('a copy that broke off', () => {
  it('goes on where it stopped: nothing is sent twice, and little is fetched twice', async () => {
    const rig = await openRig();
    breakAfter(rig, 9);
    await expect(rig.copy()).rejects.toMatchObject({ code: 'access_denied' });
    const [upload] = rig.s3.uploads.values();
    const storedParts = upload?.parts.size ?? 0;
    expect(storedParts).toBe(9);

    rig.s3.fault = () => undefined;
    rig.hub.requests.length = 0;
    rig.s3.operations.length = 0;
    await rig.copy();
    expectWhole(rig);
    expect(rig.s3.count('BeginUpload')).toBe(0);
    expect(rig.s3.count('UploadPart')).toBe(PARTS - storedParts);
    // The hash goes on at the last checkpoint: at most one distance and what was in flight before the break.
    const reread = fetchedParts(rig) - (PARTS - storedParts);
    expect(reread).toBeLessThanOrEqual(SMALL.checkpointParts + SMALL.partsInFlight);
    expect(rig.hub.seen('storage').filter(({ path }) => path === '/tekken.json')).toEqual([]);
  });

  it.each([
    ['is gone', () => ''],
    ['is cut short', (text: string) => text.slice(0, 300)],
    [
      'has another hash state',
      (text: string) => text.replace(/"sha256":"[^"]{100,}"/, `"sha256":"${'A'.repeat(152)}"`),
    ],
    ['names other parts', (text: string) => text.replace(/"parts":\["./, '"parts":["!')],
    ['is of another upload', (text: string) => text.replace(/"uploadId":"../, '"uploadId":"zz')],
    ['is of another commit', (text: string) => text.replaceAll('aaaaaaaa', 'bbbbbbbb')],
    ['is of another part size', (text: string) => text.replace(/"partSizeBytes":\d+/, '"partSizeBytes":1')],
  ])('reads from the begin and sends nothing twice when its state %s', async (_name, change) => {
    const rig = await openRig();
    breakAfter(rig, 9);
    await expect(rig.copy()).rejects.toMatchObject({ code: 'access_denied' });
    const key = `voxtral/${STATE_NAME}`;
    const state = rig.s3.objects.get(key);
    const bytes = Buffer.from(change(state?.bytes.toString() ?? ''));
    expect(bytes.equals(state?.bytes ?? bytes)).toBe(false);
    if (state !== undefined) {
      rig.s3.objects.set(key, { ...state, bytes, sizeBytes: bytes.length, checksum: undefined });
    }

    rig.s3.fault = () => undefined;
    rig.hub.requests.length = 0;
    rig.s3.operations.length = 0;
    await rig.copy();
    expectWhole(rig);
    expect(fetchedParts(rig)).toBe(PARTS);
    expect(rig.s3.count('UploadPart')).toBe(PARTS - 9);
  });

  it('sends again a part that S3 has otherwise', async () => {
    const rig = await openRig();
    breakAfter(rig, 9);
    await expect(rig.copy()).rejects.toThrow();
    const [upload] = rig.s3.uploads.values();
    const part = upload?.parts.get(2);
    if (part !== undefined) upload?.parts.set(2, { ...part, checksum: 'x', bytes: Buffer.alloc(10) });
    rig.s3.fault = () => undefined;
    rig.s3.operations.length = 0;
    await rig.copy();
    expectWhole(rig);
    expect(rig.s3.count('UploadPart')).toBe(PARTS - 9 + 1);
  });

  it('begins anew when its upload was ended by a rule of the bucket', async () => {
    const rig = await openRig();
    breakAfter(rig, 9);
    await expect(rig.copy()).rejects.toThrow();
    rig.s3.uploads.clear();
    rig.s3.fault = () => undefined;
    await rig.copy();
    expectWhole(rig);
  });

  it('is broken off by its signal, at once and with the signal’s reason', async () => {
    const rig = await openRig();
    const controller = new AbortController();
    rig.s3.fault = (operation) => {
      if (operation === 'UploadPart') controller.abort(new Error('that is enough'));
      return undefined;
    };
    await expect(rig.copy({ signal: controller.signal })).rejects.toThrow('that is enough');
    rig.s3.fault = () => undefined;
    await rig.copy();
    expectWhole(rig);
  });
});

describe('uploads that nobody finished', () => {
  const DAY_MS = 24 * 60 * 60_000;
  const begun = (rig: Rig, key: string, ageMs: number, algorithm: string | undefined = 'SHA256') => {
    const uploadId = `${key}-${ageMs}`;
    const beganAt = new Date(Date.now() - ageMs);
    rig.s3.uploads.set(uploadId, { key, uploadId, beganAt, algorithm, parts: new Map() });
    return uploadId;
  };

  it('are ended when they are too old, or of no use; those of others are left alone', async () => {
    const rig = await openRig();
    begun(rig, `voxtral/${WEIGHTS}`, 8 * DAY_MS);
    begun(rig, 'voxtral/model.safetensors', 2 * DAY_MS);
    begun(rig, `voxtral/tekken.json`, 2 * DAY_MS, 'CRC32');
    const young = begun(rig, 'voxtral/other.safetensors', DAY_MS / 2);
    const elsewhere = begun(rig, 'elsewhere/model.safetensors', 30 * DAY_MS);
    await rig.copy();
    expect([...rig.s3.uploads.keys()].toSorted()).toEqual([elsewhere, young].toSorted());
  });

  it('of the same file are taken up, the newest first', async () => {
    const rig = await openRig();
    const older = begun(rig, `voxtral/${WEIGHTS}`, DAY_MS);
    begun(rig, `voxtral/${WEIGHTS}`, DAY_MS / 2);
    await rig.copy();
    expect(rig.s3.count('BeginUpload')).toBe(0);
    expect([...rig.s3.uploads.keys()]).toEqual([older]);
  });
});

describe('two copies at once', () => {
  it('both end well', async () => {
    const rig = await openRig();
    const settled = await Promise.allSettled([rig.copy(), rig.copy()]);
    // One may find its upload completed by the other; then it is told to run again.
    for (const one of settled) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ retryable: true });
    }
    await rig.copy();
    expectWhole(rig);
  });
});

describe('whatever breaks, at whatever byte', () => {
  const hubFault: fc.Arbitrary<HubFault> = fc.oneof(
    fc.record({ kind: fc.constant('cut' as const), afterBytes: fc.nat(64 * KIB) }),
    fc.record({ kind: fc.constant('answer' as const), status: fc.constantFrom(429, 500, 502, 503, 504) }),
  );
  const s3Fault: fc.Arbitrary<S3Fault> = fc.oneof(
    fc.record({ kind: fc.constant('reset' as const), afterBytes: fc.nat(64 * KIB) }),
    fc.record({ kind: fc.constant('lose-answer' as const) }),
    fc.record({
      kind: fc.constant('answer' as const),
      status: fc.constantFrom(500, 503),
      code: fc.constantFrom('SlowDown', 'InternalError'),
    }),
    // What no other try helps against: the run ends, and the next one goes on.
    fc.record({
      kind: fc.constant('answer' as const),
      status: fc.constant(403),
      code: fc.constant('AccessDenied'),
    }),
  );

  it('running it again and again ends with the same bytes, and with nothing left over', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(30), hubFault), { maxLength: 8 }),
        fc.array(fc.tuple(fc.nat(40), s3Fault), { maxLength: 8 }),
        async (hubFaults, s3Faults) => {
          const rig = await openRig({ signatureUses: 5 });
          const [atHub, atS3] = [new Map(hubFaults), new Map(s3Faults)];
          const take = <Fault>(faults: Map<number, Fault>, number: number): Fault | undefined => {
            const fault = faults.get(number);
            faults.delete(number);
            return fault;
          };
          let [hubRequests, s3Requests] = [0, 0];
          rig.hub.fault = () => take(atHub, hubRequests++);
          rig.s3.fault = () => take(atS3, s3Requests++);
          for (let runs = 0; runs <= s3Faults.length + 1; runs += 1) {
            const ended = await rig.copy().then(
              () => 'done',
              (error: unknown) => error,
            );
            if (ended === 'done') break;
            expect(ended).toMatchObject({ name: 'DeployError' });
          }
          rig.hub.fault = () => undefined;
          rig.s3.fault = () => undefined;
          await rig.copy();
          expectWhole(rig);
          await Promise.all([rig.hub.close(), rig.s3.close()]);
        },
      ),
      { numRuns: Number(process.env['KIKITORI_FUZZ_RUNS'] ?? 20), interruptAfterTimeLimit: 60_000 },
    );
  }, 120_000);
});
