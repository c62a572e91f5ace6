/**
 * The way to a SageMaker endpoint, whole: client, HTTP/2 and signed event streams, the stand-in of the runtime, the bridge, a
 * Realtime server with its engine, as people run it. When a part of it fails: sagemaker/faults.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFile } from '@kikitori/audio/file';
import { connect } from '@kikitori/client';
import { resolveModel } from '@kikitori/engine-local';
import { createSageMakerConnect } from '@kikitori/sagemaker/client';
import { LOCAL_CREDENTIALS } from '@kikitori/sagemaker/stand-in';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { differenceOf, shareHeard, wordsOf } from './reliability/words.js';
import { killRuns, Run, run } from './sagemaker/command.js';

const root = join(import.meta.dirname, '..', '..');
const sample = join(root, 'samples', 'ferry.flac');
const MODEL = 'tiny';

const missing = await Promise.all([resolveModel(MODEL), resolveModel('silero')]).then(
  () => '',
  (error: unknown) => (error instanceof Error ? error.message : 'unknown'),
);
if (missing !== '') process.stderr.write(`the SageMaker path on real speech is skipped: ${missing}\n`);

afterEach(killRuns);

describe.skipIf(missing !== '')('kikitori up, with real speech', () => {
  let up: Run;
  let endpointUrl = '';
  let realtime = '';
  let authority = '';
  beforeAll(async () => {
    const ports = ['server', 'bridge', 'sagemaker', 'page'].flatMap((name) => [`--${name}-port`, '0']);
    up = new Run(['up', '--model', MODEL, '--threads', '1', ...ports]);
    endpointUrl = await up.until(/(https:\/\/localhost:\d+)/);
    realtime = await up.until(/(ws:\/\/127\.0\.0\.1:\d+)\/v1\/realtime/);
    authority = await up.until(/ (\S+authority\.pem)/);
  });
  afterAll(async () => {
    up.child.kill('SIGINT');
    expect(await up.end()).toBe(0);
    expect(up.err).toMatch(/Stopping/);
  });

  it('gives the text of the direct way', async () => {
    const through = run(['transcribe', sample, '--endpoint', 'demo', '--endpoint-url', endpointUrl]);
    expect(await through.end()).toBe(0);
    const direct = run(['transcribe', sample, '--url', realtime]);
    expect(await direct.end()).toBe(0);
    expect(through.err).toBe('');
    expect(shareHeard('ferry.flac', direct.out), direct.out).toBeGreaterThan(1 / 2);
    // Single words depend on where the decodes of either fell.
    const { longestRun, changed } = differenceOf(wordsOf(direct.out), wordsOf(through.out));
    expect(longestRun, through.out).toBeLessThan(3);
    expect(changed.length, through.out).toBeLessThan(wordsOf(direct.out).length / 3);
  });

  it('gives words and their times, as JSON lines', async () => {
    const words = ['transcribe', sample, '--json', '--endpoint', 'demo', '--endpoint-url', endpointUrl];
    const through = run(words);
    expect(await through.end()).toBe(0);
    const lines = through.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const finals = lines.filter(({ type }) => type === 'final');
    expect(finals[0].words[0]).toMatchObject({ text: expect.any(String), start_ms: expect.any(Number) });
    const text = finals.map((each) => each.text).join(' ');
    expect(lines.at(-1)).toMatchObject({ type: 'summary', text, reconnects: 0 });
  });

  it('says words while audio is still being sent', async () => {
    const blocks: Float32Array[] = [];
    for await (const block of await decodeFile(sample)) blocks.push(block);
    const speech = Float32Array.from(blocks.flatMap((block) => [...block]));
    const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
    const session = await connect({
      // What a client is told is seen only by one that does not come back by itself.
      reconnect: false,
      connect: createSageMakerConnect({
        endpointName: 'demo',
        region: 'us-east-1',
        endpointUrl,
        ca: await readFile(authority, 'utf8'),
        credentials: { accessKeyId, secretAccessKey },
      }),
    });
    const heard = session[Symbol.asyncIterator]();
    const half = 6 * 16_000;
    await session.send(speech.subarray(0, half));
    // Nothing more is sent until a word of the first half is here: had it to wait for the end, this would not go on.
    let text = '';
    while (wordsOf(text).length < 3) {
      const { value, done } = await heard.next();
      if (done === true) throw new Error('it ended before a word came');
      if (value.type === 'delta') text += value.text;
    }
    await session.send(speech.subarray(half));
    const transcript = await session.finish();
    expect(shareHeard('ferry.flac', transcript.text)).toBeGreaterThan(1 / 2);
    await session.close();
  });
});
