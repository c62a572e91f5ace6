import {
  App,
  Aws,
  CfnCondition,
  CfnOutput,
  CfnRule,
  Fn,
  type IResolvable,
  type IStackSynthesizer,
  LegacyStackSynthesizer,
  Stack,
  Token,
} from 'aws-cdk-lib';
import { endpointResources } from './endpoint-resources.js';
import type { EndpointValues } from './endpoint-values.js';
import { type ParameterName, templateParameters } from './template-parameters.js';

const DESCRIPTION =
  'Speech to text as it is spoken, on a SageMaker endpoint with bidirectional streaming (Kikitori). docs/aws.md says more.';

/** The template as CloudFormation reads it. Pure: the same every time. */
export function synthesizeTemplate(): Readonly<Record<string, unknown>> {
  const app = new App({ analyticsReporting: false });
  const stack = new Stack(app, 'kikitori', {
    description: DESCRIPTION,
    // No assets: nothing has to be bootstrapped in the account. The cast: CDK is not compiled with exact optional properties.
    synthesizer: new LegacyStackSynthesizer() as IStackSynthesizer,
  });
  describeStack(stack);
  const assembly = app.synth();
  // CDK types what it has just made as any.
  return assembly.getStackByName(stack.stackName).template as Readonly<Record<string, unknown>>;
}

type Parameters = ReturnType<typeof templateParameters>;
type Conditions = Readonly<Record<'isVllm' | 'hasModel' | 'makesLogGroup' | 'hasTopic', CfnCondition>>;

/** Parameters, conditions, resources and outputs. */
function describeStack(stack: Stack): void {
  const parameters = templateParameters(stack);
  const conditions: Conditions = {
    isVllm: new CfnCondition(stack, 'IsVllm', { expression: Fn.conditionEquals(parameters.Engine, 'vllm') }),
    hasModel: new CfnCondition(stack, 'HasModel', {
      expression: Fn.conditionNot(Fn.conditionEquals(parameters.ModelBucket, '')),
    }),
    makesLogGroup: new CfnCondition(stack, 'MakesLogGroup', {
      expression: Fn.conditionEquals(parameters.CreateLogGroup, 'true'),
    }),
    hasTopic: new CfnCondition(stack, 'HasTopic', {
      expression: Fn.conditionNot(Fn.conditionEquals(parameters.AlarmTopicArn, '')),
    }),
  };
  new CfnRule(stack, 'VllmNeedsWeights', {
    ruleCondition: Fn.conditionEquals(parameters.Engine, 'vllm'),
    assertions: [
      {
        assert: Fn.conditionNot(Fn.conditionEquals(parameters.ModelBucket, '')),
        assertDescription: 'With Engine vllm, ModelBucket and ModelPrefix say where the weights are.',
      },
    ],
  });
  const { endpoint, role } = endpointResources(stack, valuesOf(parameters, conditions));
  const outputs: Readonly<Record<string, string>> = {
    EndpointArn: endpoint.ref,
    ExecutionRoleArn: role.attrArn,
    LogGroupName: Fn.join('', ['/aws/sagemaker/Endpoints/', parameters.EndpointName.valueAsString]),
    DashboardName: Fn.join('-', ['kikitori', parameters.EndpointName.valueAsString, Aws.REGION]),
  };
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}

