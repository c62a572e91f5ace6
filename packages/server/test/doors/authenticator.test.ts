import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../src/doors/authenticator.js';
import { credentialOf } from '../../src/doors/credentials.js';
import { digestOf, fixedKeys, type KnownKey } from '../../src/doors/keys.js';

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const offering = (...protocols: string[]) => ({ authorization: undefined, protocols });
const asking = (query: string) => ({ authorization: undefined, query });

function guarded() {
  let nowS = 1_000;
  let keys: readonly KnownKey[] = [{ name: 'page', digest: digestOf('sesame') }];
  const source = {
    get keys() {
      return keys;
    },
  };
  const authenticator = new Authenticator([source], () => nowS);
  return {
    authenticator,
    become: (...next: readonly KnownKey[]) => {
      keys = next;
    },
    pass: (seconds: number) => {
      nowS += seconds;
    },
    token: (lifeS = 60) => {
      const [key] = keys;
      if (key === undefined) throw new Error('no key');
      return authenticator.mint(key, lifeS).value;
    },
  };
}

describe('keys', () => {
  it('any of them opens, and nothing near them', () => {
    const authenticator = new Authenticator([fixedKeys(['secret', 'Ünïcode'])], () => 0);
    expect(authenticator.isGuarded).toBe(true);
    for (const authorization of [
      'Bearer secret',
      'bearer secret',
      'Bearer Ünïcode',
      'Token secret',
      'secret',
    ]) {
      expect(authenticator.identify(credentialOf({ authorization })), authorization).toMatchObject({
        isToken: false,
      });
    }
    for (const authorization of [
      undefined,
      '',
      'secre',
      'secret secret',
      'Token',
      'Bearer',
      'Bearer ',
      'Bearer secret ',
      'Bearer Secret',
      'Basic secret',
    ]) {
      expect(authenticator.identify(credentialOf({ authorization })), authorization).toBeUndefined();
    }
  });

  it('without a source everybody may enter; a source without keys lets nobody in; no key is empty', () => {
    const open = new Authenticator([], () => 0);
    expect([open.isGuarded, open.identify(credentialOf({ authorization: undefined }))?.key]).toEqual([
      false,
      undefined,
    ]);
    const shut = new Authenticator([{ keys: [] }], () => 0);
    expect([shut.isGuarded, shut.identify(credentialOf(bearer('x')))]).toEqual([true, undefined]);
    expect(() => fixedKeys(['good', ''])).toThrow(/must not be empty/);
  });

  it('may be carried in a subprotocol, as browsers must, and never in an address', () => {
    const { authenticator } = guarded();
    expect(
      authenticator.identify(credentialOf(offering('realtime', 'openai-insecure-api-key.sesame'))),
    ).toMatchObject({
      key: { name: 'page' },
    });
    expect(
      authenticator.identify(credentialOf(offering('realtime', 'openai-insecure-api-key.other'))),
    ).toBeUndefined();
    expect(authenticator.identify(credentialOf(asking('token=sesame')))).toBeUndefined();
  });
});

it('looks at one key for each request, however many there are', () => {
  let looked = 0;
  const keys = Array.from({ length: 10_000 }, (_, i) => {
    const digest = digestOf(`key ${i}`);
    const key = { name: `${i}` };
    return Object.defineProperty(key, 'digest', { get: () => ++looked && digest }) as KnownKey;
  });
  const authenticator = new Authenticator(
    [{ keys: keys.slice(0, 5_000) }, { keys: keys.slice(5_000) }],
    () => 0,
  );
  const lookedFor = (text: string) => {
    looked = 0;
    return [authenticator.identify(credentialOf(bearer(text)))?.key?.name, looked <= 1];
  };
  const [first, last] = [keys[0], keys[9_999]];
  if (first === undefined || last === undefined) throw new Error('no keys');
  const tokens = [first, last].map((key) => authenticator.mint(key, 60).value);
  authenticator.identify(credentialOf(bearer('the first request fills the table')));
  expect(['key 0', 'key 9999', 'no key', 'ek_', ...tokens].map(lookedFor)).toEqual(
    ['0', '9999', undefined, undefined, '0', '9999'].map((name) => [name, true]),
  );
});

describe('tokens', () => {
  it('open in every carriage until they are too old, in the name of their key', () => {
    const { authenticator, token, pass } = guarded();
    const value = token(60);
    expect(value).toMatch(/^ek_[A-Za-z0-9_-]{64}$/);
    const carriers = [
      bearer(value),
      offering(`openai-insecure-api-key.${value}`),
      asking(`a=b&token=${value}`),
    ];
    for (const carrier of carriers) {
      expect(authenticator.identify(credentialOf(carrier))).toMatchObject({
        key: { name: 'page' },
        isToken: true,
      });
    }
    pass(59);
    expect(authenticator.identify(credentialOf(bearer(value)))).toBeDefined();
    pass(1);
    for (const carrier of carriers) expect(authenticator.identify(credentialOf(carrier))).toBeUndefined();
  });

  it('are gone with their key, and worth nothing at another server', () => {
    const { authenticator, become, token } = guarded();
    const value = token();
    const other = { name: 'other', digest: digestOf('other') };
    expect(guarded().authenticator.identify(credentialOf(bearer(value)))).toBeUndefined();
    become(other, { name: 'renamed', digest: digestOf('sesame') });
    expect(authenticator.identify(credentialOf(bearer(value)))).toMatchObject({ key: { name: 'renamed' } });
    become(other);
    expect(authenticator.identify(credentialOf(bearer(value)))).toBeUndefined();
    expect(authenticator.identify(credentialOf(bearer('sesame')))).toBeUndefined();
    expect(authenticator.identify(credentialOf(bearer('other')))).toMatchObject({ key: other });
  });

  it('are refused with any bit of them changed, and in any other length', () => {
    const { authenticator, token } = guarded();
    const value = token();
    const bytes = Buffer.from(value.slice(3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(
        authenticator.identify(credentialOf(bearer(`ek_${broken.toString('base64url')}`))),
        `bit ${bit}`,
      ).toBeUndefined();
    }
    for (const other of ['ek_', value.slice(0, -1), `${value}A`, value.slice(3)]) {
      expect(authenticator.identify(credentialOf(bearer(other)))).toBeUndefined();
    }
  });
});
