import { parseArgs } from 'node:util';
import { BRIDGE_HOST } from './bridge.js';
import { BridgeError } from './errors.js';
import { DEFAULT_PATHS, type PathMap, parseInvocations, parsePaths } from './http/paths.js';
import { BRIDGE_LIMITS, type BridgeLimits } from './limits.js';
import { LOG_LEVELS, type LogLevel } from './logger.js';
import type { Environment } from './supervisor/model-arguments.js';
import { modelServerCommand } from './supervisor/model-command.js';

/** Everything the command can be told; what `runBridge` takes. */
export interface BridgeSettings {
  readonly host: string;
  readonly port: number;
  readonly upstream: string;
  readonly paths: PathMap;
  /** Path of the model server that files over HTTP go to; undefined: OpenAI's; false: none are taken. */
  readonly invocations: string | false | undefined;
  /** Other sites whose pages may open sessions. */
  readonly allowedOrigins: readonly string[];
  readonly limits: Partial<BridgeLimits>;
  readonly logLevel: LogLevel;
  /** Session metrics in CloudWatch's Embedded Metric Format on stdout. */
  readonly emf: boolean;
  /** The model server to run; undefined: it runs elsewhere. */
  readonly modelServer: ModelServerSettings | undefined;
}

/** How the model server is run. */
export interface ModelServerSettings {
  readonly command: readonly [string, ...string[]];
  /** Names of variables that say something else than the command itself does, which holds. */
  readonly overruled: readonly string[];
  /** `PROCESS_AUTO_RECOVERY` */
  readonly isRestarted: boolean;
  /** `PROCESS_MAX_START_RETRIES` */
  readonly startRetriesMax: number;
}

/** Where vLLM is looked for unless told otherwise. */
export const DEFAULT_UPSTREAM = 'ws://127.0.0.1:8081/v1/realtime';

/** What `serve` runs unless told otherwise: vLLM, as AWS's containers start it. */
export const DEFAULT_MODEL_SERVER: readonly [string, ...string[]] = [
  'python3',
  '-m',
  'vllm.entrypoints.openai.api_server',
];

const FLAGS = {
  port: { type: 'string' },
  host: { type: 'string' },
  upstream: { type: 'string' },
  paths: { type: 'string' },
  invocations: { type: 'string' },
  'allow-origin': { type: 'string' },
  'startup-wait-seconds': { type: 'string' },
  'drain-seconds': { type: 'string' },
  'sessions-max': { type: 'string' },
  'log-level': { type: 'string' },
  emf: { type: 'boolean' },
  exec: { type: 'boolean' },
  'exec-arguments': { type: 'string' },
} as const;

type FlagName = keyof typeof FLAGS;

/** The help of the stand-alone command. */
export const BRIDGE_USAGE = `kikitori-bridge [options] [--exec -- COMMAND …]
kikitori-bridge serve        what SageMaker calls: the same with --exec

  --port <number>                 where to listen (8080)
  --host <address>                on which address (${BRIDGE_HOST})
  --upstream <url>                the Realtime server (${DEFAULT_UPSTREAM})
  --paths </from[=/to][:binary],…>  more paths to take WebSockets on, and where they lead
  --invocations <path|off>        where POST /invocations leads: files (/v1/audio/transcriptions)
  --allow-origin <origins>        other sites whose pages may open sessions, separated by commas (none)
  --startup-wait-seconds <s>      how long a session waits for a model server that is not up (20)
  --drain-seconds <s>             how long live sessions may go on after SIGTERM (25)
  --sessions-max <number>         sessions and files at once (4096)
  --log-level <level>             ${LOG_LEVELS.join(', ')} (info)
  --emf                           session metrics for CloudWatch on stdout
  --exec -- COMMAND …             run the model server too, and keep it running
  --exec-arguments <vllm|none>    give it --port, the model and what SM_VLLM_* says (vllm)

Each is read from KIKITORI_BRIDGE_<NAME> too; KIKITORI_BRIDGE_EXEC holds the command, as words or as a JSON array.
`;

/**
 * Reads the command line (without program and script) and the environment; flags win. Throws `BridgeError`
 * `invalid_option` with a sentence that names the flag.
 */
