import { untilAborted } from '@kikitori/core';
import type { SpeechEngine } from '@kikitori/engine';
import { DEFAULT_REGION, DEFAULT_RUNTIME_PORT } from '@kikitori/sagemaker/stand-in';
import { DEFAULT_PORT } from '@kikitori/server';
import { awsRegion } from '../aws/region.js';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { assertPortsFree } from '../free-ports.js';
import { choice, flag, integer, longName, text } from '../options.js';
import { DEFAULT_ENDPOINT, maxSessionsOption, modelOption, threadsOption } from '../options-shared.js';
import { version } from '../program.js';
import { LocalPath } from '../sagemaker/local-path.js';
import { deferEngine } from '../session/deferred-engine.js';
import { startEngine } from '../session/start-engine.js';
import { announce } from '../terminal/announcement.js';
import { remark } from '../terminal/beside.js';
import { createDisplay } from '../terminal/display.js';

const port = (name: string, what: string, fallback: number) =>
  integer({
    flags: `--${name}-port <number>`,
    description: `port of ${what}; 0 takes any free one`,
    min: 0,
    max: 65_535,
    fallback,
  });

const options = {
  serverPort: port('server', 'the model server', 8081),
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

/** `kikitori up`: the whole SageMaker path on this machine, in one process. */
export const up = defineCommand({
  summary: 'run the whole SageMaker path on this machine: model server, bridge, stand-in, live page',
  operands: [],
  options,
  examples: ['kikitori up', 'kikitori up --model tiny --sagemaker-port 9443'],
  run: upUntilStopped,
});

async function upUntilStopped({ options: given }: UpInput, context: Context): Promise<number> {
  const { env, factories, signal, stderr } = context;
  const ports = {
    server: given.serverPort,
    bridge: given.bridgePort,
    sagemaker: given.sagemakerPort,
    page: given.pagePort,
  };
  await assertPortsFree(
    [
      { port: ports.server, flag: longName(options.serverPort) },
      { port: ports.bridge, flag: longName(options.bridgePort) },
      { port: ports.sagemaker, flag: longName(options.sagemakerPort) },
      ...(ports.page === undefined ? [] : [{ port: ports.page, flag: longName(options.pagePort) }]),
    ],
    'kikitori up',
  );
  const engine = deferEngine(() => loadEngine(given, context));
  const { endpoint, plaintext: isPlaintext, region = awsRegion(env) ?? DEFAULT_REGION } = given;
  const logger = await factories.createLogger(given.logLevel);
  const path = await LocalPath.open(
    { engine: engine.loaded, ports, endpoint, region, isPlaintext, logger },
    context,
  );
  try {
    remark(`Listening on ports ${path.ports.join(', ')}; loading the model…`, stderr);
    engine.load();
    const { info } = await engine.loaded;
    const { model, streamsMax } = info;
    await path.inService(signal);
    await path.openPage(info, context);
    const title = [
      `Kikitori ${version()}`,
      ' is up: the way to a SageMaker endpoint, on this machine',
    ] as const;
    announce(
      title,
      path.lines(`${model}, ${streamsMax} speaker${streamsMax === 1 ? '' : 's'} at once`),
      context,
    );
    await untilAborted(signal);
    remark('Stopping: what is being said is answered first; Ctrl-C again ends at once.', stderr);
    await path.drain();
    return 0;
  } finally {
    await path.close();
    await engine.close();
  }
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
