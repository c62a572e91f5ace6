import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openByteSource } from '../../src/file/byte-source.js';
import { openFfmpeg } from '../../src/file/ffmpeg-decoder.js';
import { decodeFile } from '../../src/file/index.js';
import { formatsFolder, hasFfmpeg, hasFormats, hear } from './decoding.js';
import { ffmpegBlockHead, ffmpegHeader } from './ffmpeg-writes.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kikitori-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three frames of MPEG-2 layer III, 16 kHz, 32 kbit/s: enough to be taken for MP3. */
function mp3Bytes(): Uint8Array {
  const frame = new Uint8Array(144);
  frame.set([0xff, 0xf3, 0x48, 0xc4]);
  return Buffer.concat([frame, frame, frame, frame]);
}

function mp3File(name = 'sound.mp3'): string {
  const path = join(folder, name);
  writeFileSync(path, mp3Bytes());
  return path;
}

/** A program in ffmpeg's place. It writes its id and its arguments next to itself, then runs `body`. */
function standIn(name: string, body: string): { path: string; pid: () => number; args: () => string[] } {
  const path = join(folder, name);
  const note = `${path}.json`;
  writeFileSync(
    path,
    `#!${process.execPath}
    const fs = require('node:fs');
    const note = ${JSON.stringify(note)};
    fs.writeFileSync(note + '.new', JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }));
    fs.renameSync(note + '.new', note);
    const header = Buffer.from('${ffmpegHeader.toString('hex')}', 'hex');
    const sound = (bytes) => {
      const head = Buffer.from('${ffmpegBlockHead.toString('hex')}', 'hex');
      head.writeUInt32BE(head.readUInt32BE(1) + bytes, 1);
      return Buffer.concat([head, Buffer.alloc(bytes)]);
    };
    ${body}`,
  );
  chmodSync(path, 0o755);
  const noted = (): { pid: number; args: string[] } => JSON.parse(readFileSync(note, 'utf8'));
  return { path, pid: () => noted().pid, args: () => noted().args };
}

/** Writes sound for ever, as fast as it is taken, and keeps count of it in a file. */
const ENDLESS = `
  process.stdout.write(header);
  const block = sound(16384);
  let written = 0;
  (function more() {
    while (process.stdout.write(block)) written += block.length;
    written += block.length;
    fs.writeFileSync(__filename + '.count', String(written));
    process.stdout.once('drain', more);
  })();`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('the child process', () => {
  it('is gone once the loop is left', async () => {
    const program = standIn('endless', ENDLESS);
    for await (const chunk of await decodeFile(mp3File(), { ffmpeg: program.path })) {
      expect(chunk.length).toBeGreaterThan(0);
      expect(isAlive(program.pid())).toBe(true);
      break;
    }
    expect(isAlive(program.pid())).toBe(false);
  });

  it('is gone after close() where nobody loops', async () => {
    const program = standIn('unheard', ENDLESS);
    const file = await decodeFile(mp3File(), { ffmpeg: program.path });
    await file.close();
    await file.close();
    expect(isAlive(program.pid())).toBe(false);
  });

  it('is gone once the signal aborts, and the loop throws its reason', async () => {
    const program = standIn('aborted', ENDLESS);
    const controller = new AbortController();
    const file = await decodeFile(mp3File(), { ffmpeg: program.path, signal: controller.signal });
    const loop = async (): Promise<void> => {
      for await (const _ of file) controller.abort(new Error('enough'));
    };
    await expect(loop()).rejects.toThrow('enough');
    expect(isAlive(program.pid())).toBe(false);
  });

  it('is gone when the signal aborts before any sound came', async () => {
    const program = standIn('silent', `setInterval(() => {}, 1000);`);
    const controller = new AbortController();
    const opening = decodeFile(mp3File(), { ffmpeg: program.path, signal: controller.signal });
    while (!existsSync(`${program.path}.json`)) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    expect(isAlive(program.pid())).toBe(false);
  });

  it('is ended where it answers nothing', async () => {
    const program = standIn('stalled', `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);`);
    const opening = decodeFile(mp3File(), { ffmpeg: program.path, stallTimeoutMs: 300 });
    await expect(opening).rejects.toMatchObject({ code: 'decoder_stalled' });
  });

  it('is held back by a loop that takes nothing more', async () => {
    const program = standIn('paused', ENDLESS);
    const file = await decodeFile(mp3File(), { ffmpeg: program.path });
    let takenBytes = 0;
    for await (const chunk of file) {
      takenBytes += chunk.length * 4;
      if (takenBytes >= 4_000_000) break;
    }
    // The pipe, Node's buffers on both of its ends, and one piece in our hands.
    const writtenBytes = Number(readFileSync(`${program.path}.count`, 'utf8'));
    expect(writtenBytes - takenBytes).toBeLessThan(1_000_000);
  });

  it('reads only the file, as the format that we found, by an absolute path', async () => {
    const program = standIn('asked', `process.stdout.write(header); process.stdout.write(sound(64));`);
    await hear(mp3File(), { ffmpeg: program.path });
    const args = program.args().join(' ');
    expect(args).toContain(`-protocol_whitelist file -f mp3 -i file:${join(folder, 'sound.mp3')} -map 0:a:0`);
  });

  it('reads only its stdin where the source is a stream', async () => {
    const program = standIn(
      'fed',
      `process.stdin.resume(); process.stdin.on('end', () => {
      process.stdout.write(header); process.stdout.write(sound(64)); });`,
    );
    const { samples } = await hear(mp3Bytes(), { ffmpeg: program.path });
    expect(samples.length).toBe(16);
    expect(program.args().join(' ')).toContain('-protocol_whitelist pipe -f mp3 -i pipe:0 -map 0:a:0');
  });

  it('that takes no more bytes ends the feeding and not the decoding', async () => {
    const program = standIn(
      'full',
      `process.stdin.destroy(); process.stdout.write(header);
      process.stdout.write(sound(64000));`,
    );
    const { samples } = await hear(Buffer.concat([mp3Bytes(), new Uint8Array(4_000_000)]), {
      ffmpeg: program.path,
    });
    expect(samples.length).toBe(16_000);
  });

  it('that talks without end fails with a sentence of ours', async () => {
    const program = standIn(
      'talker',
      `
      const line = '[error] the secret tag of the file\\n'.repeat(1000);
      for (let i = 0; i < 100; i += 1) fs.writeSync(2, line);
      process.exitCode = 1;`,
    );
    // AMR: nothing but ffmpeg reads it, so there is no second opinion.
    const failure = await hear(Buffer.from('#!AMR\n'), { ffmpeg: program.path }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'decode_failed' });
    expect(String(failure)).not.toContain('secret');
  });

  it('that dies half-way gives what it gave, and the file counts as damaged', async () => {
    const program = standIn(
      'dying',
      `process.stdout.write(header);
      process.stdout.write(sound(64000), () => process.exit(1));`,
    );
    const { file, samples } = await hear(mp3File(), { ffmpeg: program.path });
    expect(samples.length).toBe(16_000);
    expect(file.isDamaged).toBe(true);
  });

  it('that is not there fails with a sentence that says what to check', async () => {
    const opening = decodeFile(mp3File(), { ffmpeg: join(folder, 'nowhere') });
    await expect(opening).rejects.toMatchObject({ code: 'ffmpeg_unusable' });
  });

  it('gives no more than the caller allows', async () => {
    const program = standIn('day', ENDLESS);
    const loop = async (): Promise<void> => {
      const file = await decodeFile(mp3File(), { ffmpeg: program.path, maxDurationMs: 5_000 });
      let samples = 0;
      for await (const chunk of file) {
        samples += chunk.length;
        expect(samples).toBeLessThanOrEqual(80_000);
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: 'too_large' });
    expect(isAlive(program.pid())).toBe(false);
  });

  it('hears of a source that fails', async () => {
    async function* failing(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.concat([mp3Bytes(), new Uint8Array(100_000)]);
      throw new Error('the line broke');
    }
    const program = standIn(
      'starved',
      `process.stdin.resume(); process.stdin.on('end', () => {
      process.stdout.write(header); process.stdout.write(sound(64)); });`,
    );
    await expect(hear(failing(), { ffmpeg: program.path })).rejects.toThrow('the line broke');
  });
});

