/** moto's server: AWS's services as others understand them. A test file starts one, and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request as ask } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Aws } from '@kikitori/deploy';
import { VirtualTime } from '../../packages/deploy/test/fake-aws/virtual-time.js';
import { type Answered, type Message, readAll } from './moto-messages.js';
import { tool } from './tools.js';

export const REGION = 'us-west-2';
/** The account that moto is. */
export const ACCOUNT = '123456789012';
export const KEYS = { accessKeyId: 'AKIDMOTO', secretAccessKey: 'moto' };

export class Moto {
  readonly url: string;
  /** moto itself, without anything of ours in front of it. */
  readonly aws: Aws;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#process = child;
    this.url = url;
    // Where moto fails, nobody waits for it to think better of it.
    this.aws = new Aws({ region: REGION, endpointUrl: url, credentials: KEYS, clock: new VirtualTime() });
  }

  static async start(): Promise<Moto> {
    const child = spawn(tool('python'), [join(import.meta.dirname, 'moto_server.py')], {
      // S3's parts have 5 MiB at least: weights in small parts are as much of a test.
      env: { ...process.env, S3_UPLOAD_PART_MIN_SIZE: '1024' },
      // It ends with its stdin, also where nobody gets to end it.
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const url = await said(child, /Running on (http:\/\/127\.0\.0\.1:\d+)/);
    return new Moto(child, url);
  }

  async stop(): Promise<void> {
    this.aws.close();
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
  }

  /** Everything that anybody made is gone. */
  async reset(): Promise<void> {
    await fetch(`${this.url}/moto-api/reset`, { method: 'POST' });
  }

  /** Carries a request there and its answer back. */
  async carry(
    { method, path }: { readonly method: string; readonly path: string },
    { headers, body }: Message,
  ): Promise<Answered> {
    const sent = ask(`${this.url}${path}`, { method, headers: { ...headers, connection: 'close' } });
    sent.end(body);
    // `response` comes with the answer alone.
    const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await readAll(answer) };
  }

  /** Something of a service that we have no client of. Rejects with moto's words. */
  async json(service: string, target: string, input: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': target,
        // moto reads for whom it is signed, and nothing more.
        authorization: `AWS4-HMAC-SHA256 Credential=AKIDMOTO/20261123/${REGION}/${service}/aws4_request`,
      },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
    return JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
  }
}

/** The first group of the first line on stderr that has one. Reads on for ever: who is not listened to stops working at some time. */
function said({ stderr }: ChildProcess, pattern: RegExp): Promise<string> {
  if (stderr === null) throw new Error('nothing is heard of it');
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const reader = createInterface({ input: stderr });
    reader.on('line', (line) => {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) resolve(found);
      else if (lines.length < 100) lines.push(line);
    });
    reader.once('close', () => reject(new Error(`moto does not start: ${lines.join('\n')}`)));
  });
}
