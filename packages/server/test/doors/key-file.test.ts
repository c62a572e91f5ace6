import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '@kikitori/core';
import { ManualClock } from '@kikitori/core/manual-clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatKey, openKeyFile, parseKeyFile } from '../../src/doors/key-file.js';
import { createKey, digestOf } from '../../src/doors/keys.js';
import { KEY_FILE_LIMITS } from '../../src/limits.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kikitori-keys-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a key file', () => {
  it('holds names and hashes, and remarks for people', () => {
    const key = createKey();
    expect(key).toMatch(/^kk_[A-Za-z0-9_-]{32}$/);
    const line = formatKey({ name: 'page-1', digest: digestOf(key) });
    expect(line).not.toContain(key);
    const keys = parseKeyFile(`# for the page\n\n${line}  \n${line.replace('page-1', 'b')}`);
    expect(keys.map(({ name }) => name)).toEqual(['page-1', 'b']);
    expect(keys[0]?.digest).toEqual(digestOf(key));
  });

  it.each([
    ['sesame', /Line 1 .*keys add/],
    [`ok sha256:${'0'.repeat(64)}\nbad sha256:${'0'.repeat(63)}`, /Line 2 /],
    [`a sha256:${'0'.repeat(64)}\na sha256:${'1'.repeat(64)}`, /Line 2 .*name/],
  ])('is refused when a line is wrong: %j', (text, sentence) => {
    expect(() => parseKeyFile(text)).toThrow(sentence);
  });

  it('holds as many keys as its bound, and one more is refused', () => {
    const line = (index: number): string => `k${index} sha256:${'0'.repeat(64)}\n`;
    const most = Array.from({ length: KEY_FILE_LIMITS.keysMax }, (_, index) => line(index)).join('');
    expect(parseKeyFile(most).length).toBe(KEY_FILE_LIMITS.keysMax);
    expect(() => parseKeyFile(`${most}# a remark is no key\n`)).not.toThrow();
    // The lines behind it are not even looked at.
    expect(() => parseKeyFile(`${most}${line(KEY_FILE_LIMITS.keysMax)}nonsense`)).toThrow(
      /at most 10000 keys/,
    );
  });

  it('is read up to its bound, whether it has a length or none', async () => {
    const { fileBytesMax } = KEY_FILE_LIMITS;
    const path = join(folder, 'long');
    const line = formatKey({ name: 'one', digest: digestOf('1') });
    await writeFile(path, line.padEnd(fileBytesMax, '#\n'));
    const file = await openKeyFile(path);
    file.close();
    expect(file.keys.map(({ name }) => name)).toEqual(['one']);
    await writeFile(path, line.padEnd(fileBytesMax + 1, '#\n'));
    await expect(openKeyFile(path)).rejects.toThrow(/too long/);
    expect(() => parseKeyFile('#'.repeat(fileBytesMax + 1))).toThrow(/too long/);
    await expect(openKeyFile('/dev/zero')).rejects.toThrow(/too long/);
  });

  it('is read again when it was changed', async () => {
    const path = join(folder, 'keys');
    await expect(openKeyFile(path)).rejects.toMatchObject({ code: 'invalid_option' });
    await writeFile(path, formatKey({ name: 'one', digest: digestOf('1') }));
    await using file = await opened(path);
    expect(file.names()).toEqual(['one']);
    await writeFile(path, formatKey({ name: 'two', digest: digestOf('2') }));
    // Noticed by itself, by the time that the file was written.
    while (file.names()[0] !== 'two') await turn();
  });

  it.each([
    ['gone', (path: string) => rm(path)],
    ['wrong', (path: string) => writeFile(path, 'nonsense')],
  ])(
    'that is %s leaves its keys for a minute, then lets nobody in, and the log says both',
    async (_how, damage) => {
      const path = join(folder, 'damaged');
      await writeFile(path, formatKey({ name: 'one', digest: digestOf('1') }));
      const clock = new ManualClock();
      await using file = await opened(path, clock);
      await damage(path);
      await file.keyFile.reload();
      expect([file.names(), file.keyFile.isCurrent]).toEqual([['one'], false]);
      expect(file.errors).toEqual([expect.stringContaining('count for a minute')]);
      clock.advance(KEY_FILE_LIMITS.troubleMsMax - 1);
      expect(file.names()).toEqual(['one']);
      clock.advance(1);
      expect(file.names()).toEqual([]);
      await file.keyFile.reload();
      expect(file.errors).toEqual([expect.anything(), expect.stringContaining('nobody new is let in')]);
      expect(JSON.stringify(file.errors)).not.toContain('nonsense');
      await writeFile(path, formatKey({ name: 'two', digest: digestOf('2') }));
      await file.keyFile.reload();
      expect([file.names(), file.keyFile.isCurrent]).toEqual([['two'], true]);
    },
  );

  it('that cannot be read is tried again although nobody touches it', async () => {
    const path = join(folder, 'away');
    const line = formatKey({ name: 'one', digest: digestOf('1') });
    await writeFile(path, line);
    const clock = new ManualClock();
    await using file = await opened(path, clock);
    await rm(path);
    await file.keyFile.reload();
    expect(clock.pending).toBe(1);
    await writeFile(path, line);
    clock.advance(KEY_FILE_LIMITS.watchIntervalMs);
    while (!file.keyFile.isCurrent) await turn();
    expect(clock.pending).toBe(0);
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function opened(path: string, clock: Clock = systemClock) {
  const errors: string[] = [];
  const silent = (): void => undefined;
  const error = (message: string): void => void errors.push(message);
  const logger = { debug: silent, info: silent, warn: silent, error };
  const keyFile = await openKeyFile(path, { logger, clock });
  return {
    keyFile,
    errors,
    names: () => keyFile.keys.map(({ name }) => name),
    [Symbol.asyncDispose]: async () => keyFile.close(),
  };
}