describe.skipIf(!hasFfmpeg)('ffmpeg and hostile files', () => {
  const playlist = (url: string): string =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n${url}\n#EXT-X-ENDLIST\n`;

  it('opens no address that a file names, even where the sniffer is passed by', async () => {
    let visits = 0;
    const server = createServer((_, response) => {
      visits += 1;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const path = join(folder, 'list.mp3');
    writeFileSync(path, playlist(`http://127.0.0.1:${port}/sound.ts`));
    await expect(decodeFile(path)).rejects.toMatchObject({ code: 'not_audio' });
    const signal = new AbortController().signal;
    const limits = {
      program: 'ffmpeg',
      stallTimeoutMs: 20_000,
      maxDurationMs: 60_000,
      maxSamples: 1e9,
      signal,
    };
    for (const demuxer of ['mp3', 'hls']) {
      const source = await openByteSource(path, signal);
      await expect(openFfmpeg(source, { ...limits, demuxer })).rejects.toMatchObject({
        code: 'decode_failed',
      });
      await source.close();
    }
    server.close();
    expect(visits).toBe(0);
  });

  it.each([
    ['a playlist', playlist('other.wav')],
    ['a playlist behind a byte order mark', `\ufeff${playlist('file:///etc/hostname')}`],
    ['a concat script', "ffconcat version 1.0\nfile 'other.wav'\n"],
    ['a DASH manifest', '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>'],
    ['a session description', 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n'],
  ])('does not follow %s to another file', async (_, content) => {
    const path = join(folder, 'list.wav');
    writeFileSync(path, content);
    await expect(decodeFile(path)).rejects.toMatchObject({ code: 'not_audio' });
  });

  it.skipIf(!hasFormats)('says that scrambled audio is copy-protected', async () => {
    const bytes = readFileSync(`${formatsFolder}ok/m4a-aac-faststart.m4a`);
    bytes.write('enca', bytes.indexOf('mp4a', bytes.indexOf('stsd')), 'latin1');
    await expect(decodeFile(bytes)).rejects.toMatchObject({ code: 'file_encrypted' });
  });

  it.each(['-y.mp3', 'http:host.mp3', 'concat:a|b.mp3'])('takes the name %s for a name', async (name) => {
    const { file } = await hear(mp3File(name));
    expect(file.decoder).toBe('ffmpeg');
  });
});
