import { DeployError } from '../errors.js';
import { jsonObjectOf } from '../json-object.js';
import { checkEnvironment } from './check-environment.js';
import { instanceOf } from './instances.js';
import type { ResolvedSettings } from './settings.js';

type NumberName = {
  [K in keyof ResolvedSettings]: ResolvedSettings[K] extends number ? K : never;
}[keyof ResolvedSettings];

/** Bounds of SageMaker, Application Auto Scaling and our template, both ends included. */
const BOUNDS: Readonly<Record<NumberName, readonly [number, number]>> = {
  instancesMin: [1, 100],
  instancesMax: [1, 100],
  sessionsMax: [1, 10_000],
  sessionsTarget: [1, 10_000],
  scaleOutCooldownSeconds: [0, 3_600],
  scaleInCooldownSeconds: [0, 3_600],
  modelDownloadTimeoutSeconds: [60, 3_600],
  startupTimeoutSeconds: [60, 3_600],
  terminationWaitSeconds: [0, 3_600],
  logRetentionDays: [1, 3_653],
  firstChunkAlarmMs: [1, 600_000],
  midStreamErrorsAlarm: [1, 1_000_000],
  modelErrorsAlarm: [1, 1_000_000],
  gpuMemoryAlarmPercent: [1, 100],
};

/** What CloudWatch Logs keeps a log for, in days. */
export const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/** Flags that have their own setting here, and those that would break the way to the bridge. */
const RESERVED_FLAGS: ReadonlySet<string> = new Set([
  'model',
  'host',
  'port',
  'max-model-len',
  'max-num-seqs',
  'gpu-memory-utilization',
  'kv-cache-dtype',
  'dtype',
  'tensor-parallel-size',
  'compilation-config',
  'tokenizer-mode',
  'config-format',
  'load-format',
]);

/** Holds settings against every bound that is known without asking AWS. Throws `DeployError` `invalid_setting`. */
export function checkSettings(settings: ResolvedSettings): void {
  for (const [name, [min, max]] of Object.entries(BOUNDS)) {
    // The keys of BOUNDS are the numbers of the settings.
    const value = settings[name as NumberName];
    refuseUnless(
      Number.isInteger(value) && value >= min && value <= max,
      `${name} must be a whole number from ${min} to ${max}.`,
    );
  }
  refuseUnless(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/.test(settings.endpointName), NAME_RULE);
  refuseUnless(
    settings.instancesMax >= settings.instancesMin,
    'There must be at least as many instances at most as at least: raise --max-instances or lower --min-instances.',
  );
  refuseUnless(RETENTION_DAYS.includes(settings.logRetentionDays), RETENTION_RULE);
  refuseUnless(
    settings.alarmTopicArn === '' || /^arn:aws[a-z-]*:sns:[^:]+:\d{12}:.+$/.test(settings.alarmTopicArn),
    'The alarm topic is the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:alarms.',
  );
  const { gpus } = instanceOf(settings.instanceType);
  if (settings.engine === 'vllm') checkVllm(settings, gpus);
  checkEnvironment(settings);
}

const NAME_RULE =
  'An endpoint name has 1 to 63 letters, digits and hyphens, and begins and ends with a letter or digit.';
const RETENTION_RULE = `A log is kept for one of these numbers of days: ${RETENTION_DAYS.join(', ')}.`;

function checkVllm({ vllm }: ResolvedSettings, gpus: number): void {
  refuseUnless(
    gpus > 0,
    'vLLM needs a GPU: choose an instance type of g5, g6 or g6e, or --engine moonshine.',
  );
  const { maxModelLen, maxNumSeqs, gpuMemoryUtilization, tensorParallelSize } = vllm;
  refuseUnless(
    isWithin(maxModelLen, 256, 10_000_000),
    'The longest session has 256 to 10000000 tokens of 80 ms.',
  );
  refuseUnless(isWithin(maxNumSeqs, 1, 10_000), 'vLLM serves 1 to 10000 sessions at once.');
  refuseUnless(
    gpuMemoryUtilization > 0 && /^(0\.\d{1,6}|1)$/.test(String(gpuMemoryUtilization)),
    'The part of the GPU memory that vLLM takes is above 0 and at most 1, with up to six digits behind the point, such as 0.9.',
  );
  refuseUnless(
    isWithin(tensorParallelSize, 1, gpus),
    `The model can be shared by 1 to ${gpus} GPUs on this instance type.`,
  );
  for (const [name, value, words] of [
    ['KV cache', vllm.kvCacheDtype, /^[a-z0-9_]+$/],
    ['weights', vllm.dtype, /^[a-z0-9]+$/],
  ] as const) {
    refuseUnless(words.test(value), `The type of the ${name} is a word such as auto or bfloat16.`);
  }
  refuseUnless(
    jsonObjectOf(vllm.compilationConfig) !== undefined && /^\{.*\}$/.test(vllm.compilationConfig),
    'The compilation config is a JSON object on one line, such as {"cudagraph_mode": "PIECEWISE"}.',
  );
  for (const name of Object.keys(vllm.others)) {
    refuseUnless(
      /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name),
      'Other settings of vLLM are named as its flags, without dashes in front: max-num-batched-tokens.',
    );
    refuseUnless(
      !RESERVED_FLAGS.has(name),
      `${name} of vLLM has a flag of its own here, or belongs to the bridge; it cannot be set among the others.`,
    );
  }
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

function refuseUnless(holds: boolean, sentence: string): void {
  if (!holds) throw new DeployError('invalid_setting', { sentence });
}
