/**
 * The processes of bench/artefacts.js, one role each, so that memory and processor time are those of one thing alone:
 *
 *   serve BYTES                        a hub with one file of so many bytes, and an S3 that keeps none of them
 *   ours | lib-storage  PLACE          copies the file from one to the other, prints what that took
 */
import { mkdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const [role, ...args] = process.argv.slice(2);
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_IN_FLIGHT = 8;
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** The fakes of the tests; they are TypeScript. */
async function loadFakes() {
  const { build } = await import('esbuild');
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const outdir = `${root}.cache/bench-artefacts`;
  mkdirSync(outdir, { recursive: true });
  const folder = `${root}packages/deploy/test/fake-aws`;
  const shared = { bundle: true, platform: 'node', format: 'esm', packages: 'external', outdir };
  await build({ ...shared, entryPoints: [`${folder}/fake-hub.ts`, `${folder}/fake-s3.ts`] });
  const [hub, s3] = await Promise.all([import(`${outdir}/fake-hub.js`), import(`${outdir}/fake-s3.js`)]);
  return { ...hub, ...s3 };
}

async function serve(bytes) {
  const { FakeHub, FakeS3, noiseFile, textFile } = await loadFakes();
  const files = [
    noiseFile('consolidated.safetensors', Number(bytes), 1),
    textFile('params.json', '{}'),
    textFile('tekken.json', '{}'),
  ];
  const hub = new FakeHub({ files });
  const s3 = new FakeS3({ keepsBytes: false });
  await Promise.all([hub.listen(), s3.listen()]);
  // Hashed once and ahead, not while something is measured.
  await fetch(`${hub.endpoint}/api/models/${hub.repository}/tree/${hub.commit}`).then((response) =>
    response.text(),
  );
  const { repository, commit, endpoint } = hub;
  say({ repository, commit, endpoint, s3: `http://127.0.0.1:${s3.port}`, bucket: s3.bucket });
  for await (const line of process.stdin) {
    // `break N`: the Nth part and all after it are refused. `heal`: no more. `forget`: as on the first day.
    const [word, count] = String(line).trim().split(' ');
    let parts = 0;
    if (word === 'break') {
      s3.fault = (operation) => {
        if (operation !== 'UploadPart') return undefined;
        parts += 1;
        return parts > Number(count) ? { kind: 'answer', status: 403, code: 'AccessDenied' } : undefined;
      };
    } else s3.fault = () => undefined;
    if (word === 'forget') {
      s3.objects.clear();
      s3.uploads.clear();
    }
    say({ operations: s3.operations.filter((name) => name === 'UploadPart').length });
    s3.operations.length = 0;
  }
  await Promise.all([hub.close(), s3.close()]);
}

/** Waits for the other side aside, this is what it took here. */
async function measure(work) {
  const beganAt = performance.now();
  const cpu = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const { maxRSS } = process.resourceUsage();
  say({
    ...result,
    seconds: (performance.now() - beganAt) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    peakMb: maxRSS / 1_000,
  });
}

async function client(place) {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    region: 'eu-central-1',
    endpoint: place.s3,
    forcePathStyle: true,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  });
}

async function ours(place) {
  const { copyModel } = await import('@kikitori/deploy');
  const s3 = await client(place);
  await measure(async () => {
    try {
      const { sentBytes } = await copyModel({
        s3,
        model: { repository: place.repository, revision: place.commit },
        destination: `s3://${place.bucket}/model/`,
        access: { endpoint: place.endpoint, token: undefined },
        limits: { partSizeBytes: PART_BYTES, partsInFlight: PARTS_IN_FLIGHT },
      });
      return { sentBytes };
    } catch (error) {
      return { failed: error.code };
    }
  });
  s3.destroy();
}

/** AWS's own way from a stream to S3: one connection to the source, no hash of the whole, nothing to go on from. */
async function libStorage(place) {
  const { Upload } = await import('@aws-sdk/lib-storage');
  const s3 = await client(place);
  await measure(async () => {
    const url = `${place.endpoint}/${place.repository}/resolve/${place.commit}/consolidated.safetensors`;
    const { body } = await fetch(url);
    await new Upload({
      client: s3,
      params: {
        Bucket: place.bucket,
        Key: 'stock/consolidated.safetensors',
        Body: Readable.fromWeb(body),
        ChecksumAlgorithm: 'SHA256',
      },
      partSize: PART_BYTES,
      queueSize: PARTS_IN_FLIGHT,
    }).done();
    return {};
  });
  s3.destroy();
}

if (role === 'serve') await serve(args[0]);
else await { ours, 'lib-storage': libStorage }[role](JSON.parse(args[0]));
