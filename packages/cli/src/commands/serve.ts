import { untilAborted } from '@kikitori/core';
import {
  DEFAULT_HOST,
  DOOR_LIMITS,
  type KeyFile,
  loadPages,
  openKeyFile,
  SESSION_LIMITS,
  type ServerSurroundings,
  startServer,
} from '@kikitori/server';
import { createKey } from '@kikitori/server/doors';
import { attachWebSockets } from '@kikitori/transport/ws';
import { PAGES_FOLDER } from '@kikitori/web';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, integer, parsed, text } from '../options.js';
import {
  apiKeysOption,
  delayOption,
  endpointOption,
  endpointUrlOption,
  modelOption,
  portOption,
  realtimeUrl,
  regionOption,
  threadsOption,
} from '../options-shared.js';
import { version } from '../program.js';
import { type AnnouncedServer, announceServer } from '../serve/announce-server.js';
import { type Answerer, chooseAnswerer } from '../serve/answerer.js';
import { publicUrl } from '../serve/public-url.js';
import { selfSignedOf, tlsOf } from '../serve/tls-wish.js';
import { type WyomingWish, wyomingAddress } from '../serve/wyoming-address.js';
import { showKey } from '../shown-key.js';
import { remark } from '../terminal/beside.js';

/** `auto`: vLLM where there is an --upstream, else the embedded one. */
const ENGINES = ['auto', 'moonshine', 'vllm'] as const;

const options = {
  port: portOption,
  host: text({ flags: '--host <address>', description: 'address to listen on', fallback: DEFAULT_HOST }),
  wyoming: parsed<WyomingWish | undefined, undefined>({
    flags: '--wyoming <[address:]port>',
    description: 'speak Wyoming over TCP too, for Home Assistant, e.g. at 10300 (address: that of --host)',
    fallback: undefined,
    parse: wyomingAddress,
  }),
  engine: choice({
    flags: '--engine <engine>',
    description: 'which recogniser: moonshine, in this process; vllm, at --upstream; auto finds out',
    choices: ENGINES,
    fallback: 'auto',
  }),
  upstream: parsed<string | undefined, undefined>({
    flags: '--upstream <url>',
    description: 'Realtime server that sessions are relayed to, e.g. vLLM at ws://127.0.0.1:8081/v1/realtime',
    fallback: undefined,
    // The variable is that of "bridge": where both run in one container, this server would lead to itself.
    parse: (text, label) => (label.startsWith('--') ? realtimeUrl(text, label) : undefined),
  }),
  upstreamKey: text({
    flags: '--upstream-key <key>',
    description: 'key that --upstream wants (better as KIKITORI_UPSTREAM_KEY)',
    fallback: undefined,
  }),
  endpoint: endpointOption,
  region: regionOption,
  endpointUrl: endpointUrlOption,
  model: modelOption,
  threads: threadsOption,
  delayMs: delayOption,
  places: integer({
    flags: '--places <number>',
    description:
      'sessions and files at once; more are refused (default: what the processor carries, or what --upstream says that it does)',
    min: 1,
    max: 10_000,
    fallback: undefined,
  }),
  maxSessions: integer({
    flags: '--max-sessions <number>',
    description: 'another name for --places',
    min: 1,
    max: 10_000,
    fallback: undefined,
  }),
  wait: integer({
    flags: '--wait <seconds>',
    description: 'how long a session waits for an --upstream or --endpoint that is away or loads',
    min: 0,
    max: 86_400,
    fallback: 120,
  }),
  servedModelName: text({
    flags: '--served-model-name <names>',
    description: "names by which clients may call the model, separated by commas (default: the engine's)",
    fallback: undefined,
  }),
  apiKey: text({
    flags: '--api-key <key>',
    description:
      'key that clients must show; new makes one and prints it (better as KIKITORI_API_KEY: others can read a command line)',
    fallback: undefined,
  }),
  apiKeys: apiKeysOption,
  allowOrigin: text({
    flags: '--allow-origin <origins>',
    description:
      'other sites and apps whose pages may use this server, separated by commas, e.g. https://example.com, https://*.example.com, app://obsidian.md',
    fallback: undefined,
  }),
  publicUrl: parsed<string | undefined, undefined>({
    flags: '--public-url <url>',
    description:
      'where others open the page, e.g. https://stt.example.com/stt/, behind a proxy or in a container: for links to captions; that site is allowed',
    fallback: undefined,
    parse: publicUrl,
  }),
  trustProxy: text({
    flags: '--trust-proxy <addresses>',
    description:
      'proxies whose X-Forwarded-For is believed, e.g. 127.0.0.1,10.0.0.0/8: shares and rates are then those of their clients',
    fallback: undefined,
  }),
  sessionsPerKey: integer({
    flags: '--sessions-per-key <number>',
    description: 'speakers at once with one key (default: as many as there are places)',
    min: 1,
    max: 10_000,
    fallback: undefined,
  }),
  connectsPerSecond: integer({
    flags: '--connects-per-second <number>',
    description: `connects a second with one key, and from one address without (default: ${DOOR_LIMITS.connectsPerSecond}, and ten times as many at once)`,
    min: 1,
    max: 10_000,
    fallback: undefined,
  }),
  idleTimeout: integer({
    flags: '--idle-timeout-seconds <seconds>',
    description: `a session without audio or events ends after it; 0: never (default: ${SESSION_LIMITS.idleTimeoutMs / 1000})`,
    min: 0,
    max: 86_400,
    fallback: undefined,
  }),
  sessionMax: integer({
    flags: '--session-max-seconds <seconds>',
    description: 'longest session; 0: no limit (default: 0)',
    min: 0,
    max: 604_800,
    fallback: undefined,
  }),
  tlsCert: text({
    flags: '--tls-cert <file>',
    description: 'speak TLS with this certificate (PEM, with those that lead to its root)',
    fallback: undefined,
  }),
  tlsKey: text({
    flags: '--tls-key <file>',
    description: 'its private key (PEM); both are read again when they change',
    fallback: undefined,
  }),
  tlsSelfSigned: flag({
    flags: '--tls-self-signed',
    description: 'speak TLS with a certificate made here for this host and its addresses: browsers warn once',
  }),
  insecure: flag({ flags: '--insecure', description: 'listen on a public address without a key' }),
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much to log on stderr',
    choices: LOG_LEVELS,
    fallback: 'info',
  }),
};

