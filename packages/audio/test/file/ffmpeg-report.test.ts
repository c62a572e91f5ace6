import { expect, it } from 'vitest';
import { FfmpegReport } from '../../src/file/ffmpeg-report.js';

function reportOf(...pieces: string[]): FfmpegReport {
  const report = new FfmpegReport();
  for (const piece of pieces) report.add(piece);
  return report;
}

it('reads the length, which no tag can feign', () => {
  const text = [
    "[info] Input #0, mp3, from 'pipe:0':",
    '[info]   Metadata:',
    '[info]     title           : x',
    '[info]                     :   Duration: 99:00:00.00, start',
    '[info]     Duration: 98:00:00.00, a name that is long: x',
    '[info]     a name',
    '  Duration: 97:00:00.00, of two lines: x',
    '[info]   Duration: 01:02:03.50, start: 0.000000, bitrate: 64 kb/s',
  ].join('\n');
  expect(reportOf(text).durationMs).toBe(3_723_500);
  expect(reportOf('[info]   Duration: N/A, bitrate: N/A').durationMs).toBeUndefined();
});

it('hears complaints that arrive in two pieces', () => {
  expect(reportOf('[mp3float @ 0x1] [err', 'or] Header missing').hasErrors).toBe(true);
  expect(reportOf('[warning] x', '[info] y').hasErrors).toBe(false);
});

it.each([
  [
    'tags between files of MP3',
    '[mp3float @ 0x1] [error] Header missing\n[error] Error while decoding stream #0:0: x\n',
    false,
  ],
  [
    'the same in newer words',
    '[mp3float @ 0x1] [error] Header missing\n[aist#0:0/mp3 @ 0x2] [error] Error submitting packet to decoder: x\n',
    false,
  ],
  ['a stream of Ogg behind another', '[ogg @ 0x1] [error] failed to create or replace stream\n', false],
  ['a picture', '[h264 @ 0x1] [error] no frame!\n', false],
  ['a packet that cannot be decoded', '[error] Error while decoding stream #0:0: x\n', true],
  ['a frame of MP3', '[mp3float @ 0x1] [error] big_values too big\n', true],
  ['a page of Ogg, at the end', '[ogg @ 0x1] [error] CRC mismatch!', true],
])('tells complaints of the sound from others: %s', (_, said, isDamage) => {
  for (const pieces of [[said], [...said]]) {
    const report = reportOf(...pieces);
    expect([report.hasErrors, report.hasDamage]).toEqual([true, isDamage]);
  }
});

it('reads what the clock shows at the beginning, and how many tracks have sound', () => {
  const text = [
    '[info]   Duration: 00:00:18.00, start: 1.400000, bitrate: 67 kb/s',
    '[info]     title : x\n[info]   Stream #0:0[0x100]: Video: h264',
    '[info]   Stream #0:1[0x101](eng): Audio: aac (LC), 16000 Hz',
    '[info]   Stream #0:2: Audio: ac3, 48000 Hz',
  ].join('\n');
  expect([reportOf(text).startMs, reportOf(text).isInputKnown]).toEqual([1_400, false]);
  const whole = reportOf(text, '\n[info] Stream mapping:\n[info]   Stream #0:0: Audio: pcm_f32le');
  expect([whole.audioTracks, whole.isInputKnown]).toEqual([2, true]);
});

it('does not count that a clock goes back, which is said of each piece', () => {
  const line =
    '[matroska @ 0x1] [warning] Non-monotonous DTS in output stream 0:0; previous: 5, current: 4\n';
  expect(reportOf(line.repeat(100)).repeatedChars).toBe((line.length - 1) * 100);
});

it('knows scrambled audio', () => {
  const report = reportOf(
    '[info]   Stream #0:0[0x1](und): Audio: aac (LC) (enca / 0x61636E65), 16000 Hz, mono',
  );
  expect(report.isEncrypted).toBe(true);
  expect(report.toError(0).code).toBe('file_encrypted');
});

it.each([
  ["[fatal] Stream map '0:a:0' matches no streams.", 'no_audio_track'],
  ['[error] Output file #0 does not contain any stream', 'no_audio_track'],
  ['[error] Decoder (codec none) not found for input stream #0:0', 'decoder_missing'],
  ["[fatal] Unknown input format: 'tta'", 'decoder_missing'],
  ['[error] moov atom not found', 'decode_failed'],
  ['[error] pipe:0: Invalid data found when processing input', 'decode_failed'],
  ['', 'decode_failed'],
])('makes our error of %s', (said, code) => {
  const error = reportOf(said).toError(1);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(/\.$/);
});

it('finds the reason at the end of a long talk, and holds a bounded part of it', () => {
  const report = new FfmpegReport();
  for (let index = 0; index < 2_000; index += 1)
    report.add('[warning] once more unto the breach\n'.repeat(100));
  report.add("[fatal] Stream map '0:a:0' matches no streams.");
  expect(report.toError(1).code).toBe('no_audio_track');
  report.add('[warning] once more unto the breach\n'.repeat(300));
  expect(report.toError(1).code).toBe('decode_failed');
});
