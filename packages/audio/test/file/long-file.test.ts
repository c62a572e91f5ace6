import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeFile } from '../../src/file/index.js';
import { float32ToPcm16 } from '../../src/pcm16.js';
import { wavHeader } from '../../src/wav-encoder.js';
import { hasFfmpeg } from './decoding.js';

const RATE_HZ = 16_000;

/** Hiss, which no codec makes much smaller: what is in flight shows in bytes. One second again and again. */
function* hiss(seconds: number): Generator<Uint8Array> {
  yield wavHeader({ sampleRateHz: RATE_HZ, encoding: 's16le' });
  let state = 1;
  const samples = Float32Array.from({ length: RATE_HZ }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  const second = float32ToPcm16(samples);
  for (let count = 0; count < seconds; count += 1) yield second;
}

describe.skipIf(!hasFfmpeg)('a long recording', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function record(seconds: number): Promise<string> {
    const path = join(folder, `${seconds}.flac`);
    const args = ['-v', 'error', '-i', 'pipe:0', '-compression_level', '0', path];
    const encoder = spawn('ffmpeg', args, { stdio: ['pipe', 'ignore', 'inherit'] });
    const closed = once(encoder, 'close');
    for (const piece of hiss(seconds)) if (!encoder.stdin.write(piece)) await once(encoder.stdin, 'drain');
    encoder.stdin.end();
    expect(await closed).toEqual([0, null]);
    return path;
  }

  // In flight: 64 KiB of probe and a piece or two in our hands; with ffmpeg also two pipes with Node's buffers, and
  // what ffmpeg holds. Far less than a tenth of the file, and the same however long the file is.
  it.each([
    ['ffmpeg', 14 * 60, undefined, 2 * 1024 * 1024],
    ['library', 2 * 60, false, 256 * 1024],
  ] as const)(
    'is never more than a little in flight through %s, of %i seconds',
    { timeout: 240_000 },
    async (decoder, seconds, ffmpeg, limitBytes) => {
      const path = await record(seconds);
      const fileBytes = statSync(path).size;
      expect(fileBytes).toBeGreaterThan(10 * limitBytes);
      let givenBytes = 0;
      async function* counted(): AsyncGenerator<Uint8Array, void> {
        for await (const piece of createReadStream(path)) {
          givenBytes += piece.length;
          yield piece;
        }
      }
      const file = await decodeFile(counted(), ffmpeg === undefined ? {} : { ffmpeg });
      expect(file.decoder).toBe(decoder);
      let takenSamples = 0;
      let inFlightBytesMax = 0;
      for await (const chunk of file) {
        takenSamples += chunk.length;
        // Hiss is coded evenly, so a share of the time is that share of the bytes.
        const takenBytes = (takenSamples / (seconds * RATE_HZ)) * fileBytes;
        inFlightBytesMax = Math.max(inFlightBytesMax, givenBytes - takenBytes);
      }
      expect(takenSamples).toBe(seconds * RATE_HZ);
      expect(inFlightBytesMax).toBeGreaterThan(0);
      expect(inFlightBytesMax).toBeLessThan(limitBytes);
    },
  );
});
