import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findFfmpeg } from '../../src/file/index.js';

let folder = '';
let program = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
  program = join(folder, process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg');
  writeFileSync(program, '');
  chmodSync(program, 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('finds the first ffmpeg on PATH', async () => {
  expect(await findFfmpeg({ PATH: ['/nowhere', folder].join(delimiter) })).toBe(program);
});

it('finds none on an empty PATH, or in the working directory', async () => {
  expect(await findFfmpeg({})).toBeUndefined();
  expect(await findFfmpeg({ PATH: ['', '.', 'bin'].join(delimiter) })).toBeUndefined();
});

it('takes the program that KIKITORI_FFMPEG names, and none where it says off', async () => {
  expect(await findFfmpeg({ KIKITORI_FFMPEG: program, PATH: '' })).toBe(program);
  expect(await findFfmpeg({ KIKITORI_FFMPEG: 'off', PATH: folder })).toBeUndefined();
  expect(await findFfmpeg({ KIKITORI_FFMPEG: '', PATH: folder })).toBe(program);
});

it('says so where KIKITORI_FFMPEG names no program', async () => {
  await expect(findFfmpeg({ KIKITORI_FFMPEG: folder })).rejects.toMatchObject({ code: 'ffmpeg_unusable' });
});