/** A burst of connects is as many as come in this time. */
const BURST_SECONDS = 10;

type ServeInput = CommandInput<typeof options>;

/** `kikitori serve`: the Realtime server in front of an engine, until SIGTERM or Ctrl-C. */
export const serve = defineCommand({
  summary: 'run a Realtime speech-to-text server',
  operands: [],
  options,
  examples: [
    'kikitori serve',
    'kikitori serve --model tiny --port 9000',
    'kikitori serve --upstream ws://127.0.0.1:8081/v1/realtime',
    'kikitori serve --endpoint voxtral --region us-east-1',
    'KIKITORI_API_KEY=… kikitori serve --host 0.0.0.0 --tls-self-signed',
  ],
  run: serveUntilStopped,
});

async function serveUntilStopped(asked: ServeInput, context: Context): Promise<number> {
  const { engine, wait, ...given } = asked.options;
  if (engine === 'vllm' && given.upstream === undefined) {
    throw new CliError('usage', '--engine vllm needs to know where: --upstream ws://HOST:PORT/v1/realtime.');
  }
  if (engine === 'moonshine' && (given.upstream !== undefined || given.endpoint !== undefined)) {
    throw new CliError(
      'usage',
      '--engine moonshine runs in this process; leave --upstream and --endpoint out.',
    );
  }
  const isKeyNew = asked.options.apiKey === NEW_KEY;
  const input = isKeyNew ? withKey(asked, createKey()) : asked;
  const request = { ...given, places: placesOf(asked), waitMs: wait * 1000, names: namesOf(asked) };
  const answerer = await chooseAnswerer(request, context);
  try {
    return await runServer(answerer, input, { ...context, isKeyNew });
  } finally {
    await answerer.close();
  }
}

/** Under either of its names. */
function placesOf({ options: { places, maxSessions } }: ServeInput): number | undefined {
  if (places === undefined || maxSessions === undefined || places === maxSessions)
    return places ?? maxSessions;
  throw new CliError('usage', '--places and --max-sessions are the same; give one of them.');
}

