import type { AskedSettings, BuilderName, Engine } from '@kikitori/deploy';
import { CliError } from '../errors.js';
import { flag, integer, type OptionValues, parsed, text } from '../options.js';
import { regionOption } from '../options-shared.js';

/** The endpoint's name where nobody says one. */
export const DEFAULT_ENDPOINT_NAME = 'kikitori';

/** `--endpoint`, for the commands about an endpoint on AWS. */
export const ownEndpointOption = text({
  flags: '--endpoint <name>',
  description: 'name of the endpoint',
  fallback: DEFAULT_ENDPOINT_NAME,
});

/** `--region`, likewise. */
export const ownRegionOption = {
  ...regionOption,
  description: "AWS region (default: AWS_REGION, else the profile's)",
};

const BUILDERS: readonly BuilderName[] = ['docker', 'finch', 'podman', 'buildah'];
const ENGINE_CHOICES: readonly Engine[] = ['vllm', 'moonshine'];

/** `--engine`: without it that of the endpoint is kept, and a new one gets vLLM. */
export const ownEngineOption = parsed<Engine, undefined>({
  flags: '--engine <engine>',
  description: 'vllm needs a GPU; moonshine runs on processors (default: what the endpoint has, else vllm)',
  fallback: undefined,
  parse: (value, label) => oneOf(ENGINE_CHOICES, value, label),
});

const count = (flags: string, description: string, min: number, max: number) =>
  integer({ flags, description, min, max, fallback: undefined });
const word = (flags: string, description: string) => text({ flags, description, fallback: undefined });

/** Flags of `kikitori deploy`. What is not given keeps what the endpoint has, else a default. */
export const deployOptions = {
  endpoint: ownEndpointOption,
  region: ownRegionOption,
  engine: ownEngineOption,
  image: word('--image <uri>', 'image in ECR; without it, it is built and pushed'),
  builder: parsed<BuilderName, undefined>({
    flags: '--builder <name>',
    description: 'what builds it: docker, finch, podman, buildah (default: the first that works)',
    fallback: undefined,
    parse: (value, label) => oneOf(BUILDERS, value, label),
  }),
  weights: word(
    '--weights <name>',
    'weights of a hub, owner/name[@revision] (default: Voxtral Mini 4B Realtime)',
  ),
  modelS3: word('--model-s3 <uri>', 'weights in S3, s3://BUCKET/PREFIX/'),
  instanceType: word('--instance-type <type>', 'default: ml.g6.4xlarge, or ml.c5.xlarge for moonshine'),
  minInstances: count('--min-instances <number>', 'fewest instances (default: 1)', 1, 100),
  maxInstances: count('--max-instances <number>', 'most instances (default: 1)', 1, 100),
  targetSessions: count(
    '--target-sessions <number>',
    'sessions at once for one instance that scaling aims at (default: three quarters of what it takes)',
    1,
    10_000,
  ),
  maxSessions: count('--max-sessions <number>', 'moonshine: speakers at once for one instance', 1, 10_000),
  maxModelLen: count(
    '--max-model-len <tokens>',
    'vLLM: longest session, 80 ms a token (default: 45000, an hour)',
    256,
    10_000_000,
  ),
  maxNumSeqs: count('--max-num-seqs <number>', 'vLLM: sessions at once (default: 4)', 1, 10_000),
  gpuMemoryUtilization: parsed<number, undefined>({
    flags: '--gpu-memory-utilization <part>',
    description: 'vLLM: its part of the GPU memory (default: 0.9)',
    fallback: undefined,
    parse: parsePart,
  }),
  kvCacheDtype: word('--kv-cache-dtype <type>', 'vLLM (default: auto)'),
  dtype: word('--dtype <type>', 'vLLM (default: auto)'),
  tensorParallelSize: count(
    '--tensor-parallel-size <number>',
    'vLLM: GPUs that share the model (default: all)',
    1,
    16,
  ),
  compilationConfig: word('--compilation-config <json>', 'vLLM (default: {"cudagraph_mode": "PIECEWISE"})'),
  modelFormat: parsed<'mistral' | 'auto', undefined>({
    flags: '--model-format <format>',
    description: 'vLLM: format of tokenizer, configuration and weights: mistral, auto (default: mistral)',
    fallback: undefined,
    parse: (value, label) => oneOf(['mistral', 'auto'] as const, value, label),
  }),
  vllm: word('--vllm <json>', 'any other settings of vLLM: {"max-num-batched-tokens": 8192}'),
  inferenceAmiVersion: word('--inference-ami-version <name>', 'machine image with the GPU driver'),
  startupTimeoutSeconds: count(
    '--startup-timeout-seconds <seconds>',
    'for the container to get ready (default: 1800)',
    60,
    3_600,
  ),
  downloadTimeoutSeconds: count(
    '--download-timeout-seconds <seconds>',
    'for the weights to come from S3 (default: 1800)',
    60,
    3_600,
  ),
  drainSeconds: count(
    '--drain-seconds <seconds>',
    'how long an update leaves the old instances to their streams (default: 1800)',
    0,
    3_600,
  ),
  networkIsolation: flag({
    flags: '--network-isolation',
    description: 'cut the container off from all networks',
  }),
  logRetentionDays: count('--log-retention-days <days>', 'how long the log is kept (default: 14)', 1, 3_653),
  alarmTopic: word('--alarm-topic <arn>', 'SNS topic that the alarms tell'),
  dryRun: flag({ flags: '--dry-run', description: 'print the plan and its cost; touch nothing' }),
  policy: flag({ flags: '--policy', description: 'print the IAM policy that you need; touch nothing' }),
  explain: flag({
    flags: '--explain',
    description: 'print the arithmetic behind the settings and the variables of the container; ask nobody',
  }),
  skipPermissionCheck: flag({
    flags: '--skip-permission-check',
    description: 'do not ask IAM beforehand what these credentials may do',
  }),
  skipTry: flag({ flags: '--skip-try', description: 'do not send a sample through the endpoint at the end' }),
};

