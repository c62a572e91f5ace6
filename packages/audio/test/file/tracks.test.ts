import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasFfmpeg, hear, WAYS } from './decoding.js';
import { type SmallTrack, smallMatroska } from './small-matroska.js';

const blocks = [1, 2].map((track) => ({ track, atMs: 0, value: track * 8_192, lengthMs: 500 }));

/** Which of the two is heard: the second is twice as loud. */
function numberOf(samples: Float32Array): number {
  return Math.round(4 * (samples[4_000] ?? 0));
}

const remark = (number: number): string[] => [
  `The file has 2 audio tracks: number ${number} is heard, the first that is marked as default, else the first of all.`,
];

describe.each(WAYS)('of two tracks in Matroska, %s', (_, options) => {
  it.each<[string, SmallTrack, SmallTrack, number]>([
    [
      'the second, which is marked',
      { type: 'sound', isDefault: false },
      { type: 'sound', isDefault: true },
      2,
    ],
    ['the first that is marked', { type: 'sound', isDefault: true }, { type: 'sound', isDefault: true }, 1],
    [
      'the first where none is marked',
      { type: 'sound', isDefault: false },
      { type: 'sound', isDefault: false },
      1,
    ],
    ['the first where nothing is said', { type: 'sound' }, { type: 'sound' }, 1],
  ])('is heard %s', async (_name, first, second, number) => {
    const { file, samples } = await hear(smallMatroska([first, second], blocks), options);
    expect([numberOf(samples), file.remarks]).toEqual([number, remark(number)]);
  });

  it('nothing is said where there is one', async () => {
    const { file } = await hear(smallMatroska([{ type: 'sound' }], blocks.slice(0, 1)), options);
    expect(file.remarks).toEqual([]);
  });
});

describe.skipIf(!hasFfmpeg)('of two tracks in MP4', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Two tracks of plain samples, both levels exact; the first or the second enabled. */
  function movie(kind: 'mov' | 'mp4', codec: string, enabled: 1 | 2): string {
    const path = join(folder, `${codec}-${enabled}.${kind}`);
    const level = (value: number): string[] => ['-f', 'lavfi', '-i', `aevalsrc=${value}:s=16000:d=0.5`];
    const marks = [1, 2].flatMap((track) => [
      `-disposition:a:${track - 1}`,
      track === enabled ? 'default' : '0',
    ]);
    const inputs = [...level(0.25), ...level(0.5), '-map', '0:a', '-map', '1:a'];
    execFileSync('ffmpeg', ['-v', 'error', '-y', ...inputs, '-c:a', codec, ...marks, path]);
    return path;
  }

  it.each([
    [1, {}],
    [2, {}],
    [1, { ffmpeg: false }],
    [2, { ffmpeg: false }],
  ] as const)('the enabled one is heard: %i, %j', async (number, options) => {
    const path = movie('mov', 'pcm_s16le', number);
    for (const source of [path, readFileSync(path)]) {
      const { file, samples } = await hear(source, options);
      expect([numberOf(samples), file.remarks]).toEqual([number, remark(number)]);
    }
  });
});
