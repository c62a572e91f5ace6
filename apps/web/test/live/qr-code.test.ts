import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { qrCode } from '../../src/live/qr/qr-code.js';

const digest = (text: string): string =>
  createHash('sha256')
    .update((qrCode(text) ?? []).join('\n'))
    .digest('hex')
    .slice(0, 16);

describe('a QR code', () => {
  // What jsQR (1.4.0) has read back as the text, with every mask, is held fast here.
  it('is what an independent reader has read', () => {
    expect(qrCode('A')?.map((row) => row.replaceAll('1', '█').replaceAll('0', '·'))).toEqual([
      '███████·█··█··███████',
      '█·····█·█████·█·····█',
      '█·███·█···█·█·█·███·█',
      '█·███·█·██·██·█·███·█',
      '█·███·█··███··█·███·█',
      '█·····█··█·██·█·····█',
      '███████·█·█·█·███████',
      '········██·██········',
      '█·██·███··███·█··█·██',
      '·█·██··█·█·████··█···',
      '██··███·██·█·····██·█',
      '█·██·█·····█··█████··',
      '█··████··█··█··█··█··',
      '········█·██··█··█··█',
      '███████·█··██··█·█···',
      '█·····█·██·····██·██·',
      '█·███·█··██·█████···█',
      '█·███·█·████··██████·',
      '█·███·█·█·█·█·██·····',
      '█·····█···█··█·█··█·█',
      '███████·█····█··█····',
    ]);
  });

  it.each([
    [
      'a link of a room',
      `http://192.168.100.200:8000/captions#k=${'Zy-9'.repeat(10)}abc`,
      '6266126566bdb3b7',
    ],
    [
      'a long name',
      `https://captions.example/kikitori/${'x'.repeat(100)}#k=${'A'.repeat(43)}`,
      '8f0e527ee9c278db',
    ],
    ['more than one byte a character', '聞き取り'.repeat(30), '774a39d4537c2464'],
    ['as much as it holds', 'z'.repeat(412), '747bb67d369ee916'],
  ])('of %s is, too', (_name, text, expected) => {
    expect(digest(text)).toBe(expected);
  });

  it('is square, and not there for what is too long', () => {
    for (let length = 1; length <= 412; length += 29) {
      const rows = qrCode('x'.repeat(length)) ?? [];
      expect([(rows.length - 17) % 4, new Set(rows.map((row) => row.length))]).toEqual([
        0,
        new Set([rows.length]),
      ]);
    }
    expect(qrCode('x'.repeat(413))).toBeUndefined();
  });
});
