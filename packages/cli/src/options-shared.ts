/** Flags that several commands share: one meaning, one bound, one text. */

import type { PaceRate } from '@kikitori/client';
import { DELAY_MS_MAX } from '@kikitori/protocol';
import { languageProblem } from '@kikitori/protocol/languages';
import { CliError } from './errors.js';
import { integer, parsed, text } from './options.js';

/** `--model`: for the embedded engine. */
export const modelOption = text({
  flags: '--model <model>',
  description: 'tiny, base, hf:owner/name, or a folder with a Moonshine export (with --url: a served name)',
  fallback: undefined,
});

/** `--port`: where the server listens. */
export const portOption = integer({
  flags: '--port <number>',
  description: 'port to listen on; 0 takes any free one',
  min: 0,
  max: 65_535,
  fallback: 8000,
});

/** `--threads`: processor threads of the embedded engine. */
export const threadsOption = integer({
  flags: '--threads <number>',
  description: 'processor threads for the embedded engine (default: chosen by the machine)',
  min: 1,
  max: 256,
  fallback: undefined,
});

/** `--delay-ms`: accuracy for patience. */
export const delayOption = integer({
  flags: '--delay-ms <milliseconds>',
  description: 'let words wait for what follows them: later, more often right; 2000 is as far as it helps',
  min: 0,
  max: DELAY_MS_MAX,
  fallback: undefined,
});

/** `--language`: what is spoken. That every model of the catalogue hears English and nothing else is held by a test. */
export const languageOption = parsed<string, undefined>({
  flags: '--language <language>',
  description:
    'what is spoken: a tag (en, en_US), a name (english), or auto; tiny and base hear English (en) and nothing else',
  fallback: undefined,
  fallbackText: 'auto',
  parse: spokenLanguage,
});

function spokenLanguage(text: string, label: string): string {
  if (languageProblem(text, []) === undefined) return text;
  throw new CliError(
    'usage',
    `${label} must be a tag such as en or pt-BR, an English name, or auto; tiny and base hear English (en).`,
  );
}

/** `--max-sessions`: speakers at once. */
export const maxSessionsOption = integer({
  flags: '--max-sessions <number>',
  description: 'speakers at once; more are refused (default: what the processor carries)',
  min: 1,
  max: 10_000,
  fallback: undefined,
});

/** The endpoint that a stand-in plays where nobody names one. */
export const DEFAULT_ENDPOINT = 'demo';

/** `--api-key`. Better given as KIKITORI_API_KEY: a command line can be read by everybody on the machine. */
export const apiKeyOption = text({
  flags: '--api-key <key>',
  description: 'key of the server (better as KIKITORI_API_KEY: others can read a command line)',
  fallback: undefined,
});

/** `--api-keys`: a file of several keys, made with `kikitori keys`. */
export const apiKeysOption = text({
  flags: '--api-keys <file>',
  description: 'file with the keys of a server, by name and hash ("kikitori keys add NAME" makes one)',
  fallback: undefined,
});

/** `--url`: a Realtime server, ours or vLLM. */
export const urlOption = parsed<string, undefined>({
  flags: '--url <url>',
  description:
    'Realtime server, e.g. ws://127.0.0.1:8000 or https://example.com/stt/; without it the engine runs in this process',
  fallback: undefined,
  parse: realtimeUrl,
});

/** `--wait`: patience with a server that is not there yet. */
export const waitOption = integer({
  flags: '--wait <seconds>',
  description:
    'how long to wait for a server that is away or loads its model (default: one try at first, 120 after a loss)',
  min: 1,
  max: 86_400,
  fallback: undefined,
});

/** `--max-model-len`: what vLLM was started with. */
export const maxModelLenOption = integer({
  flags: '--max-model-len <tokens>',
  description:
    "vLLM's --max-model-len, where the server cannot be asked for it: a longer utterance is parted in a pause before",
  min: 64,
  max: 10_000_000,
  fallback: undefined,
});

/** `--endpoint`: a model on Amazon SageMaker, or on a stand-in of it. */
export const endpointOption = text({
  flags: '--endpoint <name>',
  description: 'SageMaker endpoint instead of a server',
  fallback: undefined,
});

/** `--region`: where that endpoint is. */
export const regionOption = text({
  flags: '--region <region>',
  description: "AWS region of the endpoint (default: AWS_REGION, else the profile's)",
  fallback: undefined,
});

/** `--endpoint-url`: another address than SageMaker's own. */
export const endpointUrlOption = parsed<string, undefined>({
  flags: '--endpoint-url <url>',
  description:
    'address of the SageMaker runtime instead of AWS\'s, e.g. https://localhost:8443 of "kikitori sagemaker-local" (default: AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2)',
  fallback: undefined,
  parse: runtimeUrl,
});

function runtimeUrl(text: string, label: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new CliError('usage', `${label} must be a URL such as https://localhost:8443.`);
}

/** A ws, wss, http or https URL; the client adds `v1/realtime` behind a slash at its end. Throws `CliError` `usage`. */
export function realtimeUrl(text: string, label: string): string {
  if (URL.canParse(text) && /^(?:ws|http)s?:$/.test(new URL(text).protocol)) return text;
  throw new CliError('usage', `${label} must be a URL such as ws://127.0.0.1:8000/v1/realtime.`);
}

const PACE_MAX = 100;

/** `realtime`, `max`, `2x`, `1.5x` … Throws `CliError` `usage`. */
export function parsePace(value: string, label: string): PaceRate {
  if (value === 'max' || value === 'realtime') return value;
  const factor = /^(\d{1,3}(?:\.\d{1,3})?)x$/.exec(value)?.[1];
  const pace = Number(factor ?? '0');
  if (pace > 0 && pace <= PACE_MAX) return pace;
  throw new CliError('usage', `${label} must be realtime, max, or a factor up to ${PACE_MAX}x such as 2x.`);
}
