/** What people write: addresses, flags, variables, names of models, places in S3. Their mistakes get a sentence too. */

import { EngineError } from '@kikitori/engine';
import { AudioError } from '../../../packages/audio/src/errors.js';
import { checkRawFormat, rawFormatOfName } from '../../../packages/audio/src/file/raw-format.js';
import { BridgeError } from '../../../packages/bridge/src/errors.js';
import { parseBridgeSettings } from '../../../packages/bridge/src/settings.js';
import { parseRawFormat } from '../../../packages/cli/src/audio/raw-format.js';
import { CliError } from '../../../packages/cli/src/errors.js';
import { ClientError } from '../../../packages/client/src/errors.js';
import { modelsUrl, realtimeUrl } from '../../../packages/client/src/urls.js';
import { parseS3Uri } from '../../../packages/deploy/src/artefacts/s3-location.js';
import { DeployError } from '../../../packages/deploy/src/errors.js';
import { hubNameOf } from '../../../packages/engine-local/src/store/hub-listing.js';
import { folderName } from '../../../packages/engine-local/src/store/location.js';
import { mutatedText } from '../mutation.js';
import type { Random } from '../random.js';
import { answerOf, type FuzzTarget, insist, pure } from '../target.js';

const FLAGS = [
  ['--port', '8080'],
  ['--host', '127.0.0.1'],
  ['--upstream', 'ws://127.0.0.1:8081/v1/realtime'],
  ['--paths', '/a=/b,/c'],
  ['--drain-seconds', '25'],
  ['--log-level', 'info'],
  ['--exec-arguments', 'vllm'],
  ['--emf'],
  ['serve'],
  ['--exec', '--', 'python3', '-m', 'x'],
] as const;

const VARIABLES = {
  KIKITORI_BRIDGE_EXEC: '["vllm","serve"]',
  KIKITORI_BRIDGE_PORT: '8080',
  KIKITORI_BRIDGE_PATHS: '/a=/b',
  PROCESS_AUTO_RECOVERY: 'true',
  PROCESS_MAX_START_RETRIES: '3',
  SM_VLLM_MAX_MODEL_LEN: '4096',
  SM_VLLM_ALLOWED_ORIGINS: '["*"]',
  SM_VLLM_ENFORCE_EAGER: '',
};

function bridge(random: Random): void {
  const maybe = (text: string): string => (random.chance(0.3) ? mutatedText(text, random) : text);
  const argv = FLAGS.filter(() => random.chance(0.2)).flatMap((words) => words.map(maybe));
  const env = Object.fromEntries(
    Object.entries(VARIABLES)
      .filter(() => random.chance(0.3))
      .map(([name, value]) => [maybe(name), maybe(value)]),
  );
  const settings = answerOf(() => parseBridgeSettings(argv, env), BridgeError);
  if (settings instanceof Error) return;
  insist(settings.port >= 0 && settings.port <= 65_535, 'A port is none.');
}

function addresses(random: Random): void {
  const url = mutatedText(random.pick(['ws://localhost:8000', 'https://[::1]/v1/realtime?x=1#y']), random);
  answerOf(() => realtimeUrl({ url }), ClientError);
  answerOf(() => modelsUrl(url), ClientError);
  const place = answerOf(() => parseS3Uri(mutatedText('s3://bucket-1/some/prefix/', random)), DeployError);
  insist(place instanceof Error || !/(^|\/)\.\.?(\/|$)/.test(place.prefix), 'A place in S3 leads elsewhere.');
}

function names(random: Random): void {
  const name = mutatedText(random.pick(['hf:owner/name@main', 'hf:owner/name', 'tiny', '../base']), random);
  const hub = answerOf(() => hubNameOf(name), EngineError);
  insist(
    hub instanceof Error || hub === undefined || hub.revision?.includes('..') !== true,
    'A revision leads elsewhere.',
  );
  if (hub !== undefined && !(hub instanceof Error)) {
    insist(!/[/\\]|^\.\.?$/.test(folderName(name)), 'A folder of a model leads elsewhere.');
  }
  const format = answerOf(() => parseRawFormat(mutatedText('s16le:16000:1', random), '--raw'), CliError);
  if (!(format instanceof Error)) answerOf(() => checkRawFormat(format), AudioError);
  rawFormatOfName(mutatedText('call.s16le', random));
}

export const SETTINGS_TARGETS: readonly FuzzTarget[] = [
  { name: 'bridge-settings', attacks: 5_000, open: pure(bridge) },
  { name: 'addresses', attacks: 5_000, open: pure(addresses) },
  { name: 'names', attacks: 10_000, open: pure(names) },
];
