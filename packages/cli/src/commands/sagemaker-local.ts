import { untilAborted } from '@kikitori/core';
import { DEFAULT_CONTAINER_URL, DEFAULT_REGION, DEFAULT_RUNTIME_PORT } from '@kikitori/sagemaker/stand-in';
import { awsRegion } from '../aws/region.js';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { CliError } from '../errors.js';
import { choice, flag, integer, parsed, text } from '../options.js';
import { DEFAULT_ENDPOINT } from '../options-shared.js';
import { version } from '../program.js';
import { linesOf, startStandIn } from '../sagemaker/stand-in.js';
import { announce } from '../terminal/announcement.js';
import { remark } from '../terminal/beside.js';

const options = {
  port: integer({
    flags: '--port <number>',
    description: 'port to listen on, on this machine alone; 0 takes any free one',
    min: 0,
    max: 65_535,
    fallback: DEFAULT_RUNTIME_PORT,
  }),
  container: text({
    flags: '--container <url>',
    description: 'where the container listens, without a path',
    fallback: DEFAULT_CONTAINER_URL,
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
  tlsName: parsed<readonly string[], readonly string[]>({
    flags: '--tls-name <names>',
    description:
      'more host names for the certificate, for clients that know only AWS’s (with a line for each in the hosts file)',
    fallback: [],
    parse: (names) => names.split(',').map((name) => name.trim()),
  }),
  streamMinutes: parsed<number, undefined>({
    flags: '--stream-minutes <minutes>',
    description:
      'longest life of a stream, 0.05 to 30, to see what clients do at its end (default: 30, as SageMaker)',
    fallback: undefined,
    parse: minutesOf,
  }),
  plaintext: flag({ flags: '--plaintext', description: 'HTTP/2 without TLS' }),
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much to log on stderr',
    choices: LOG_LEVELS,
    fallback: 'info',
  }),
};

const STREAM_MINUTES_MIN = 0.05;
const STREAM_MINUTES_MAX = 30;
const MS_PER_MINUTE = 60_000;

function minutesOf(text: string, label: string): number {
  const minutes = /^\d{1,2}(\.\d{1,3})?$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (minutes >= STREAM_MINUTES_MIN && minutes <= STREAM_MINUTES_MAX) return minutes;
  throw new CliError(
    'usage',
    `${label} must be a number from ${STREAM_MINUTES_MIN} to ${STREAM_MINUTES_MAX}.`,
  );
}

type StandInInput = CommandInput<typeof options>;

/** `kikitori sagemaker-local`: SageMaker's runtime, played on this machine in front of a container. */
export const sagemakerLocal = defineCommand({
  summary: "stand in for SageMaker's runtime in front of a container on this machine",
  operands: [],
  options,
  examples: [
    'kikitori sagemaker-local',
    'kikitori sagemaker-local --container ws://127.0.0.1:9090 --endpoint demo',
    'kikitori sagemaker-local --plaintext --port 8444',
    'kikitori sagemaker-local --stream-minutes 0.5',
  ],
  run: standInUntilStopped,
});

async function standInUntilStopped({ options: given }: StandInInput, context: Context): Promise<number> {
  const { env, factories, signal, stderr } = context;
  const { port, container, endpoint, plaintext } = given;
  const standIn = await startStandIn(
    {
      port,
      endpoint,
      containerUrl: container.replace(/\/$/, ''),
      isPlaintext: plaintext,
      tlsNames: given.tlsName,
      streamMsMax: given.streamMinutes === undefined ? undefined : given.streamMinutes * MS_PER_MINUTE,
      region: given.region ?? awsRegion(env) ?? DEFAULT_REGION,
      logger: await factories.createLogger(given.logLevel),
    },
    env,
  );
  try {
    const title = [`Kikitori ${version()}`, ` stands in for SageMaker in front of ${container}`] as const;
    announce(title, linesOf(standIn, endpoint), context);
    await standIn.runtime.whenInService({ signal });
    remark(`The container is up: endpoint ${endpoint} is in service.`, stderr);
    await untilAborted(signal);
    return 0;
  } finally {
    await standIn.close();
  }
}
