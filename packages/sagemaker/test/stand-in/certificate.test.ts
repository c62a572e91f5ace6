import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../src/stand-in/certificate.js';

describe('a made certificate', () => {
  it('is for this machine, signed by an authority that signs nothing else, and valid now', async () => {
    const made = await makeCertificate({ host: '192.0.2.7' });
    const server = new X509Certificate(made.certificate);
    const authority = new X509Certificate(made.authority ?? '');
    for (const address of ['127.0.0.1', '::1', '192.0.2.7']) expect(server.checkIP(address)).toBeDefined();
    expect(server.checkHost('localhost')).toBe('localhost');
    expect(server.checkHost('example.com')).toBeUndefined();
    expect([server.ca, authority.ca]).toStrictEqual([false, true]);
    expect(server.checkIssued(authority)).toBe(true);
    expect(server.verify(authority.publicKey)).toBe(true);
    expect(Date.parse(server.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(server.validTo)).toBeGreaterThan(Date.now() + 300 * 86_400_000);
    await made.remove();
  });

  it('is for more names where clients know no other', async () => {
    const names = ['runtime.sagemaker.eu-west-1.amazonaws.com'];
    const made = await makeCertificate({ host: '127.0.0.1', names });
    const server = new X509Certificate(made.certificate);
    expect(server.checkHost(names[0] ?? '')).toBe(names[0]);
    expect(server.checkHost('localhost')).toBe('localhost');
    await made.remove();
  });

  it('shows what to trust in a file, writes no key anywhere, and takes its folder away', async () => {
    const made = await makeCertificate({ host: '127.0.0.1' });
    const path = made.authorityPath ?? '';
    const folder = dirname(path);
    expect(readFileSync(path, 'utf8')).toBe(made.authority);
    expect(readdirSync(folder)).toStrictEqual(['authority.pem']);
    expect(readFileSync(path, 'utf8')).not.toContain('PRIVATE');
    expect(statSync(path).mode & 0o022).toBe(0);
    await made.remove();
    await made.remove();
    expect(existsSync(folder)).toBe(false);
  });

  it('is written where it is asked for, and stays there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'certificate-test-'));
    const path = join(folder, 'trust.pem');
    const made = await makeCertificate({ host: 'localhost', path });
    await made.remove();
    expect(made.authorityPath).toBe(path);
    expect(readFileSync(path, 'utf8')).toBe(made.authority);
    await rm(folder, { recursive: true });
  });
});
