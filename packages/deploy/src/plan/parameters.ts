import { DeployError } from '../errors.js';
import { jsonObjectOf } from '../json-object.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { instanceOf } from '../settings/instances.js';
import {
  defined,
  ENGINES,
  type EndpointSettings,
  type Engine,
  type ResolvedSettings,
  withDefaults,
} from '../settings/settings.js';
import type { GivenImage, GivenWeights } from '../supplies/supply.js';

/** What the stack is given besides the settings. */
export interface StackInputs {
  readonly image: GivenImage;
  readonly weights: GivenWeights | undefined;
  /** Instances at the start of the stack's life. It must not change with the minimum: that would replace the configuration. */
  readonly initialInstances: number;
  readonly createsLogGroup: boolean;
}

/** The template's parameters for settings. */
export function stackParameters(
  settings: ResolvedSettings,
  inputs: StackInputs,
): Readonly<Record<string, string>> {
  const { vllm } = settings;
  const { gpus } = instanceOf(settings.instanceType);
  const values: Readonly<Record<string, string | number | boolean>> = {
    EndpointName: settings.endpointName,
    Engine: settings.engine,
    ImageUri: inputs.image.imageUri,
    ImageRepositoryArn: inputs.image.repositoryArn,
    ModelBucket: inputs.weights?.bucket ?? '',
    ModelPrefix: inputs.weights?.prefix ?? '',
    NetworkIsolation: settings.networkIsolation,
    InstanceType: settings.instanceType,
    InferenceAmiVersion: settings.inferenceAmiVersion,
    InitialInstances: inputs.initialInstances,
    MinInstances: settings.instancesMin,
    MaxInstances: settings.instancesMax,
    TargetSessions: settings.sessionsTarget,
    ScaleOutCooldownSeconds: settings.scaleOutCooldownSeconds,
    ScaleInCooldownSeconds: settings.scaleInCooldownSeconds,
    ModelDownloadTimeoutSeconds: settings.modelDownloadTimeoutSeconds,
    StartupTimeoutSeconds: settings.startupTimeoutSeconds,
    TerminationWaitSeconds: settings.terminationWaitSeconds,
    MaxModelLen: vllm.maxModelLen,
    MaxNumSeqs: vllm.maxNumSeqs,
    GpuMemoryUtilization: vllm.gpuMemoryUtilization,
    KvCacheDtype: vllm.kvCacheDtype,
    Dtype: vllm.dtype,
    TensorParallelSize: vllm.tensorParallelSize,
    CompilationConfig: vllm.compilationConfig,
    ModelFormat: vllm.modelFormat,
    OtherVllmSettings: JSON.stringify(vllm.others),
    BridgeMetrics: settings.bridgeMetrics ? 1 : 0,
    MaxSessions: settings.sessionsMax,
    LogRetentionDays: settings.logRetentionDays,
    CreateLogGroup: inputs.createsLogGroup,
    ConcurrencyAlarmSessions: settings.sessionsMax,
    FirstChunkAlarmMicroseconds: settings.firstChunkAlarmMs * 1_000,
    MidStreamErrorsThreshold: settings.midStreamErrorsAlarm,
    ModelErrorsThreshold: settings.modelErrorsAlarm,
    GpuMemoryAlarmPercent: settings.gpuMemoryAlarmPercent * Math.max(gpus, 1),
    AlarmTopicArn: settings.alarmTopicArn,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** Holds what the template is told of vLLM's other settings, for its own memory, against CloudFormation's bound. Throws `DeployError` `invalid_setting`. */
export function checkParameters({ vllm: { others } }: ResolvedSettings): void {
  const bytes = Buffer.byteLength(JSON.stringify(others));
  if (bytes <= DEPLOY_LIMITS.parameterBytesMax) return;
  throw new DeployError('invalid_setting', {
    sentence: `The other settings of vLLM are ${bytes} bytes long together; CloudFormation takes up to ${DEPLOY_LIMITS.parameterBytesMax}. Leave some of --vllm out.`,
  });
}

/**
 * Settings for a stack that is there: what was asked for now, else what it has, else the defaults. With another engine or instance type, what
 * depends on these is worked out anew.
 */
export function settingsOver(
  given: EndpointSettings,
  parameters: Readonly<Record<string, string>> | undefined,
): ResolvedSettings {
  if (parameters === undefined) return withDefaults(given);
  const before = settingsFrom(parameters);
  const hasSameEngine = before.engine === given.engine;
  const hasSameType = (given.instanceType ?? before.instanceType) === before.instanceType;
  if (!hasSameEngine) return withDefaults(given);
  const { sessionsMax, sessionsTarget, gpuMemoryAlarmPercent, vllm, ...kept } = before;
  const { tensorParallelSize, ...keptVllm } = vllm ?? {};
  const saysSessions = given.vllm?.maxNumSeqs !== undefined || given.sessionsMax !== undefined;
  const min = given.instancesMin ?? before.instancesMin ?? 1;
  return withDefaults({
    ...kept,
    // More at least than there were at most: as many at most.
    instancesMax: Math.max(min, before.instancesMax ?? 1),
    ...(hasSameType ? { sessionsMax, gpuMemoryAlarmPercent } : {}),
    ...(hasSameType && !saysSessions ? { sessionsTarget } : {}),
    ...defined(given),
    vllm: {
      ...keptVllm,
      ...(hasSameType ? { tensorParallelSize } : {}),
      ...defined(given.vllm ?? {}),
    },
  } as EndpointSettings);
}

/** The engine that was asked for, else that of the endpoint, else vLLM. */
export function engineOf(
  given: Engine | undefined,
  parameters: Readonly<Record<string, string>> | undefined,
): Engine {
  return given ?? ENGINES.find((one) => one === parameters?.['Engine']) ?? 'vllm';
}

/** The settings that a stack has. Reads what `stackParameters` wrote. */
export function settingsFrom(parameters: Readonly<Record<string, string>>): EndpointSettings {
  const text = (name: string) => parameters[name] ?? '';
  const number = (name: string) => Number(parameters[name]);
  const engine = engineOf(undefined, parameters);
  const instanceType = text('InstanceType');
  const gpus = Math.max(instanceOf(instanceType).gpus, 1);
  return {
    engine,
    endpointName: text('EndpointName'),
    instanceType,
    inferenceAmiVersion: text('InferenceAmiVersion'),
    networkIsolation: text('NetworkIsolation') === 'true',
    instancesMin: number('MinInstances'),
    instancesMax: number('MaxInstances'),
    sessionsMax: number('MaxSessions'),
    sessionsTarget: number('TargetSessions'),
    scaleOutCooldownSeconds: number('ScaleOutCooldownSeconds'),
    scaleInCooldownSeconds: number('ScaleInCooldownSeconds'),
    modelDownloadTimeoutSeconds: number('ModelDownloadTimeoutSeconds'),
    startupTimeoutSeconds: number('StartupTimeoutSeconds'),
    terminationWaitSeconds: number('TerminationWaitSeconds'),
    logRetentionDays: number('LogRetentionDays'),
    firstChunkAlarmMs: number('FirstChunkAlarmMicroseconds') / 1_000,
    midStreamErrorsAlarm: number('MidStreamErrorsThreshold'),
    modelErrorsAlarm: number('ModelErrorsThreshold'),
    gpuMemoryAlarmPercent: number('GpuMemoryAlarmPercent') / gpus,
    alarmTopicArn: text('AlarmTopicArn'),
    bridgeMetrics: text('BridgeMetrics') === '1',
    vllm: {
      maxModelLen: number('MaxModelLen'),
      maxNumSeqs: number('MaxNumSeqs'),
      gpuMemoryUtilization: number('GpuMemoryUtilization'),
      kvCacheDtype: text('KvCacheDtype'),
      dtype: text('Dtype'),
      tensorParallelSize: number('TensorParallelSize'),
      compilationConfig: text('CompilationConfig'),
      modelFormat: text('ModelFormat') === 'auto' ? 'auto' : 'mistral',
      others: Object.fromEntries(
        Object.entries(jsonObjectOf(text('OtherVllmSettings')) ?? {}).map(([name, value]) => [
          name,
          String(value),
        ]),
      ),
    },
  };
}
