/** TLS of the server: who may speak it, what is said about files that are wrong, and that new ones count. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ManualClock } from '@kikitori/core/manual-clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeCertificate } from '../../../packages/sagemaker/src/stand-in/certificate.js';
import { eventually, startTestServer } from '../../../packages/server/test/test-server.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Pair {
  readonly certFile: string;
  readonly keyFile: string;
  readonly authority: string;
  readonly authorityFile: string;
}

let folder: string;
let one: Pair;
let other: Pair;

async function writePair(name: string): Promise<Pair> {
  const authorityFile = join(folder, `${name}-ca.pem`);
  const made = await makeCertificate({ host: '127.0.0.1', path: authorityFile });
  const pair = { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
  await writeFile(pair.certFile, made.certificate);
  await writeFile(pair.keyFile, made.key);
  return { ...pair, authority: made.authority ?? '', authorityFile };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-tls-'));
  one = await writePair('one');
  other = await writePair('other');
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Opens a line; the certificate that was shown, or why there is none. */
async function knock(
  port: number,
  options: { readonly ca?: string; readonly maxVersion?: 'TLSv1.1' },
): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', minVersion: 'TLSv1', ...options });
  const shown = await new Promise<string>((resolve) => {
    socket.once('secureConnect', () => resolve(socket.getPeerCertificate().fingerprint256));
    socket.once('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
  socket.destroy();
  return shown;
}

describe('a server with TLS', () => {
  it('says https, is heard by the command that trusts its authority, and by nobody below 1.2', async () => {
    await using test = await startTestServer({ server: { tls: one } });
    expect(test.url).toMatch(/^https:/);
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: one.authorityFile };
    const args = ['packages/cli/bin/kikitori.js', 'transcribe', 'samples/ferry.flac', '--url'];
    const url = `wss://127.0.0.1:${test.server.port}`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [...args, url], { cwd: root, env });
    expect(stdout).toContain('First words spoken.');
    const { NODE_EXTRA_CA_CERTS: _absent, ...bare } = process.env;
    await expect(run(process.execPath, [...args, url], { cwd: root, env: bare })).rejects.toThrow();
    expect(await knock(test.server.port, { ca: one.authority, maxVersion: 'TLSv1.1' })).toMatch(
      /^ERR_|^EPROTO|^ECONN/,
    );
  });

  it('shows a new certificate once the files have changed, and keeps the old one while they are wrong', async () => {
    const files = { certFile: join(folder, 'live.crt'), keyFile: join(folder, 'live.key') };
    await copyFile(one.certFile, files.certFile);
    await copyFile(one.keyFile, files.keyFile);
    await using test = await startTestServer({ server: { tls: files } });
    const before = await knock(test.server.port, { ca: one.authority });
    await copyFile(other.certFile, files.certFile);
    await eventually(() => test.log.some(({ level }) => level === 'error'));
    expect(await knock(test.server.port, { ca: one.authority })).toBe(before);
    await copyFile(other.keyFile, files.keyFile);
    await eventually(() => test.log.some(({ message }) => message === 'The TLS certificate was read again.'));
    expect(await knock(test.server.port, { ca: other.authority })).toMatch(/^[0-9A-F]{2}:/);
    expect(await knock(test.server.port, { ca: one.authority })).not.toBe(before);
  });

  it.each<[string, () => { tls: Omit<Pair, 'authority' | 'authorityFile'>; clock?: ManualClock }, RegExp]>([
    [
      'a file that is not there',
      () => ({ tls: { ...one, certFile: join(folder, 'none') } }),
      /certificate cannot be read/,
    ],
    [
      'a key that is not there',
      () => ({ tls: { ...one, keyFile: join(folder, 'none') } }),
      /key cannot be read/,
    ],
    ['a certificate that is none', () => ({ tls: { ...one, certFile: one.keyFile } }), /not one in PEM/],
    ['a key that is none', () => ({ tls: { ...one, keyFile: one.certFile } }), /not a private key/],
    ['a file without an end', () => ({ tls: { ...one, keyFile: '/dev/zero' } }), /key is too long/],
    ['a key of another certificate', () => ({ tls: { ...one, keyFile: other.keyFile } }), /does not belong/],
    [
      'a certificate that has expired',
      () => {
        const clock = new ManualClock();
        clock.advance(400 * 86_400_000);
        return { tls: one, clock };
      },
      /has expired/,
    ],
  ])('does not start with %s, and says which', async (_what, options, message) => {
    await expect(startTestServer({ server: options() })).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringMatching(message),
    });
  });
});
