import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STORE_LIMITS } from '../../src/store/limits.js';
import { openStaging, place, setAside } from '../../src/store/staging.js';
import { temporaryFolder } from './fake-registry.js';

const HOST = hostname().replace(/[^\w.-]/g, '_');
/** No process has it: the kernel's highest is 4,194,304. */
const DEAD = '99999999.0';

let root: string;

beforeEach(async () => {
  root = await temporaryFolder();
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A folder as another process left it, with one file in it. */
async function leave(name: string, ageMs = 0): Promise<void> {
  const dir = join(root, 'staging', name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'part'), name);
  const then = new Date(Date.now() - ageMs);
  await utimes(dir, then, then);
}

const left = () => readdir(join(root, 'staging'));

describe('the staging area', () => {
  it('takes over what a dead process left of the same download', async () => {
    await leave(`hf--a--b@1~${HOST}~${DEAD}~x`);
    const staging = await openStaging(root, 'hf--a--b@1');
    expect(await readFile(join(staging.dir, 'part'), 'utf8')).toContain('hf--a--b@1');
    expect(await left()).toHaveLength(1);
    staging.keep();
  });

  it('takes over what this process gave up, and not what it is working on', async () => {
    const first = await openStaging(root, 'hf--a--b@1');
    const second = await openStaging(root, 'hf--a--b@1');
    expect(second.dir).not.toBe(first.dir);
    await writeFile(join(first.dir, 'mark'), 'first');
    await second.discard();
    first.keep();
    const third = await openStaging(root, 'hf--a--b@1');
    expect(await readFile(join(third.dir, 'mark'), 'utf8')).toBe('first');
    expect(await left()).toHaveLength(1);
    third.keep();
  });

  it('leaves alone what living processes, other machines and other threads work on', async () => {
    const names = [
      `hf--a--b@1~${HOST}~${process.ppid}.0~x`,
      `npm--base~${HOST}~${process.ppid}.0~x`,
      `hf--a--b@1~other-${HOST}~${DEAD}~x`,
      `hf--a--b@1~${HOST}~${process.pid}.${threadId + 1}~x`,
    ];
    for (const name of names) await leave(name);
    const staging = await openStaging(root, 'hf--a--b@1');
    expect(await readdir(staging.dir)).toEqual([]);
    await staging.discard();
    expect(await left()).toEqual(names.sort());
  });

  it('removes what cannot be resumed, and what nobody resumed for long', async () => {
    const { partialAgeMsMax, foreignAgeMsMax } = STORE_LIMITS;
    const kept = `hf--c--d@1~${HOST}~${DEAD}~x`;
    await leave(kept, partialAgeMsMax - 60_000);
    await leave(`hf--c--d@2~${HOST}~${DEAD}~x`, partialAgeMsMax + 60_000);
    await leave(`npm--base~${HOST}~${DEAD}~x`);
    await leave(`trash~${HOST}~${DEAD}~x`);
    await leave(`npm--base~other-${HOST}~1.0~x`, foreignAgeMsMax + 60_000);
    await leave('what-is-this', foreignAgeMsMax + 60_000);
    const staging = await openStaging(root, 'npm--tiny');
    await staging.discard();
    expect(await left()).toEqual([kept]);
  });

  it('gives one left-behind folder to one of several that want it', async () => {
    await leave(`hf--a--b@1~${HOST}~${DEAD}~x`);
    const stagings = await Promise.all([1, 2, 3, 4].map(() => openStaging(root, 'hf--a--b@1')));
    const contents = await Promise.all(stagings.map((staging) => readdir(staging.dir)));
    expect(contents.filter((names) => names.length > 0)).toHaveLength(1);
    for (const staging of stagings) await staging.discard();
    expect(await left()).toEqual([]);
  });
});

describe('putting a model in its place', () => {
  it('replaces a damaged one and keeps a whole one', async () => {
    const target = join(root, 'models', 'toy');
    const finish = async (mark: string, isWhole: boolean): Promise<string> => {
      const staging = await openStaging(root, 'npm--toy');
      await writeFile(join(staging.dir, 'mark'), mark);
      await place(staging, target, root, async () => isWhole);
      return readFile(join(target, 'mark'), 'utf8');
    };
    expect(await finish('first', false)).toBe('first');
    expect(await finish('second', true)).toBe('first');
    expect(await finish('third', false)).toBe('third');
    expect(await left()).toEqual([]);
    expect(await setAside(target, root)).toBe(true);
    expect(await setAside(target, root)).toBe(false);
    expect(await left()).toEqual([]);
  });
});
