import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeBase64 } from '../src/base64.js';
import { decodeBase64, decodeBase64Leniently } from '../src/base64-decoder.js';

/** `[text, hexadecimal bytes or null for an error]`, as CPython 3.11's `base64.b64decode(text)` answers. */
const python: [string, string | null][] = JSON.parse(
  readFileSync(new URL('./vectors/base64-python.json', import.meta.url), 'utf8'),
);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const attempt = (decode: (text: string) => Uint8Array, text: string): string | null => {
  try {
    return hex(decode(text));
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_base64' });
    return null;
  }
};

/** Node 20 has no `Uint8Array.fromBase64`; this stands for it as the standard describes it, also in skipping spaces. */
function fromBase64(text: string): Uint8Array {
  const compact = text.replaceAll(/[\t\n\f\r ]/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0)
    throw new SyntaxError('not base64');
  return Uint8Array.from(Buffer.from(compact, 'base64'));
}

const platforms: Record<string, () => void> = {
  'with the Buffer of Node': () => undefined,
  'with the coder of the language': () => {
    const nodeBuffer = Buffer;
    vi.stubGlobal('Buffer', undefined);
    Object.defineProperty(Uint8Array, 'fromBase64', {
      configurable: true,
      value: (text: string) => {
        vi.stubGlobal('Buffer', nodeBuffer);
        try {
          return fromBase64(text);
        } finally {
          vi.stubGlobal('Buffer', undefined);
        }
      },
    });
  },
  'with nothing but our own': () => vi.stubGlobal('Buffer', undefined),
};

/** Runs with a platform's globals and puts them back before anything is compared. */
function on<T>(setUp: () => void, run: () => T): T {
  setUp();
  try {
    return run();
  } finally {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(Uint8Array, 'fromBase64');
  }
}

afterEach(() => vi.unstubAllGlobals());

describe.each(Object.entries(platforms))('base64 %s', (_, setUp) => {
  const encode = (bytes: Uint8Array) => on(setUp, () => encodeBase64(bytes));
  const strict = (text: string) => on(setUp, () => decodeBase64(text));
  const lenient = (text: string) => on(setUp, () => decodeBase64Leniently(text));

  it('encodes the vectors of RFC 4648', () => {
    const vectors = {
      '': '',
      f: 'Zg==',
      fo: 'Zm8=',
      foo: 'Zm9v',
      foob: 'Zm9vYg==',
      fooba: 'Zm9vYmE=',
      foobar: 'Zm9vYmFy',
    };
    for (const [text, base64] of Object.entries(vectors)) {
      const bytes = new TextEncoder().encode(text);
      expect(encode(bytes)).toBe(base64);
      expect(hex(strict(base64))).toBe(hex(bytes));
    }
  });

  it('decodes what it encodes, also of a part of a larger memory and across its inner piece length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(3), (bytes, offset) => {
        const part = bytes.subarray(Math.min(offset, bytes.length));
        expect(hex(strict(encode(part)))).toBe(hex(part));
        expect(hex(lenient(encode(part)))).toBe(hex(part));
      }),
    );
    const long = Uint8Array.from({ length: 20_001 }, (_, i) => (i * 31) % 256);
    expect(encode(long)).toBe(Buffer.from(long).toString('base64'));
    expect(hex(strict(encode(long)))).toBe(hex(long));
  });

  it('takes strictly nothing but canonical text', () => {
    const refused = [
      'A',
      'AA',
      'AAA',
      'AA=',
      'A===',
      '====',
      'AAA_',
      'AAA-',
      'AAA ',
      'AA\nA',
      ' AAA',
      'AB==',
      'AAB=',
    ];
    for (const text of [...refused, 'AA==AAAA', '=AAA', 'A=AA', 'AAA\u0141', 'AAA\u00c1', 'AAAAAAA\0']) {
      expect([text, attempt(strict, text)]).toEqual([text, null]);
    }
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'AQgw9+/=-_ \n\u0141\u00c1é'), maxLength: 12 }),
        (text) => {
          const result = attempt(strict, text);
          const isCanonical =
            Buffer.from(text, 'base64').toString('base64') === text && !/[^\x20-\x7e]/.test(text);
          expect(result !== null).toBe(isCanonical);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes leniently what Python takes, and to the same bytes', () => {
    expect(python.length).toBeGreaterThan(150);
    for (const [text, bytes] of python) expect([text, attempt(lenient, text)]).toEqual([text, bytes]);
  });
});

describe('decoded base64', () => {
  it('stands in memory of its own, so that 16-bit samples can be read in place', () => {
    const bytes = decodeBase64('AAABAP//');
    expect([bytes.byteOffset, bytes.buffer.byteLength, bytes.constructor]).toEqual([0, 6, Uint8Array]);
  });
});
