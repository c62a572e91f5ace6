/** What is shown at the door: keys and tokens in each carriage, origins, and the file that keys stand in. */
import { Authenticator } from '../../../packages/server/src/doors/authenticator.js';
import { credentialOf } from '../../../packages/server/src/doors/credentials.js';
import { formatKey, parseKeyFile } from '../../../packages/server/src/doors/key-file.js';
import { digestOf, fixedKeys } from '../../../packages/server/src/doors/keys.js';
import { ServerError } from '../../../packages/server/src/errors.js';
import { AllowedOrigins } from '../../../packages/transport/src/doors/allowed-origins.js';
import { judgeOrigin, originPolicy } from '../../../packages/transport/src/doors/origins.js';
import { TransportError } from '../../../packages/transport/src/errors.js';
import { mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzTarget, insist, pure } from '../target.js';

const KEY = 'kk_0123456789abcdef0123456789abcdef';
const NOW_S = 1_760_000_000;
const FILE = [
  '# ours',
  formatKey({ name: 'a', digest: digestOf('a') }),
  formatKey({ name: 'b-1', digest: digestOf('b') }),
];

function keyFile(random: Random): void {
  const keys = answerOf(() => parseKeyFile(mutatedText(FILE.join('\n'), random)), ServerError);
  if (keys instanceof Error) {
    insist(!/[0-9a-f]{8}/.test(keys.message), 'A message repeats a key.');
    return;
  }
  insist(
    keys.every(({ digest }) => digest.length === 32),
    'A key is cut.',
  );
  const again = parseKeyFile(keys.map(formatKey).join(''));
  insist(
    again.map(formatKey).join('') === keys.map(formatKey).join(''),
    'Keys that were read are not those written.',
  );
}

function credentials(random: Random): void {
  const authenticator = new Authenticator([fixedKeys([KEY])], () => NOW_S);
  const caller = authenticator.identify(credentialOf({ authorization: `Bearer ${KEY}` }));
  if (caller?.key === undefined) throw new Error('The key itself is refused.');
  const { value } = authenticator.mint(caller.key, 60);
  const shown = random.pick([KEY, value]);
  const wrong = mutatedText(shown, random);
  const carriers = [
    { authorization: `Bearer ${wrong}` },
    { authorization: mutatedText(`Bearer ${shown.slice(0, -1)}`, random) },
    { authorization: undefined, protocols: ['realtime', `openai-insecure-api-key.${wrong}`] },
    { authorization: undefined, query: mutatedText(`token=${encodeURIComponent(wrong)}&model=x`, random) },
  ];
  for (const carrier of carriers) {
    // What was changed may have become the credential again.
    const credential = credentialOf(carrier);
    insist(
      credential?.text === shown || authenticator.identify(credential) === undefined,
      'Something else than the credential opens the door.',
    );
  }
}

function origins(random: Random): void {
  const allowed = 'https://example.com';
  const rules = { allowedOrigins: [allowed], isGuarded: false };
  const policy = originPolicy({ ...rules, isLoopback: true });
  const origin = mutatedText('https://attacker.test', random);
  const verdict = judgeOrigin({ origin, host: 'localhost:8000' }, policy);
  const isOurs =
    URL.canParse(origin) && /^(localhost|127\..*|\[::1\]|\[::ffff:7f.*)$/.test(new URL(origin).hostname);
  insist(verdict !== 'ok' || isOurs || origin.toLowerCase() === allowed, 'A foreign origin is let in.');
  answerOf(() => new AllowedOrigins([mutatedText('https://*.example.com', random)]), TransportError);
  const below = mutatedText('https://a.example.com', random);
  const isBelow = URL.canParse(below) && /^https:\/\/[^/]+\.example\.com\.?$/.test(new URL(below).origin);
  insist(isBelow || !new AllowedOrigins(['https://*.example.com']).has(below), 'A star lets in too much.');
  judgeOrigin({ origin: undefined, host: mutatedText('[::1]:8000', random) }, policy);
  const host = mutatedText('evil.example:8000', random);
  const led = judgeOrigin({ origin: `http://${host}`, host }, originPolicy({ ...rules, isLoopback: false }));
  insist(led !== 'ok' || !/^[a-z]+\.example(:\d+)?$/.test(host), 'A name of the internet is let in.');
}

export const DOOR_TARGETS: readonly FuzzTarget[] = [
  { name: 'key-file', attacks: 3_000, open: pure(keyFile) },
  { name: 'credentials', attacks: 3_000, open: pure(credentials) },
  { name: 'origins', attacks: 5_000, open: pure(origins) },
];
