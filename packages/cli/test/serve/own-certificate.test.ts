import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { namesOf, ownCertificate } from '../../src/serve/own-certificate.js';

const DAY_MS = 86_400_000;

describe('a certificate of our own', () => {
  let home = '';
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'kikitori-tls-'));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  const given = (host = '192.0.2.7', unixMs = Date.now()) =>
    ownCertificate(host, { env: { KIKITORI_HOME: home }, unixMs });

  it('is for this host and its addresses, signed by an authority that signs nothing else', async () => {
    const { files, fingerprint, authorityFile } = await given();
    const pem = await readFile(files.certFile, 'utf8');
    const certificate = new X509Certificate(pem);
    const authority = new X509Certificate(await readFile(authorityFile));
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) {
      expect(certificate.checkIP(address)).toBeDefined();
    }
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.verify(authority.publicKey)).toBe(true);
    expect(certificate.fingerprint256).toBe(fingerprint);
    expect(Date.parse(certificate.validTo)).toBeLessThan(Date.now() + 398 * DAY_MS);
    // Two certificates, and the key of the first.
    expect(pem.match(/BEGIN [A-Z ]+/g)).toEqual([
      'BEGIN CERTIFICATE',
      'BEGIN CERTIFICATE',
      'BEGIN PRIVATE KEY',
    ]);
  });

  it('lies where this user alone can read it', async () => {
    await given();
    const folder = join(home, 'tls');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await readdir(folder)).sort()).toEqual(['authority.pem', 'self-signed.pem']);
    for (const name of await readdir(folder)) {
      expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
    }
  });

  it('is the same the next time, and another one when a name is missing, when it ends soon, or when it is damaged', async () => {
    const { fingerprint: first, files } = await given();
    expect((await given()).fingerprint).toBe(first);
    expect((await given('192.0.2.7', Date.now() + 336 * DAY_MS)).fingerprint).toBe(first);
    const { fingerprint: other } = await given('192.0.2.8');
    expect(other).not.toBe(first);
    const { fingerprint: later } = await given('192.0.2.8', Date.now() + 338 * DAY_MS);
    expect(later).not.toBe(other);
    await writeFile(files.certFile, 'no certificate');
    expect((await given('192.0.2.8')).fingerprint).not.toBe(later);
  });

  it('says what to do where it cannot be kept', async () => {
    await writeFile(join(home, 'tls'), 'a file');
    await expect(given()).rejects.toMatchObject({
      code: 'bad_input',
      message: expect.stringMatching(/KIKITORI_HOME/),
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'says so in a folder in which Node would try for ever',
    async () => {
      const env = { KIKITORI_HOME: '/proc/kikitori' };
      await expect(ownCertificate('192.0.2.7', { env, unixMs: Date.now() })).rejects.toMatchObject({
        code: 'bad_input',
      });
    },
  );

  it('names the machine as its network does, and nothing that is no name', () => {
    expect(namesOf('127.0.0.1', 'Desk-7')).toEqual([
      'localhost',
      '127.0.0.1',
      '::1',
      'desk-7',
      'desk-7.local',
    ]);
    expect(namesOf('[2001:db8::5]', 'a.example')).toEqual([
      'localhost',
      '127.0.0.1',
      '::1',
      'a.example',
      '2001:db8::5',
    ]);
    expect(namesOf('127.0.0.1', 'My Mac!')).toEqual(['localhost', '127.0.0.1', '::1']);
  });
});
