import { describe, expect, it } from 'vitest';
import { parseRawFormat } from '../../src/audio/raw-format.js';

describe('parseRawFormat', () => {
  it.each([
    ['s16le:16000:1', { encoding: 's16le', sampleRateHz: 16_000, channels: 1 }],
    ['mulaw:8000', { encoding: 'mulaw', sampleRateHz: 8_000, channels: 1 }],
    ['f32le:48000:2', { encoding: 'f32le', sampleRateHz: 48_000, channels: 2 }],
    ['alaw', { encoding: 'alaw', sampleRateHz: 16_000, channels: 1 }],
  ])('reads %s', (text, expected) => {
    expect(parseRawFormat(text, '--raw-format')).toEqual(expected);
  });

  it.each([
    '',
    's12le',
    's16le:x',
    's16le:1:1',
    's16le:16000:0',
    's16le:16000:65',
    's16le:16000:1:1',
    's16le::1',
  ])('refuses %j and says what it wants', (text) => {
    expect(() => parseRawFormat(text, '--raw-format')).toThrow('--raw-format must be ENCODING:RATE:CHANNELS');
  });
});