function valuesOf(parameters: Parameters, conditions: Conditions): EndpointValues {
  const text = (name: ParameterName) => parameters[name].valueAsString;
  const number = (name: ParameterName) => parameters[name].valueAsNumber;
  const { isVllm, hasModel, makesLogGroup, hasTopic } = conditions;
  return {
    endpointName: text('EndpointName'),
    imageUri: text('ImageUri'),
    imageRepositoryArn: text('ImageRepositoryArn'),
    environment: environment(text, conditions),
    model: { bucket: text('ModelBucket'), prefix: text('ModelPrefix'), when: hasModel },
    modelDataSource: when(hasModel, {
      S3DataSource: {
        S3Uri: Fn.join('', ['s3://', text('ModelBucket'), '/', text('ModelPrefix')]),
        S3DataType: 'S3Prefix',
        CompressionType: 'None',
      },
    }),
    networkIsolation: Fn.conditionIf(isolated(parameters), true, false),
    instanceType: text('InstanceType'),
    initialInstances: number('InitialInstances'),
    // The type is text; to CloudFormation a condition over it is as good.
    inferenceAmiVersion: when(isVllm, text('InferenceAmiVersion')).toString(),
    modelDownloadTimeoutSeconds: Token.asNumber(when(hasModel, number('ModelDownloadTimeoutSeconds'))),
    startupTimeoutSeconds: number('StartupTimeoutSeconds'),
    terminationWaitSeconds: number('TerminationWaitSeconds'),
    instancesMin: number('MinInstances'),
    instancesMax: number('MaxInstances'),
    sessionsTarget: number('TargetSessions'),
    scaleOutCooldownSeconds: number('ScaleOutCooldownSeconds'),
    scaleInCooldownSeconds: number('ScaleInCooldownSeconds'),
    logRetentionDays: number('LogRetentionDays'),
    logGroupWhen: makesLogGroup,
    gpu: isVllm,
    alarms: {
      sessions: number('ConcurrencyAlarmSessions'),
      firstChunkMicroseconds: number('FirstChunkAlarmMicroseconds'),
      midStreamErrors: number('MidStreamErrorsThreshold'),
      modelErrors: number('ModelErrorsThreshold'),
      gpuMemoryPercent: number('GpuMemoryAlarmPercent'),
      actions: when(hasTopic, [text('AlarmTopicArn')]),
    },
  };
}

function isolated(parameters: Parameters): string {
  const condition = new CfnCondition(parameters.NetworkIsolation.stack, 'IsIsolated', {
    expression: Fn.conditionEquals(parameters.NetworkIsolation, 'true'),
  });
  return condition.logicalId;
}

function when(condition: CfnCondition, value: unknown): IResolvable {
  return Fn.conditionIf(condition.logicalId, value, Aws.NO_VALUE);
}

/** The variables of both images, each only where it means something. `containerEnvironment` gives the same for literals. */
function environment(
  text: (name: ParameterName) => string,
  { isVllm, hasModel }: Conditions,
): Readonly<Record<string, string | IResolvable>> {
  const vllm = (value: string) => when(isVllm, value);
  const moonshine = (value: string | IResolvable) => Fn.conditionIf(isVllm.logicalId, Aws.NO_VALUE, value);
  return {
    SM_VLLM_MODEL: vllm('/opt/ml/model'),
    SM_VLLM_MAX_MODEL_LEN: vllm(text('MaxModelLen')),
    SM_VLLM_MAX_NUM_SEQS: vllm(text('MaxNumSeqs')),
    SM_VLLM_GPU_MEMORY_UTILIZATION: vllm(text('GpuMemoryUtilization')),
    SM_VLLM_KV_CACHE_DTYPE: vllm(text('KvCacheDtype')),
    SM_VLLM_DTYPE: vllm(text('Dtype')),
    SM_VLLM_TENSOR_PARALLEL_SIZE: vllm(text('TensorParallelSize')),
    SM_VLLM_COMPILATION_CONFIG: vllm(text('CompilationConfig')),
    SM_VLLM_TOKENIZER_MODE: vllm(text('ModelFormat')),
    SM_VLLM_CONFIG_FORMAT: vllm(text('ModelFormat')),
    SM_VLLM_LOAD_FORMAT: vllm(text('ModelFormat')),
    KIKITORI_BRIDGE_EMF: vllm(text('BridgeMetrics')),
    HF_HUB_OFFLINE: vllm('1'),
    KIKITORI_MAX_SESSIONS: moonshine(text('MaxSessions')),
    KIKITORI_MODEL: moonshine(when(hasModel, '/opt/ml/model')),
  };
}