/** Names by which the model is called. */
function namesOf({ options: { servedModelName } }: ServeInput): readonly string[] {
  return listOf(servedModelName);
}

/** What stands for a key that is made now. */
const NEW_KEY = 'new';

function withKey(input: ServeInput, apiKey: string): ServeInput {
  return { ...input, options: { ...input.options, apiKey } };
}

async function runServer(
  answerer: Answerer,
  input: ServeInput,
  context: Context & { readonly isKeyNew: boolean },
): Promise<number> {
  const { signal, stderr, isKeyNew } = context;
  const { host, port, insecure, apiKeys, wyoming } = input.options;
  const own = await selfSignedOf(input.options, context);
  const tls = own?.files ?? tlsOf(input.options);
  const surroundings = await surroundingsOf(input, context);
  const keyFile = apiKeys === undefined ? undefined : await openKeyFile(apiKeys, surroundings);
  const server = await startServer({
    ...surroundings,
    ...doorsOf(input, keyFile),
    ...(tls === undefined ? {} : { tls }),
    ...answerer.source,
    host,
    port,
    insecure,
    ...(wyoming === undefined ? {} : { wyoming: { host, ...wyoming } }),
    pages: await loadPages(PAGES_FOLDER),
    attach: attachWebSockets,
    signal,
  }).catch((error: unknown) => {
    keyFile?.close();
    throw error;
  });
  try {
    remark(`Listening on ${server.host} port ${server.port}; ${answerer.listening}`, stderr);
    if (isKeyNew) await showNewKey(input, context);
    const description = await answerer.load();
    await server.ready;
    const at = { host, port: server.port, wyoming: server.wyoming };
    announceServer(description, { ...factsOf(input), ...at, own }, context);
    await untilAborted(signal);
    remark('Stopping: what is being said is answered first; Ctrl-C again ends at once.', stderr);
    await server.drain();
    return 0;
  } finally {
    await server.close();
    keyFile?.close();
  }
}

/** Once, and nowhere else: it is in no file and in no log of ours, and gone when the server ends. */
async function showNewKey({ options: { apiKey = '' } }: ServeInput, context: Context): Promise<void> {
  remark('The key of this server, shown once and good for as long as it runs:', context.stderr);
  await showKey(apiKey, 'so nobody could use this server', context);
}

/** What the announcement says of it. */
function factsOf({ options }: ServeInput): Pick<AnnouncedServer, 'publicUrl' | 'isTls' | 'hasKey'> {
  const { tlsCert, tlsSelfSigned, apiKey, apiKeys } = options;
  return {
    publicUrl: options.publicUrl,
    isTls: tlsCert !== undefined || tlsSelfSigned,
    hasKey: apiKey !== undefined || apiKeys !== undefined,
  };
}

/** Who may enter, and how much of it. */
function doorsOf({ options }: ServeInput, keyFile: KeyFile | undefined): ServerSurroundings {
  const { apiKey, allowOrigin, trustProxy, sessionsPerKey, connectsPerSecond, idleTimeout, sessionMax } =
    options;
  const site = options.publicUrl;
  return {
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(keyFile === undefined ? {} : { keySources: [keyFile] }),
    allowedOrigins: [...listOf(allowOrigin), ...(site === undefined ? [] : [new URL(site).origin])],
    ...(site === undefined ? {} : { addresses: () => [site] }),
    trustedProxies: listOf(trustProxy),
    doorLimits: {
      ...(sessionsPerKey === undefined ? {} : { sessionsPerKeyMax: sessionsPerKey }),
      ...(connectsPerSecond === undefined
        ? {}
        : { connectsPerSecond, connectsBurst: connectsPerSecond * BURST_SECONDS }),
    },
    limits: {
      ...(idleTimeout === undefined ? {} : { idleTimeoutMs: idleTimeout * 1000 }),
      ...(sessionMax === undefined ? {} : { sessionMsMax: sessionMax * 1000 }),
    },
  };
}

function listOf(text = ''): readonly string[] {
  return text.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]));
}

async function surroundingsOf(input: ServeInput, context: Context): Promise<ServerSurroundings> {
  const models = namesOf(input);
  return {
    logger: await context.factories.createLogger(input.options.logLevel),
    version: version(),
    ...(models.length === 0 ? {} : { models }),
  };
}
