/**
 * The way to a SageMaker endpoint, whole: client, HTTP/2 and signed event streams, the stand-in of the runtime, the bridge, a
 * Realtime server with its engine, as people run it. When a part of it fails: sagemaker/faults.test.ts.
 */
import { readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import {
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from '@aws-sdk/client-sagemaker-runtime';
import { decodeFile } from '@kikitori/audio/file';
import { connect } from '@kikitori/client';
import { resolveModel } from '@kikitori/engine-local';
import { createSageMakerConnect } from '@kikitori/sagemaker/client';
import { LOCAL_CREDENTIALS } from '@kikitori/sagemaker/stand-in';
import { NodeHttpHandler } from '@smithy/node-http-handler';
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

const clipsFolder = join(root, '..', 'shared', 'speech', 'dev', 'clips');
const clips = (await readdir(clipsFolder).catch(() => [])).filter((name) => name.endsWith('.wav')).sort();
if (clips.length === 0)
  process.stderr.write('InvokeEndpoint with recorded clips is skipped: none are here\n');

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

  /** AWS's own client of the plain operations. */
  async function runtimeClient(): Promise<SageMakerRuntimeClient> {
    // It would tell every run which Node it will want some day.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
    const httpsAgent = new Agent({ ca: await readFile(authority) });
    return new SageMakerRuntimeClient({
      region: 'us-east-1',
      endpoint: endpointUrl,
      credentials: LOCAL_CREDENTIALS,
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpsAgent }),
    });
  }

  /** The answer of the server itself to the same file, in a form. */
  async function direct(file: Buffer, fields: Readonly<Record<string, string>> = {}): Promise<string> {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new File([new Uint8Array(file)], 'speech'));
    const url = `${realtime.replace('ws', 'http')}/v1/audio/transcriptions`;
    return await (await fetch(url, { method: 'POST', body: form })).text();
  }

  it('gives the text of a file to InvokeEndpoint of AWS’s client, as the server itself gives it', async () => {
    const client = await runtimeClient();
    const file = await readFile(sample);
    const asked = { EndpointName: 'demo', Body: file, ContentType: 'audio/flac' };
    const plain = await client.send(new InvokeEndpointCommand(asked));
    expect(plain.ContentType).toBe('application/json');
    const { text } = JSON.parse(Buffer.from(plain.Body).toString());
    expect(shareHeard('ferry.flac', text), text).toBeGreaterThan(1 / 2);
    expect(text).toBe(JSON.parse(await direct(file)).text);
    const attributes = { CustomAttributes: 'response_format=vtt' };
    const captions = await client.send(new InvokeEndpointCommand({ ...asked, ...attributes }));
    expect(Buffer.from(captions.Body).toString()).toBe(await direct(file, { response_format: 'vtt' }));
    const parts = new FormData();
    parts.append('response_format', 'text');
    parts.append('file', new File([new Uint8Array(file)], 'ferry.flac'));
    const form = new Response(parts);
    const inForm = await client.send(
      new InvokeEndpointCommand({
        EndpointName: 'demo',
        ContentType: form.headers.get('content-type') ?? '',
        Body: new Uint8Array(await form.arrayBuffer()),
      }),
    );
    expect(Buffer.from(inForm.Body).toString()).toBe(await direct(file, { response_format: 'text' }));
    const noise = client.send(new InvokeEndpointCommand({ ...asked, Body: Buffer.alloc(1_000, 7) }));
    await expect(noise).rejects.toMatchObject({ name: 'ModelError', OriginalStatusCode: 400 });
    client.destroy();
  });

  it('tells a file word by word to InvokeEndpointWithResponseStream', async () => {
    const client = await runtimeClient();
    const { Body = [] } = await client.send(
      new InvokeEndpointWithResponseStreamCommand({
        EndpointName: 'demo',
        Body: await readFile(sample),
        CustomAttributes: 'stream=true',
      }),
    );
    let events = '';
    let parts = 0;
    for await (const { PayloadPart } of Body) {
      events += Buffer.from(PayloadPart?.Bytes ?? []).toString();
      parts += 1;
    }
    expect(parts).toBeGreaterThan(1);
    expect(events).toMatch(/"type":"transcript\.text\.delta"[\s\S]*"type":"transcript\.text\.done"/);
    client.destroy();
  });

  it.skipIf(clips.length === 0)(
    'gives the server’s own text of recorded clips to InvokeEndpoint',
    async () => {
      const client = await runtimeClient();
      for (const name of clips.slice(0, 3)) {
        const file = await readFile(join(clipsFolder, name));
        const { Body } = await client.send(
          new InvokeEndpointCommand({ EndpointName: 'demo', Body: file, ContentType: 'audio/wav' }),
        );
        const { text } = JSON.parse(Buffer.from(Body).toString());
        expect(text, name).toBe(JSON.parse(await direct(file)).text);
        expect(text, name).not.toBe('');
      }
      client.destroy();
    },
  );

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
