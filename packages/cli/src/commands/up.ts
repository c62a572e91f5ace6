import { type Logger, untilAborted } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { DEFAULT_REGION, DEFAULT_RUNTIME_PORT } from '@kikitori/sagemaker/stand-in';
import { DEFAULT_PORT } from '@kikitori/server';
import { awsRegion } from '../aws/region.js';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { CliError } from '../errors.js';
import { assertPortsFree } from '../free-ports.js';
import { choice, flag, integer, longName, parsed, text } from '../options.js';
import {
  DEFAULT_ENDPOINT,
  maxSessionsOption,
  modelOption,
  realtimeUrl,
  threadsOption,
} from '../options-shared.js';
import { version } from '../program.js';
import { EmbeddedEnd } from '../sagemaker/embedded-end.js';
import { LocalPath } from '../sagemaker/local-path.js';
import type { PathEnd } from '../sagemaker/path-end.js';
import { SupervisedEnd } from '../sagemaker/supervised-end.js';
import { UpstreamEnd } from '../sagemaker/upstream-end.js';
import { startEngine } from '../session/start-engine.js';
import { announce } from '../terminal/announcement.js';
import { remark } from '../terminal/beside.js';
import { createDisplay } from '../terminal/display.js';

const DEFAULT_SERVER_PORT = 8081;

const port = (name: string, what: string, fallback: number) =>
  integer({
    flags: `--${name}-port <number>`,
    description: `port of ${what}; 0 takes any free one`,
    min: 0,
    max: 65_535,
    fallback,
  });

const options = {
  upstream: parsed<string | undefined, undefined>({
    flags: '--upstream <url>',
    description:
      'Realtime server at the end of the path, e.g. vLLM at ws://127.0.0.1:8081/v1/realtime; nothing is loaded here',
    fallback: undefined,
    // The variable is that of "bridge".
    parse: (value, label) => (label.startsWith('--') ? realtimeUrl(value, label) : undefined),
  }),
  exec: flag({
    flags: '--exec',
    description: 'run the model server behind -- at the end of the path, and keep it running',
  }),
  execArguments: text({
    flags: '--exec-arguments <style>',
    description:
      'vllm: append --port, the model and what SM_VLLM_* says to the command; none: do not (default: vllm)',
    fallback: undefined,
  }),
  serverPort: integer({
    flags: '--server-port <number>',
    description: `port of the model server; 0 takes any free one (default: ${DEFAULT_SERVER_PORT})`,
    min: 0,
    max: 65_535,
    fallback: undefined,
  }),
  bridgePort: port('bridge', 'the bridge, the port of a container', 8080),
  sagemakerPort: port('sagemaker', 'the stand-in of SageMaker', DEFAULT_RUNTIME_PORT),
  pagePort: integer({
    flags: '--page-port <number>',
    description: `port of the live page; 0 takes any free one (default: ${DEFAULT_PORT}, or a free one)`,
    min: 0,
    max: 65_535,
    fallback: undefined,
  }),
  endpoint: text({
    flags: '--endpoint <name>',
    description: 'name of the endpoint to play',
    fallback: DEFAULT_ENDPOINT,
  }),
  region: text({
    flags: '--region <region>',
    description: `region to play (default: AWS_REGION, else ${DEFAULT_REGION})`,
    fallback: undefined,
  }),
  plaintext: flag({ flags: '--plaintext', description: 'HTTP/2 without TLS' }),
  model: modelOption,
  threads: threadsOption,
  maxSessions: maxSessionsOption,
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much the three of them log on stderr',
    choices: LOG_LEVELS,
    fallback: 'warn',
  }),
};

type UpInput = CommandInput<typeof options>;

/** `kikitori up`: the whole SageMaker path on this machine. */
export const up = defineCommand({
  summary: 'run the whole SageMaker path on this machine: model server, bridge, stand-in, live page',
  operands: [
    { name: 'command', description: 'behind --: the model server to run', required: false, isList: true },
  ],
  options,
  examples: [
    'kikitori up',
    'kikitori up --model tiny --sagemaker-port 9443',
    'kikitori up --upstream ws://127.0.0.1:8081/v1/realtime',
    'kikitori up --exec -- vllm serve mistralai/Voxtral-Mini-4B-Realtime-2602',
  ],
  run: upUntilStopped,
});