/** What was typed. */
export type DeployGiven = OptionValues<typeof deployOptions>;

/** The settings that were asked for. `others` are read from JSON by `decode`, which the package of the deployment brings. */
export function settingsOf(
  given: DeployGiven,
  decode: (text: string) => Readonly<Record<string, string>>,
): AskedSettings {
  const settings: { readonly [K in keyof AskedSettings]: AskedSettings[K] | undefined } = {
    engine: given.engine,
    endpointName: given.endpoint,
    instanceType: given.instanceType,
    instancesMin: given.minInstances,
    instancesMax: given.maxInstances,
    sessionsTarget: given.targetSessions,
    sessionsMax: given.maxSessions,
    inferenceAmiVersion: given.inferenceAmiVersion,
    startupTimeoutSeconds: given.startupTimeoutSeconds,
    modelDownloadTimeoutSeconds: given.downloadTimeoutSeconds,
    terminationWaitSeconds: given.drainSeconds,
    networkIsolation: given.networkIsolation ? true : undefined,
    logRetentionDays: given.logRetentionDays,
    alarmTopicArn: given.alarmTopic,
  };
  const vllm = {
    maxModelLen: given.maxModelLen,
    maxNumSeqs: given.maxNumSeqs,
    gpuMemoryUtilization: given.gpuMemoryUtilization,
    kvCacheDtype: given.kvCacheDtype,
    dtype: given.dtype,
    tensorParallelSize: given.tensorParallelSize,
    compilationConfig: given.compilationConfig,
    modelFormat: given.modelFormat,
    others: given.vllm === undefined ? undefined : decode(given.vllm),
  };
  return { ...said(settings), vllm: said(vllm) };
}

/** Without what was not said: it must not hide what the endpoint has. */
function said<T extends object>(values: T): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  // Fewer keys of the same, none of them undefined.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    readonly [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function parsePart(value: string, label: string): number {
  const part = /^(?:0?\.\d{1,6}|1(?:\.0{1,6})?)$/.test(value) ? Number(value) : 0;
  if (part > 0) return part;
  throw new CliError(
    'usage',
    `${label} must be above 0 and at most 1, with up to six digits behind the point, such as 0.9.`,
  );
}

function oneOf<C extends string>(choices: readonly C[], value: string, label: string): C {
  const found = choices.find((one) => one === value);
  if (found !== undefined) return found;
  throw new CliError('usage', `${label} must be one of: ${choices.join(', ')}.`);
}
