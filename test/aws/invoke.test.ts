/** InvokeEndpoint as boto3 speaks it, against the stand-in of SageMaker's runtime in front of the bridge and our server. */
import { encodeWav } from '@kikitori/audio';
import { createBridge } from '@kikitori/bridge';
import { createScriptedEngine } from '@kikitori/engine';
import { createSageMakerStandIn, LOCAL_CREDENTIALS } from '@kikitori/sagemaker/stand-in';
import { startServer } from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { afterEach, describe, expect, it } from 'vitest';
import { askPython, whyNoTools } from './tools.js';

if (whyNoTools !== undefined) process.stderr.write(`boto3 is not asked: ${whyNoTools}\n`);

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const WAV = encodeWav(new Float32Array(16_000).fill(0.05), { sampleRateHz: 16_000 });

/** The whole path in this process; boto3 trusts the stand-in by its file. */
async function openPath() {
  const words = [{ text: 'Good', startMs: 100, endMs: 300 }];
  const engine = createScriptedEngine({ script: [{ words }] });
  const server = await startServer({ engine, attach: attachWebSockets, port: 0 });
  closers.push(() => server.close());
  const upstream = `ws://127.0.0.1:${server.port}/v1/realtime`;
  const bridge = createBridge({ host: '127.0.0.1', port: 0, upstream });
  const bridgePort = await bridge.listen();
  closers.push(() => bridge.close());
  const containerUrl = `ws://127.0.0.1:${bridgePort}`;
  const runtime = await createSageMakerStandIn({ port: 0, endpoints: [{ name: 'demo', containerUrl }] });
  closers.push(() => runtime.destroy());
  await runtime.whenInService();
  const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
  return async (requests: readonly Record<string, unknown>[], secret = secretAccessKey) =>
    await askPython<Record<string, unknown>[]>('invoke_endpoint.py', {
      url: runtime.url,
      authority: runtime.authorityPath,
      access_key_id: accessKeyId,
      secret_access_key: secret,
      requests: requests.map((request) => ({
        EndpointName: 'demo',
        Body: Buffer.from(WAV).toString('base64'),
        ...request,
      })),
    });
}

describe.skipIf(whyNoTools !== undefined)('boto3', () => {
  it('gets the text of a file, whole or in parts, as its custom attributes wish', async () => {
    const ask = await openPath();
    const [json, text, streamed] = await ask([
      { ContentType: 'audio/wav' },
      { CustomAttributes: 'response_format=text&language=en' },
      { CustomAttributes: 'stream=true', streamed: true },
    ]);
    expect(json).toMatchObject({ type: 'application/json', variant: 'AllTraffic' });
    expect(JSON.parse(String(json?.['body']))).toMatchObject({ text: 'Good' });
    expect(text).toMatchObject({ body: 'Good\n' });
    expect(streamed).toMatchObject({ type: expect.stringContaining('text/event-stream') });
    expect(String(streamed?.['parts'])).toContain('transcript.text.done');
  });

  it('makes of each failure what it makes of AWS’s', async () => {
    const ask = await openPath();
    const [nobody, noise, large] = await ask([
      { EndpointName: 'nobody' },
      { Body: Buffer.alloc(1_000, 7).toString('base64') },
      { Body: Buffer.alloc(26 * 1024 * 1024).toString('base64') },
    ]);
    expect(nobody).toMatchObject({
      code: 'ValidationError',
      message: 'Endpoint nobody of account 111122223333 not found.',
      status: 400,
    });
    expect(noise).toMatchObject({
      code: 'ModelError',
      status: 424,
      original_status: 400,
      original_message: expect.stringContaining('"param":"file"'),
    });
    expect(large).toMatchObject({ code: '413', message: 'HTTP content length exceeded 26214400 bytes.' });
    const [wrong] = await ask([{}], 'guessed');
    expect(wrong).toMatchObject({ code: 'InvalidSignatureException', status: 403 });
  });
});
