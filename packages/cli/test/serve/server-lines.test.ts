import { describe, expect, it } from 'vitest';
import { serverLines } from '../../src/serve/server-lines.js';

const AT = { port: 8000, others: [], isTls: false, own: undefined, hasKey: false, hasFiles: true };
const OWN = { fingerprint: 'AB:CD', authorityFile: '/store/tls/authority.pem' };

const linesOf = (given: Parameters<typeof serverLines>[0]) =>
  serverLines(given).map(({ label, value }) => `${label} ${value}`);

describe('what a server says of itself', () => {
  it('says first where a microphone does not work, and how it would', () => {
    const at = { ...AT, host: '192.0.2.7', others: ['192.0.2.7'] };
    const [first] = serverLines(at);
    expect(first).toMatchObject({ label: 'Microphone', value: 'at none of these addresses' });
    expect(first?.note).toContain('--tls-self-signed');
    expect(linesOf({ ...at, host: '0.0.0.0' }).slice(0, 3)).toEqual([
      'Microphone only at http://localhost:8000',
      'Open http://localhost:8000',
      'Open http://192.0.2.7:8000',
    ]);
  });

  it('says nothing of it where it works', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      expect(linesOf({ ...AT, host })[0]).toMatch(/^Open /);
    }
    expect(linesOf({ ...AT, host: '192.0.2.7', isTls: true })[0]).toBe('Open https://192.0.2.7:8000');
  });

  it('begins with where others open the page, and asks for no certificate that stands in front', () => {
    const at = { ...AT, host: '0.0.0.0', others: ['192.0.2.7'] };
    const site = 'https://stt.example.com/stt/';
    expect(linesOf({ ...at, publicUrl: site }).slice(0, 2)).toEqual([
      `Open ${site}`,
      'Open http://localhost:8000',
    ]);
    expect(linesOf({ ...at, publicUrl: 'http://stt.example.com/' })[0]).toMatch(/^Microphone /);
  });

  it('shows the fingerprint of its own certificate, and a command that trusts it', () => {
    const lines = linesOf({ ...AT, host: '192.0.2.7', isTls: true, own: OWN, hasKey: true });
    expect(lines[0]).toBe('Certificate SHA-256 AB:CD');
    expect(lines.at(-1)).toMatch(
      /^Try KIKITORI_API_KEY=… NODE_EXTRA_CA_CERTS=\/store\/tls\/authority\.pem npx kikitori .* wss:\/\/192\.0\.2\.7:8000$/,
    );
  });

  it('says where Wyoming is spoken, at an address of its own', () => {
    const at = { ...AT, host: '127.0.0.1', others: ['192.0.2.7'] };
    const wyoming = (host: string) =>
      linesOf({ ...at, wyoming: { host, port: 10300 } }).filter((line) => line.startsWith('Wyoming'));
    expect(wyoming('127.0.0.1')).toEqual(['Wyoming 127.0.0.1 port 10300']);
    expect(wyoming('0.0.0.0')).toEqual(['Wyoming 127.0.0.1 port 10300', 'Wyoming 192.0.2.7 port 10300']);
    expect(linesOf(at).join()).not.toContain('Wyoming');
  });
});