async function upUntilStopped(input: UpInput, context: Context): Promise<number> {
  const { options: given } = input;
  const { env, factories, signal, stderr } = context;
  assertOneEnd(input);
  const { endpoint, plaintext: isPlaintext, region = awsRegion(env) ?? DEFAULT_REGION } = given;
  const ports = { bridge: given.bridgePort, sagemaker: given.sagemakerPort, page: given.pagePort };
  await assertPortsFree(wantedPorts(given), 'kikitori up');
  const logger = await factories.createLogger(given.logLevel);
  const end = await openEnd(input, logger, context);
  let path: LocalPath | undefined;
  try {
    path = await LocalPath.open({ end, ports, endpoint, region, isPlaintext, logger }, context);
    remark(`Listening on ports ${path.ports.join(', ')}; ${end.doing}…`, stderr);
    const { model, description } = await end.start(signal);
    await path.inService(signal);
    await path.openPage(model, context);
    const title = [
      `Kikitori ${version()}`,
      ' is up: the way to a SageMaker endpoint, on this machine',
    ] as const;
    announce(title, path.lines(description), context);
    await Promise.race([untilAborted(signal), end.lost]);
    remark('Stopping: what is being said is answered first; Ctrl-C again ends at once.', stderr);
    await path.drain();
    return 0;
  } finally {
    await path?.close();
    await end.close();
  }
}

/** Throws `CliError` `usage`. */
function assertOneEnd({ operands, options: given }: UpInput): void {
  const { upstream, exec: isExec, execArguments, serverPort } = given;
  const refuse = (sentence: string): never => {
    throw new CliError('usage', sentence);
  };
  if (operands.length > 0 && !isExec) refuse('A command behind -- needs --exec before it.');
  if (isExec && operands.length === 0)
    refuse('--exec needs the command to run behind --, such as "--exec -- vllm serve MODEL".');
  if (isExec && upstream !== undefined) refuse('Give either --exec or --upstream: the path has one end.');
  if (execArguments !== undefined && !isExec) refuse('--exec-arguments belong to --exec; leave them out.');
  if (upstream !== undefined && serverPort !== undefined) {
    refuse('With --upstream no model server runs here; leave --server-port out.');
  }
  const { model, threads, maxSessions } = given;
  if ((isExec || upstream !== undefined) && [model, threads, maxSessions].some((one) => one !== undefined)) {
    const what = isExec ? 'The command of --exec' : 'An --upstream';
    refuse(`${what} has a model of its own; leave --model, --threads and --max-sessions out.`);
  }
}

function wantedPorts({ upstream, serverPort = DEFAULT_SERVER_PORT, ...given }: UpInput['options']) {
  const { bridgePort, sagemakerPort, pagePort } = given;
  return [
    ...(upstream === undefined ? [{ port: serverPort, flag: longName(options.serverPort) }] : []),
    { port: bridgePort, flag: longName(options.bridgePort) },
    { port: sagemakerPort, flag: longName(options.sagemakerPort) },
    ...(pagePort === undefined ? [] : [{ port: pagePort, flag: longName(options.pagePort) }]),
  ];
}

async function openEnd(
  { operands, options: given }: UpInput,
  logger: Logger,
  context: Context,
): Promise<PathEnd> {
  const { upstream, exec: isExec, execArguments, serverPort = DEFAULT_SERVER_PORT, logLevel } = given;
  if (upstream !== undefined) return new UpstreamEnd(upstream, context);
  if (!isExec) {
    const { signal } = context;
    const loadEngineOnce = () => loadEngine(given, context);
    return await EmbeddedEnd.open({ loadEngine: loadEngineOnce, port: serverPort, logger, signal });
  }
  const isOutputShown = logLevel === 'info' || logLevel === 'debug';
  const ofServer = { command: operands, execArguments, port: serverPort, isOutputShown, logger };
  return await SupervisedEnd.open(ofServer, context);
}

async function loadEngine(
  { model, threads, maxSessions: streamsMax }: UpInput['options'],
  context: Context,
): Promise<SpeechEngine> {
  const display = createDisplay(context);
  try {
    return await startEngine({ model, threads, streamsMax, signal: context.signal }, context, display);
  } finally {
    display.close();
  }
}
