import { DEFAULT_UPSTREAM, parseBridgeSettings, runBridge } from '@kikitori/bridge';
import { type CommandInput, defineCommand } from '../command.js';
import { type Context, LOG_LEVELS } from '../context.js';
import { choice, flag, integer, longName, text } from '../options.js';
import { remark } from '../terminal/beside.js';

const LOOPBACK = '127.0.0.1';

const options = {
  port: integer({
    flags: '--port <number>',
    description: 'port to listen on; 0 takes any free one (default: 8080)',
    min: 0,
    max: 65_535,
    fallback: undefined,
  }),
  host: text({
    flags: '--host <address>',
    description: `address to listen on; a container needs 0.0.0.0 (default: ${LOOPBACK})`,
    fallback: undefined,
  }),
  upstream: text({
    flags: '--upstream <url>',
    description: `the Realtime server (default: ${DEFAULT_UPSTREAM})`,
    fallback: undefined,
  }),
  paths: text({
    flags: '--paths <list>',
    description: 'more paths to take WebSockets on, and where they lead: /from[=/to][:binary],…',
    fallback: undefined,
  }),
  invocations: text({
    flags: '--invocations <path>',
    description:
      'path of the model server that POST /invocations leads to, or off (default: /v1/audio/transcriptions)',
    fallback: undefined,
  }),
  allowOrigin: text({
    flags: '--allow-origin <origins>',
    description: 'other sites whose pages may open sessions, e.g. https://example.com, separated by commas',
    fallback: undefined,
  }),
  startupWait: integer({
    flags: '--startup-wait-seconds <seconds>',
    description: 'how long a session waits for a model server that is not up (default: 20)',
    min: 0,
    max: 3600,
    fallback: undefined,
  }),
  drain: integer({
    flags: '--drain-seconds <seconds>',
    description: 'how long live sessions may go on after SIGTERM (default: 25)',
    min: 0,
    max: 3600,
    fallback: undefined,
  }),
  maxSessions: integer({
    flags: '--sessions-max <number>',
    description: 'sessions and files at once; more are refused (default: 4096)',
    min: 1,
    max: 100_000,
    fallback: undefined,
  }),
  execArguments: text({
    flags: '--exec-arguments <style>',
    description:
      'vllm: append --port, --model and what SM_VLLM_* says to the command; none: do not (default: vllm)',
    fallback: undefined,
  }),
  exec: flag({ flags: '--exec', description: 'run the model server behind -- too, and keep it running' }),
  emf: flag({ flags: '--emf', description: 'session metrics for CloudWatch, as lines on stdout' }),
  logLevel: choice({
    flags: '--log-level <level>',
    description: 'how much to log on stderr',
    choices: LOG_LEVELS,
    fallback: 'info',
  }),
};

type BridgeInput = CommandInput<typeof options>;

/** `kikitori bridge`: what runs in a SageMaker container, between SageMaker and the model server. */
export const bridge = defineCommand({
  summary: 'pass WebSockets of SageMaker on to a Realtime server, as its container does',
  operands: [
    { name: 'command', description: 'behind --: the model server to run', required: false, isList: true },
  ],
  options,
  examples: [
    'kikitori bridge --upstream ws://127.0.0.1:8081/v1/realtime',
    'kikitori bridge --exec -- kikitori serve',
    'kikitori bridge --host 0.0.0.0 --exec -- python3 -m vllm.entrypoints.openai.api_server',
  ],
  run: runUntilStopped,
});

async function runUntilStopped(input: BridgeInput, context: Context): Promise<number> {
  const { stdout, stderr, signal, factories, env } = context;
  // On a desk nobody else should get in; the bridge's own default is that of a container.
  const settings = parseBridgeSettings(argumentsOf(input), { KIKITORI_BRIDGE_HOST: LOOPBACK, ...env });
  return await runBridge(settings, {
    logger: await factories.createLogger(input.options.logLevel),
    writeOut: (line) => stdout.write(line),
    onListening: (port) => {
      const { protocol, host, pathname } = new URL(settings.upstream);
      const upstream = `${protocol}//${host}${pathname}`;
      remark(`Listening on ${settings.host} port ${port}; sessions go to ${upstream}.`, stderr);
    },
    signal,
  });
}

/** The flags in the words of the bridge's own command, which reads KIKITORI_BRIDGE_* besides and knows the defaults. */
function argumentsOf({ operands, options: given }: BridgeInput): readonly string[] {
  const { exec, emf, logLevel: _ownLog, ...valued } = given;
  const words: string[] = [];
  for (const [name, value] of Object.entries(valued)) {
    if (value !== undefined) words.push(longName(options[name as keyof typeof options]), String(value));
  }
  if (emf) words.push('--emf');
  // As SageMaker calls a container.
  if (!exec && operands.length === 1 && operands[0] === 'serve') return [...words, 'serve'];
  if (exec) words.push('--exec');
  return operands.length === 0 ? words : [...words, '--', ...operands];
}
