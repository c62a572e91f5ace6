import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNotice, isLocalUrl, leaveNotice } from '../../src/sagemaker/local-notice.js';

let home = '';
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'kikitori-notice-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const notice = { pid: process.pid, region: 'eu-west-1', authority: 'PEM' };

describe('the notice of a stand-in', () => {
  it('is found by the port of a URL of this machine, until it is taken away', async () => {
    const env = { KIKITORI_HOME: home };
    const takeAway = await leaveNotice(8443, notice, env);
    for (const url of ['https://localhost:8443', 'https://127.0.0.1:8443/', 'http://[::1]:8443']) {
      expect(await findNotice(url, env), url).toEqual(notice);
    }
    expect(await findNotice('https://localhost:8444', env)).toBeUndefined();
    await takeAway();
    expect(await findNotice('https://localhost:8443', env)).toBeUndefined();
  });

  it('counts for no other host, for no other home, and not when its process is gone or it is damaged', async () => {
    const env = { KIKITORI_HOME: home };
    await leaveNotice(8443, notice, env);
    for (const host of [
      'example.com',
      '192.0.2.1',
      'localhost.example.com',
      '127.0.0.1.example.com',
      '0.0.0.0',
    ]) {
      expect(await findNotice(`https://${host}:8443`, env), host).toBeUndefined();
    }
    expect(await findNotice('https://localhost:8443', { KIKITORI_HOME: `${home}-other` })).toBeUndefined();
    // Process numbers end far below this one.
    await leaveNotice(8444, { ...notice, pid: 2 ** 30 }, env);
    expect(await findNotice('https://localhost:8444', env)).toBeUndefined();
    const [folder = ''] = await readdir(home);
    await writeFile(join(home, folder, '8443.json'), '{"pid":');
    expect(await findNotice('https://localhost:8443', env)).toBeUndefined();
  });
});

describe('isLocalUrl', () => {
  it.each([
    ['https://localhost:8443', true],
    ['http://127.0.0.1', true],
    ['https://[::1]:8443', true],
    ['https://LOCALHOST:8443', true],
    ['https://localhost@example.com:8443', false],
    ['https://runtime.sagemaker.us-east-1.amazonaws.com:8443', false],
    ['https://localhost.:8443', false],
    ['nonsense', false],
  ])('%s: %s', (url, isLocal) => {
    expect(isLocalUrl(url)).toBe(isLocal);
  });
});
