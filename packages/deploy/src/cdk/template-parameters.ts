import { CfnParameter, type CfnParameterProps, type Stack } from 'aws-cdk-lib';
import { RETENTION_DAYS } from '../settings/check-settings.js';

const DEFAULT_TIMEOUT = 3_600;

interface Group {
  readonly label: string;
  readonly parameters: Readonly<Record<string, CfnParameterProps>>;
}

const number = (
  description: string,
  fallback: number,
  minValue: number,
  maxValue: number,
): CfnParameterProps => ({
  type: 'Number',
  description,
  default: fallback,
  minValue,
  maxValue,
});
const text = (
  description: string,
  fallback: string | undefined,
  allowedPattern?: string,
): CfnParameterProps => ({
  type: 'String',
  description,
  ...(fallback === undefined ? {} : { default: fallback }),
  ...(allowedPattern === undefined ? {} : { allowedPattern }),
});
// What becomes a variable of the container must be text: a map of variables has no place for numbers.
const digits = (description: string, fallback: string): CfnParameterProps =>
  text(description, fallback, '^[1-9][0-9]{0,7}$');
const oneOf = (description: string, fallback: string, allowedValues: string[]): CfnParameterProps => ({
  type: 'String',
  description,
  default: fallback,
  allowedValues,
});

/** Everything about an endpoint that changes. The defaults are for vLLM and Voxtral Mini 4B Realtime, as AWS's post has it. */
const GROUPS = [
  {
    label: 'What is served',
    parameters: {
      EndpointName: text('Name of the endpoint.', 'kikitori', '^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$'),
      Engine: oneOf('vllm needs a GPU; moonshine runs on processors.', 'vllm', ['vllm', 'moonshine']),
      ImageUri: text(
        'Image of containers/vllm or containers/moonshine in ECR, with tag or digest.',
        undefined,
        '.+',
      ),
      ImageRepositoryArn: text(
        'ARN of its ECR repository: the role pulls from no other.',
        undefined,
        '^arn:aws[a-z-]*:ecr:.+:repository/.+$',
      ),
      ModelBucket: text('Bucket of the weights; empty where the image holds them.', ''),
      ModelPrefix: text('Key prefix of the weights, with a slash at its end.', '', '^$|^[^*?$]+/$'),
      NetworkIsolation: oneOf('Whether the container is cut off from all networks.', 'false', [
        'true',
        'false',
      ]),
    },
  },
  {
    label: 'Instances',
    parameters: {
      InstanceType: text('Instance type for endpoints.', 'ml.g6.4xlarge', '^ml\\..+$'),
      InferenceAmiVersion: text(
        'Machine image with its GPU driver; only for vllm.',
        'al2023-ami-sagemaker-inference-gpu-4-1',
      ),
      InitialInstances: number(
        'Instances at the start; afterwards scaling decides. To change it replaces the configuration.',
        1,
        1,
        100,
      ),
      MinInstances: number('Fewest instances.', 1, 1, 100),
      MaxInstances: number('Most instances.', 1, 1, 100),
      TargetSessions: number('Sessions at once for one instance that scaling aims at.', 3, 1, 10_000),
      ScaleOutCooldownSeconds: number('Wait after adding instances.', 60, 0, DEFAULT_TIMEOUT),
      ScaleInCooldownSeconds: number('Wait after taking instances away.', 600, 0, DEFAULT_TIMEOUT),
      ModelDownloadTimeoutSeconds: number('For the weights to come from S3.', 1_800, 60, 3_600),
      StartupTimeoutSeconds: number('For the container to answer /ping with 200.', 1_800, 60, 3_600),
      TerminationWaitSeconds: number(
        'How long an update leaves the old instances to their streams, which last 30 minutes at most.',
        1_800,
        0,
        3_600,
      ),
    },
  },
  {
    label: 'vLLM',
    parameters: {
      MaxModelLen: digits('Longest session in tokens of 80 ms: 45000 is an hour.', '45000'),
      MaxNumSeqs: digits('Sessions at once for one instance; more wait.', '4'),
      GpuMemoryUtilization: text(
        'Part of the GPU memory that vLLM takes.',
        '0.9',
        '^0\\.[0-9]{1,6}$|^1(\\.0)?$',
      ),
      KvCacheDtype: text('Type of the KV cache.', 'auto', '^[a-z0-9_]+$'),
      Dtype: text('Type of the weights.', 'auto', '^[a-z0-9]+$'),
      TensorParallelSize: digits('GPUs that share the model.', '1'),
      CompilationConfig: text(
        'JSON for --compilation-config. Voxtral needs piecewise CUDA graphs.',
        '{"cudagraph_mode": "PIECEWISE"}',
        '^\\{.*\\}$',
      ),
      ModelFormat: oneOf(
        "Format of tokenizer, configuration and weights; mistral is Mistral's own.",
        'mistral',
        ['mistral', 'auto', 'hf'],
      ),
      OtherVllmSettings: text(
        'What the command added to the variables of the Model below, as JSON; for its own memory. By hand: change the variables.',
        '{}',
      ),
      BridgeMetrics: oneOf('Whether the bridge writes session metrics into the log, for CloudWatch.', '1', [
        '0',
        '1',
      ]),
    },
  },
  {
    label: 'Moonshine',
    parameters: {
      MaxSessions: digits('Speakers at once for one instance; more are refused.', '4'),
    },
  },
  {
    label: 'Watching',
    parameters: {
      LogRetentionDays: {
        type: 'Number',
        description: 'Days that the log is kept.',
        // Of the kind of the allowed values, which CDK takes as text.
        default: '14',
        allowedValues: RETENTION_DAYS.map(String),
      },
      CreateLogGroup: oneOf('false where /aws/sagemaker/Endpoints/NAME is there already.', 'true', [
        'true',
        'false',
      ]),
      ConcurrencyAlarmSessions: number('Alarm at this many sessions at once on one instance.', 4, 1, 10_000),
      FirstChunkAlarmMicroseconds: number(
        'Alarm at this p90 of the time to the first answer.',
        2_000_000,
        1,
        600_000_000,
      ),
      MidStreamErrorsThreshold: number(
        'Alarm at this many sessions broken off in five minutes.',
        1,
        1,
        1_000_000,
      ),
      ModelErrorsThreshold: number(
        'Alarm at this many errors of the container in five minutes.',
        5,
        1,
        1_000_000,
      ),
      GpuMemoryAlarmPercent: number(
        'Alarm at this much GPU memory, all GPUs of an instance added up.',
        97,
        1,
        1_600,
      ),
      AlarmTopicArn: text('SNS topic that the alarms tell; empty for none.', ''),
    },
  },
] as const satisfies readonly Group[];

type NamesOf<G> = G extends { readonly parameters: infer P } ? keyof P : never;

/** Names of the template's parameters. */
export type ParameterName = NamesOf<(typeof GROUPS)[number]>;

/** Makes all parameters, and the groups under which the console shows them. */
export function templateParameters(stack: Stack): Readonly<Record<ParameterName, CfnParameter>> {
  const made: Record<string, CfnParameter> = {};
  for (const { parameters } of GROUPS) {
    for (const [name, props] of Object.entries(parameters)) made[name] = new CfnParameter(stack, name, props);
  }
  stack.templateOptions.metadata = {
    'AWS::CloudFormation::Interface': {
      ParameterGroups: GROUPS.map(({ label, parameters }) => ({
        Label: { default: label },
        Parameters: Object.keys(parameters),
      })),
    },
  };
  // The loop made exactly the names of GROUPS.
  return made as Record<ParameterName, CfnParameter>;
}
