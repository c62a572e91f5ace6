import { instanceOf } from './instances.js';

/** What answers sessions: vLLM with Voxtral on a GPU, or our own server with Moonshine on processors. */
export const ENGINES = ['vllm', 'moonshine'] as const;
export type Engine = (typeof ENGINES)[number];

/** vLLM's own settings. Each becomes `SM_VLLM_…` in the container. */
export interface VllmSettings {
  /** Tokens of one session at most; 80 ms of audio each. */
  readonly maxModelLen: number;
  /** Sessions that are served at once; more wait. */
  readonly maxNumSeqs: number;
  /** Part of the GPU's memory that vLLM takes, above 0, at most 1. */
  readonly gpuMemoryUtilization: number;
  readonly kvCacheDtype: string;
  readonly dtype: string;
  /** GPUs that share the model. */
  readonly tensorParallelSize: number;
  /** JSON for `--compilation-config`. */
  readonly compilationConfig: string;
  /** Format of tokenizer, configuration and weights. */
  readonly modelFormat: 'mistral' | 'auto';
  /**
   * Any other setting, by the name of its flag without dashes in front (`max-num-batched-tokens`). The value is passed on as the containers
   * read it: `true` is a bare flag, `false` leaves it out, a JSON array is several words.
   */
  readonly others: Readonly<Record<string, string>>;
}

/** What somebody asks for. What is not said has a default, which may depend on the engine and the instance. */
export interface EndpointSettings extends Partial<Omit<ResolvedSettings, 'vllm' | 'engine'>> {
  readonly engine: Engine;
  readonly vllm?: Partial<VllmSettings>;
}

/** Everything about an endpoint that the template's parameters carry, without image and weights. */
export interface ResolvedSettings {
  readonly engine: Engine;
  /** 1 to 63 letters, digits and hyphens. */
  readonly endpointName: string;
  readonly instanceType: string;
  readonly instancesMin: number;
  readonly instancesMax: number;
  /** Sessions at once that one instance is made for. */
  readonly sessionsMax: number;
  /** Sessions at once for one instance that scaling aims at. */
  readonly sessionsTarget: number;
  readonly scaleOutCooldownSeconds: number;
  readonly scaleInCooldownSeconds: number;
  readonly inferenceAmiVersion: string;
  readonly modelDownloadTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  /** How long an update leaves the old instances to their streams. */
  readonly terminationWaitSeconds: number;
  readonly networkIsolation: boolean;
  readonly logRetentionDays: number;
  readonly firstChunkAlarmMs: number;
  readonly midStreamErrorsAlarm: number;
  readonly modelErrorsAlarm: number;
  /** Percent of one GPU's memory. */
  readonly gpuMemoryAlarmPercent: number;
  /** ARN of an SNS topic; empty for none. */
  readonly alarmTopicArn: string;
  /** Whether the bridge writes session metrics. */
  readonly bridgeMetrics: boolean;
  readonly vllm: VllmSettings;
}

/** Where nothing is said. vLLM's are those of AWS's post about Voxtral. */
export const DEFAULTS = {
  endpointName: 'kikitori',
  instanceType: { vllm: 'ml.g6.4xlarge', moonshine: 'ml.c5.xlarge' },
  maxNumSeqs: 4,
  maxModelLen: 45_000,
  /** Of the sessions that an instance is made for: where another one is added. AWS advises 70 to 80 %. */
  targetShare: 0.75,
} as const;

/** Fills in what was not said. Checks nothing but the instance type: see `checkSettings`. Throws `DeployError` `instance_unknown`. */
export function withDefaults(given: EndpointSettings): ResolvedSettings {
  const instanceType = given.instanceType ?? DEFAULTS.instanceType[given.engine];
  const { gpus, vcpus } = instanceOf(instanceType);
  const vllm: VllmSettings = {
    maxModelLen: DEFAULTS.maxModelLen,
    maxNumSeqs: DEFAULTS.maxNumSeqs,
    gpuMemoryUtilization: 0.9,
    kvCacheDtype: 'auto',
    dtype: 'auto',
    tensorParallelSize: Math.max(gpus, 1),
    compilationConfig: '{"cudagraph_mode": "PIECEWISE"}',
    modelFormat: 'mistral',
    others: {},
    ...defined(given.vllm ?? {}),
  };
  // Measured: six live speakers on two cores. One for each virtual core is careful.
  const sessionsMax = given.engine === 'vllm' ? vllm.maxNumSeqs : (given.sessionsMax ?? vcpus);
  const instancesMin = given.instancesMin ?? 1;
  return {
    endpointName: DEFAULTS.endpointName,
    instancesMax: Math.max(instancesMin, 1),
    sessionsTarget: Math.max(1, Math.floor(sessionsMax * DEFAULTS.targetShare)),
    scaleOutCooldownSeconds: 60,
    scaleInCooldownSeconds: 600,
    inferenceAmiVersion: 'al2023-ami-sagemaker-inference-gpu-4-1',
    modelDownloadTimeoutSeconds: 1_800,
    startupTimeoutSeconds: 1_800,
    terminationWaitSeconds: 1_800,
    networkIsolation: false,
    logRetentionDays: 14,
    firstChunkAlarmMs: 2_000,
    midStreamErrorsAlarm: 1,
    modelErrorsAlarm: 5,
    gpuMemoryAlarmPercent: 97,
    alarmTopicArn: '',
    bridgeMetrics: true,
    ...defined(given),
    engine: given.engine,
    instanceType,
    instancesMin,
    sessionsMax,
    vllm,
  };
}

/** Without the keys that are there and undefined: a flag that was not given must not hide a default. */
export function defined<T extends object>(values: T): { readonly [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(values).filter(([, value]) => value !== undefined);
  // The same keys, fewer of them; whoever spreads this has put a default underneath.
  return Object.fromEntries(kept) as { readonly [K in keyof T]: Exclude<T[K], undefined> };
}
