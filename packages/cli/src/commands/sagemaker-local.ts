import { untilAborted } from '@kikitori/core';
import { DEFAULT_CONTAINER_URL, DEFAULT_REGION, DEFAULT_RUNTIME_PORT } from '@kikitori/sagemaker/stand-in';
import { awsRegion } from '../aws/region.js';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { choice, flag, integer, text } from '../options.js';
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
  plaintext: flag({ flags: '--plaintext', description: 'HTTP/2 without TLS' }),
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much to log on stderr',
    choices: LOG_LEVELS,
    fallback: 'info',
  }),
};

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
