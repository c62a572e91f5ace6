import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openByteSource } from '../../src/file/byte-source.js';
import { openFfmpeg } from '../../src/file/ffmpeg-decoder.js';
import { decodeFile } from '../../src/file/index.js';
import { FFMPEG_MEMORY_BYTES_MAX } from '../../src/file/limits.js';
import { hasFfmpeg, hear } from './decoding.js';
import { ffmpegHeader, ffmpegSound } from './ffmpeg-writes.js';
import { hostileMp4 } from './hostile-mp4.js';

const TOO_COSTLY =
  'Decoding this file takes more memory or time than is allowed; convert it to WAV and try again.';
/** AMR: nothing but ffmpeg reads it, so there is no second opinion. */
const AMR = Buffer.from('#!AMR\n');
const knowsLimits = existsSync('/proc/self/limits');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A shell script in ffmpeg's place. */
function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** ffmpeg under a name of its own that writes down its id; and the most memory that it was seen with, bytes. */
function watched(name: string): { readonly path: string; readonly peakBytes: () => Promise<number> } {
  const path = script(
    name,
    `echo $$ > ${folder}/new && mv ${folder}/new ${folder}/${name}.pid; exec ffmpeg "$@"`,
  );
  const peakBytes = async (): Promise<number> => {
    while (!existsSync(`${folder}/${name}.pid`)) await new Promise((resolve) => setImmediate(resolve));
    const status = `/proc/${readFileSync(`${folder}/${name}.pid`, 'utf8').trim()}/status`;
    let peakKib = 0;
    for (let said = ''; existsSync(status); said = textOf(status)) {
      peakKib = Math.max(peakKib, Number(/VmHWM:\s+(\d+) kB/.exec(said)?.[1] ?? 0));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return peakKib * 1024;
  };
  return { path, peakBytes };
}

/** Empty once the process is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function failureOf(source: Uint8Array, ffmpeg: string, maxDurationMs = 60_000): Promise<unknown> {
  return await hear(source, { ffmpeg, maxDurationMs }).catch((error: unknown) => error);
}

describe.skipIf(process.platform === 'win32')('ffmpeg in bounds of the kernel', () => {
  it.skipIf(!knowsLimits)('has little memory, processor time and files, and dumps no core', async () => {
    await failureOf(AMR, script('limits', `cat /proc/self/limits > ${folder}/limits.txt`));
    const said = readFileSync(`${folder}/limits.txt`, 'utf8');
    const hard = (name: string): string | undefined =>
      new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(said)?.[1];
    expect(hard('Max data size')).toBe(String(FFMPEG_MEMORY_BYTES_MAX));
    // A minute, and a twentieth of the minute that may be heard.
    expect(hard('Max cpu time')).toBe('63');
    expect(hard('Max open files')).toBe('64');
    expect(hard('Max core file size')).toBe('0');
    expect(Number(hard('Max file size'))).toBeLessThanOrEqual(8_192);
  });

  it('is killed when it computes for too long, and the answer says so', async () => {
    const { signal } = new AbortController();
    const source = await openByteSource(AMR, signal);
    const program = script('loop', 'while :; do :; done');
    const limits = { stallTimeoutMs: 600_000, maxDurationMs: 1_000, maxSamples: 1, cpuS: 1, signal };
    const opening = openFfmpeg(source, { ...limits, program, demuxer: 'amr' });
    await expect(opening).rejects.toMatchObject({ code: 'decode_failed', message: TOO_COSTLY });
  }, 60_000);

  it('that is killed behind its first sound ends the loop with that sentence', async () => {
    writeFileSync(`${folder}/sound.mka`, Buffer.concat([ffmpegHeader, ffmpegSound(64_000)]));
    const program = script('killed', `cat ${folder}/sound.mka; kill -9 $$`);
    const failure = await failureOf(AMR, program);
    expect(failure).toMatchObject({ code: 'decode_failed', message: TOO_COSTLY });
  });

  it('that talks and talks is ended', async () => {
    const program = script('talker', 'exec yes "[info] said once more" >&2');
    expect(await failureOf(AMR, program)).toMatchObject({ code: 'decode_failed' });
  });

  it('that can not be run fails with a sentence that says what to check', async () => {
    const program = script('broken', 'exec /nowhere/at/all');
    expect(await failureOf(AMR, program)).toMatchObject({ code: 'ffmpeg_unusable' });
  });
});

describe.skipIf(!hasFfmpeg)('an MP4 whose index promises too much', () => {
  // The first goes beyond a single allocation, the second beyond all of them together.
  const indices = [10_000_000, 4_500_000];
  it.skipIf(!knowsLimits).each(indices)(
    'takes no more memory than ffmpeg may have, with 16 tracks of %i samples',
    async (samples) => {
      const program = watched(`watched-${samples}`);
      const file = hostileMp4({ tracks: 16, samples });
      expect(file.length).toBeLessThan(12_000);
      const [failure, peakBytes] = await Promise.all([failureOf(file, program.path), program.peakBytes()]);
      expect(failure).toMatchObject({ name: 'AudioError', code: 'decode_failed' });
      expect(String(failure)).toMatch(/^AudioError: [^\n]+\.$/);
      expect(peakBytes).toBeGreaterThan(0);
      expect(peakBytes).toBeLessThan(1.2 * FFMPEG_MEMORY_BYTES_MAX);
    },
  );

  it('has no more tracks than ffmpeg looks at', async () => {
    const failure = await decodeFile(hostileMp4({ tracks: 65, samples: 10 })).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'decode_failed', message: TOO_COSTLY });
  });
});
