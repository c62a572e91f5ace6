import { networkInterfaces } from 'node:os';
import type { EngineInfo, SpeechEngine } from '@kikitori/engine';
import {
  DEFAULT_HOST,
  isLoopback,
  type RunningServer,
  type StartServerOptions,
  startServer,
} from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, integer, parsed, text } from '../options.js';
import { apiKeyOption, modelOption, portOption, threadsOption } from '../options-shared.js';
import { version } from '../program.js';
import { startEngine } from '../session/start-engine.js';
import { createDisplay } from '../terminal/display.js';
import { styleFor } from '../terminal/style.js';

/** `auto` is the embedded one, the only one there is. */
const ENGINES = ['auto', 'moonshine'] as const;

const options = {
  port: portOption,
  host: text({ flags: '--host <address>', description: 'address to listen on', fallback: DEFAULT_HOST }),
  engine: parsed({
    flags: '--engine <engine>',
    description: `which recogniser: ${ENGINES.join(', ')}`,
    fallback: 'auto',
    fallbackText: 'auto',
    parse: parseEngine,
  }),
  upstream: parsed<undefined, undefined>({
    flags: '--upstream <url>',
    description: 'not here: "kikitori bridge --upstream" goes in front of another Realtime server',
    fallback: undefined,
    // The variable is that of "bridge", and both may run in one container.
    parse: (_text, label) => (label.startsWith('--') ? refuseUpstream(label) : undefined),
  }),
  model: modelOption,
  threads: threadsOption,
  maxSessions: integer({
    flags: '--max-sessions <number>',
    description: 'speakers at once; more are refused (default: what the processor carries)',
    min: 1,
    max: 10_000,
    fallback: undefined,
  }),
  servedModelName: text({
    flags: '--served-model-name <names>',
    description: "names by which clients may call the model, separated by commas (default: the engine's)",
    fallback: undefined,
  }),
  apiKey: apiKeyOption,
  insecure: flag({ flags: '--insecure', description: 'listen on a public address without a key' }),
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much to log on stderr',
    choices: LOG_LEVELS,
    fallback: 'info',
  }),
};

type ServeInput = CommandInput<typeof options>;

function parseEngine(text: string, label: string): (typeof ENGINES)[number] {
  if (text === 'vllm') refuseUpstream(`${label} vllm`);
  const found = ENGINES.find((one) => one === text);
  if (found !== undefined) return found;
  throw new CliError('usage', `${label} must be one of: ${ENGINES.join(', ')}.`);
}

/** vLLM is a Realtime server itself: this one has nothing to add to it yet, and must not pretend to. */
function refuseUpstream(label: string): never {
  throw new CliError(
    'usage',
    `${label} is not for "serve": vLLM is a Realtime server itself; use "kikitori transcribe FILE --url ws://HOST:PORT/v1/realtime", or put "kikitori bridge --upstream ws://HOST:PORT/v1/realtime" in front of it.`,
  );
}

/** `kikitori serve`: the Realtime server in front of an engine, until SIGTERM or Ctrl-C. */
export const serve = defineCommand({
  summary: 'run a Realtime speech-to-text server',
  operands: [],
  options,
  examples: [
    'kikitori serve',
    'kikitori serve --model tiny --port 9000',
    'KIKITORI_API_KEY=… kikitori serve --host 0.0.0.0',
  ],
  run: serveUntilStopped,
});

async function serveUntilStopped(input: ServeInput, context: Context): Promise<number> {
  let engine: SpeechEngine | undefined;
  let load = (): void => undefined;
  // The port first: nobody should wait for a model to hear that it is taken.
  const loaded = new Promise<void>((resolve) => {
    load = resolve;
  }).then(async () => {
    engine = await loadEngine(input, context);
    return engine;
  });
  const server = await startServer(await serverOptions(loaded, input, context));
  try {
    context.stderr.write(`Listening on ${server.host} port ${server.port}; loading the model…\n`);
    load();
    const { info } = await loaded;
    await server.ready;
    announce(info, server, input, context);
    await untilAborted(context.signal);
    context.stderr.write('Stopping: what is being said is answered first; Ctrl-C again ends at once.\n');
    await server.drain();
    return 0;
  } finally {
    await server.close();
    await engine?.close();
  }
}

async function loadEngine({ options }: ServeInput, context: Context): Promise<SpeechEngine> {
  const display = createDisplay(context);
  try {
    const { model, threads, maxSessions: streamsMax } = options;
    return await startEngine({ model, threads, streamsMax, signal: context.signal }, context, display);
  } finally {
    display.close();
  }
}

async function serverOptions(
  engine: Promise<SpeechEngine>,
  { options }: ServeInput,
  context: Context,
): Promise<StartServerOptions> {
  const { apiKey, servedModelName, host, port, insecure } = options;
  const names = servedModelName?.split(',').map((name) => name.trim());
  const models = names?.filter((name) => name !== '') ?? [];
  return {
    engine,
    host,
    port,
    insecure,
    attach: attachWebSockets,
    signal: context.signal,
    logger: await context.factories.createLogger(options.logLevel),
    version: version(),
    ...(models.length === 0 ? {} : { models }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

/** Says where it is and how to try it: on stdout, the addresses alone at the ends of their lines. */
function announce(
  info: EngineInfo,
  { port }: RunningServer,
  { options }: ServeInput,
  context: Context,
): void {
  const { model, streamsMax } = info;
  const style = styleFor(context.stdout, context.env);
  const hosts = hostsToShow(options.host);
  const line = (label: string, value: string): void =>
    context.stdout.write(`  ${label.padEnd(9)} ${value}\n`);
  context.stdout.write(
    `${style.bold(`Kikitori ${version()}`)} is ready: ${model}, ${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once\n`,
  );
  for (const host of hosts) line('Realtime', style.cyan(`ws://${host}:${port}/v1/realtime`));
  const base = `http://${hosts[0] ?? options.host}:${port}`;
  line('Files', `POST ${style.cyan(`${base}/v1/audio/transcriptions`)}`);
  line('Health', style.cyan(`${base}/health`));
  line('Metrics', style.cyan(`${base}/metrics`));
  const key = options.apiKey === undefined ? '' : 'KIKITORI_API_KEY=… ';
  line(
    'Try',
    `${key}npx kikitori transcribe samples/ferry.flac --url ws://${hosts[0] ?? options.host}:${port}`,
  );
}

/** A wildcard address is shown as the addresses that it stands for. */
function hostsToShow(host: string): readonly string[] {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (plain !== '0.0.0.0' && plain !== '::') return [plain.includes(':') ? `[${plain}]` : plain];
  const addresses = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = addresses.filter(({ family, address }) => family === 'IPv4' && !isLoopback(address));
  return [DEFAULT_HOST, ...outside.map(({ address }) => address)];
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