export function parseBridgeSettings(argv: readonly string[], env: Environment): BridgeSettings {
  const dashes = argv.indexOf('--');
  const own = dashes === -1 ? argv : argv.slice(0, dashes);
  const given = readFlags(own);
  const isServe = given.operands.length === 1 && given.operands[0] === 'serve';
  if (given.operands.length > 0 && !isServe) {
    throw invalid('Only `serve` may stand there; what to run goes behind --exec --.');
  }
  const read = (name: FlagName): string | undefined => given.values[name] ?? fromEnv(env, name);
  const number = (name: FlagName, min: number, max: number, fallback: number): number =>
    numberOf(read(name), `--${name}`, min, max, fallback);
  const upstream = read('upstream') ?? DEFAULT_UPSTREAM;
  const paths = read('paths');
  return {
    host: read('host') ?? BRIDGE_HOST,
    port: number('port', 0, 65_535, 8080),
    upstream,
    paths: paths === undefined ? DEFAULT_PATHS : parsePaths(paths),
    invocations: parseInvocations(read('invocations')),
    allowedOrigins: listOf(read('allow-origin')),
    limits: {
      startupWaitMs: 1000 * number('startup-wait-seconds', 0, 3600, BRIDGE_LIMITS.startupWaitMs / 1000),
      drainMs: 1000 * number('drain-seconds', 0, 3600, BRIDGE_LIMITS.drainMs / 1000),
      sessionsMax: number('sessions-max', 1, 100_000, BRIDGE_LIMITS.sessionsMax),
    },
    logLevel: choiceOf(read('log-level'), '--log-level', LOG_LEVELS, 'info'),
    emf: isYes(read('emf'), '--emf'),
    modelServer: modelServerOf({
      words: dashes === -1 ? [] : argv.slice(dashes + 1),
      isAsked: given.values.exec !== undefined,
      isServe,
      fromEnv: fromEnv(env, 'exec'),
      style: choiceOf(read('exec-arguments'), '--exec-arguments', ['vllm', 'none'] as const, 'vllm'),
      upstream,
      env,
    }),
  };
}

interface ExecWishes {
  readonly words: readonly string[];
  readonly isAsked: boolean;
  readonly isServe: boolean;
  readonly fromEnv: string | undefined;
  readonly style: 'vllm' | 'none';
  readonly upstream: string;
  readonly env: Environment;
}

function modelServerOf(wishes: ExecWishes): ModelServerSettings | undefined {
  const { words, isAsked, isServe, env, upstream } = wishes;
  if (words.length > 0 && !isAsked) throw invalid('A command behind -- needs --exec before it.');
  const named = words.length > 0 ? words : wordsOf(wishes.fromEnv);
  if (named.length === 0 && isAsked && !isServe) throw invalid('--exec needs a command: --exec -- COMMAND …');
  if (named.length === 0 && !isServe) return undefined;
  const [program, ...args] = named.length === 0 ? DEFAULT_MODEL_SERVER : named;
  if (program === undefined) return undefined;
  const command = [program, ...args] as const;
  return {
    ...(wishes.style === 'vllm'
      ? modelServerCommand(command, env, { upstream })
      : { command, overruled: [] }),
    isRestarted: isYes(env['PROCESS_AUTO_RECOVERY'] ?? 'true', 'PROCESS_AUTO_RECOVERY'),
    startRetriesMax: numberOf(env['PROCESS_MAX_START_RETRIES'], 'PROCESS_MAX_START_RETRIES', 0, 100, 3),
  };
}

function readFlags(argv: readonly string[]): {
  values: Partial<Record<FlagName, string>>;
  operands: readonly string[];
} {
  try {
    // No flag has a short form. Taking a group of them apart costs Node the square of its length.
    const own = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : argv.length);
    if (own.some((word) => word.length > 2 && /^-[^-]/.test(word)))
      throw new TypeError('a group of short flags');
    const { values, positionals } = parseArgs({ args: [...argv], options: FLAGS, allowPositionals: true });
    const texts = Object.entries(values).map(([name, value]) => [name, String(value)] as const);
    return { values: Object.fromEntries(texts), operands: positionals };
  } catch (cause) {
    throw new BridgeError('invalid_option', 'There is no such flag, or its value is missing; see --help.', {
      cause,
    });
  }
}

/** An empty variable counts as unset. */
function fromEnv(env: Environment, name: FlagName): string | undefined {
  const value = env[`KIKITORI_BRIDGE_${name.replaceAll('-', '_').toUpperCase()}`];
  return value === '' ? undefined : value;
}

function wordsOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  if (!text.trimStart().startsWith('[')) return text.split(/\s+/).filter((word) => word !== '');
  try {
    const words: unknown = JSON.parse(text);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Said below.
  }
  throw invalid('KIKITORI_BRIDGE_EXEC must be words, or a JSON array of strings.');
}

function listOf(text = ''): readonly string[] {
  return text.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]));
}

function numberOf(
  text: string | undefined,
  label: string,
  min: number,
  max: number,
  fallback: number,
): number {
  if (text === undefined || text === '') return fallback;
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw invalid(`${label} must be a whole number from ${min} to ${max}.`);
}

function choiceOf<C extends string>(
  text: string | undefined,
  label: string,
  choices: readonly C[],
  fallback: C,
): C {
  if (text === undefined) return fallback;
  const found = choices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw invalid(`${label} must be one of: ${choices.join(', ')}.`);
}

function isYes(text: string | undefined, label: string): boolean {
  if (text === undefined) return false;
  if (/^(?:true|1|yes|on)$/i.test(text)) return true;
  if (/^(?:false|0|no|off)$/i.test(text)) return false;
  throw invalid(`${label} must be true or false.`);
}

function invalid(message: string): BridgeError {
  return new BridgeError('invalid_option', message);
}
