import { networkInterfaces } from 'node:os';
import type { SpeechEngine } from '@kikitori/engine';
import {
  DEFAULT_HOST,
  isLoopback,
  type PendingEngine,
  type RelayTarget,
  type RunningServer,
  type ServerSurroundings,
  startServer,
} from '@kikitori/server';
import { attachWebSockets } from '@kikitori/transport/ws';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, parsed, text } from '../options.js';
import {
  apiKeyOption,
  endpointOption,
  endpointUrlOption,
  maxSessionsOption,
  modelOption,
  portOption,
  regionOption,
  threadsOption,
} from '../options-shared.js';
import { version } from '../program.js';
import { deferEngine } from '../session/deferred-engine.js';
import { startEngine } from '../session/start-engine.js';
import { announce } from '../terminal/announcement.js';
import { createDisplay } from '../terminal/display.js';
import { untilAborted } from '../until-aborted.js';

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
  endpoint: endpointOption,
  region: regionOption,
  endpointUrl: endpointUrlOption,
  model: modelOption,
  threads: threadsOption,
  maxSessions: maxSessionsOption,
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
    'kikitori serve --endpoint voxtral --region us-east-1',
    'KIKITORI_API_KEY=… kikitori serve --host 0.0.0.0',
  ],
  run: serveUntilStopped,
});

async function serveUntilStopped(input: ServeInput, context: Context): Promise<number> {
  const { options: given } = input;
  if (given.endpoint !== undefined) {
    return await runServer(await relayTo(given.endpoint, input, context), input, context);
  }
  if (given.region !== undefined || given.endpointUrl !== undefined) {
    throw new CliError('usage', '--region and --endpoint-url belong to an --endpoint; name one.');
  }
  const engine = deferEngine(() => loadEngine(input, context));
  const answerer = {
    answerer: { engine: engine.loaded },
    listening: 'loading the model…',
    load: async () => {
      engine.load();
      const { model, streamsMax } = (await engine.loaded).info;
      return `${model}, ${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once`;
    },
  };
  try {
    return await runServer(answerer, input, context);
  } finally {
    await engine.close();
  }
}

/** Who answers, and how to get it ready once the port is taken. */
interface ServedAnswerer {
  readonly answerer: PendingEngine | { readonly relay: RelayTarget };
  /** What is said while it gets ready. */
  readonly listening: string;
  /** Resolves with a description. */
  readonly load: () => Promise<string>;
}

async function runServer(served: ServedAnswerer, input: ServeInput, context: Context): Promise<number> {
  const { signal, stderr } = context;
  const { host, port, insecure } = input.options;
  const server = await startServer({
    ...(await surroundingsOf(input, context)),
    ...served.answerer,
    host,
    port,
    insecure,
    attach: attachWebSockets,
    signal,
  });
  try {
    stderr.write(`Listening on ${server.host} port ${server.port}; ${served.listening}\n`);
    const description = await served.load();
    await server.ready;
    announceServer(description, server, input, context);
    await untilAborted(signal);
    stderr.write('Stopping: what is being said is answered first; Ctrl-C again ends at once.\n');
    await server.drain();
    return 0;
  } finally {
    await server.close();
  }
}

/** Sessions go to a SageMaker endpoint, for clients that cannot sign for it: this server never sees a model. */
async function relayTo(
  endpoint: string,
  { options: given }: ServeInput,
  { factories }: Context,
): Promise<ServedAnswerer> {
  if (given.model !== undefined || given.threads !== undefined) {
    throw new CliError('usage', 'An --endpoint has a model of its own; leave --model and --threads out.');
  }
  const { region, endpointUrl, maxSessions: sessionsMax } = given;
  const connect = await factories.connectToEndpoint({ endpoint, region, endpointUrl });
  return {
    answerer: { relay: { connect, ...(sessionsMax === undefined ? {} : { sessionsMax }) } },
    listening: `sessions go to the endpoint ${endpoint}.`,
    load: async () => `sessions go to the SageMaker endpoint ${endpoint}`,
  };
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

async function surroundingsOf({ options }: ServeInput, context: Context): Promise<ServerSurroundings> {
  const { apiKey, servedModelName } = options;
  const names = servedModelName?.split(',').map((name) => name.trim());
  const models = names?.filter((name) => name !== '') ?? [];
  return {
    logger: await context.factories.createLogger(options.logLevel),
    version: version(),
    ...(models.length === 0 ? {} : { models }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

/** Says where it is and how to try it. */
function announceServer(
  description: string,
  { port }: RunningServer,
  { options }: ServeInput,
  context: Context,
): void {
  const hosts = hostsToShow(options.host);
  const [host = options.host] = hosts;
  const base = `http://${host}:${port}`;
  const key = options.apiKey === undefined ? '' : 'KIKITORI_API_KEY=… ';
  const hasFiles = options.endpoint === undefined;
  announce(
    [`Kikitori ${version()}`, ` is ready: ${description}`],
    [
      ...hosts.map((each) => ({ label: 'Realtime', value: `ws://${each}:${port}/v1/realtime` })),
      ...(hasFiles ? [{ label: 'Files', value: `POST ${base}/v1/audio/transcriptions` }] : []),
      { label: 'Health', value: `${base}/health` },
      { label: 'Metrics', value: `${base}/metrics` },
      {
        label: 'Try',
        value: `${key}npx kikitori transcribe samples/ferry.flac --url ws://${host}:${port}`,
        isPlain: true,
      },
    ],
    context,
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
