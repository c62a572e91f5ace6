import { Aws, type CfnCondition, CfnDeletionPolicy, Fn } from 'aws-cdk-lib';
import { CfnAlarm, type CfnAlarmProps, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { dashboardBody } from './dashboard.js';
import { type EndpointValues, VARIANT } from './endpoint-values.js';

/**
 * The log group, before anything writes to it. It outlives its stack, also one that is rolled back: what a failed endpoint said
 * is in there.
 */
export function logGroup(scope: Construct, values: EndpointValues): CfnLogGroup {
  const group = new CfnLogGroup(scope, 'LogGroup', {
    logGroupName: Fn.join('', ['/aws/sagemaker/Endpoints/', values.endpointName]),
    retentionInDays: values.logRetentionDays,
    ...(values.tags === undefined ? {} : { tags: values.tags }),
  });
  group.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN;
  group.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN;
  if (values.logGroupWhen !== undefined) group.cfnOptions.condition = values.logGroupWhen;
  return group;
}

/** Dashboard and alarms. They name the endpoint and do not need it: a failed one is watched as well. */
export function watching(scope: Construct, values: EndpointValues): void {
  new CfnDashboard(scope, 'Dashboard', {
    // Names of dashboards are the account's, not the region's.
    dashboardName: Fn.join('-', ['kikitori', values.endpointName, Aws.REGION]),
    dashboardBody: Fn.sub(dashboardBody(), { Name: values.endpointName }),
  });
  for (const [id, rule, when] of rules(values)) {
    const alarm = new CfnAlarm(scope, id, {
      namespace: 'AWS/SageMaker',
      dimensions: [
        { name: 'EndpointName', value: values.endpointName },
        { name: 'VariantName', value: VARIANT },
      ],
      comparisonOperator: 'GreaterThanOrEqualToThreshold',
      treatMissingData: 'notBreaching',
      // CfnAlarm's type wants a list; a condition over the list is as good to CloudFormation.
      alarmActions: values.alarms.actions as string[],
      ...rule,
    });
    if (when !== undefined) alarm.cfnOptions.condition = when;
  }
}

type Rule = Omit<CfnAlarmProps, 'comparisonOperator'>;
type Entry = readonly [id: string, rule: Rule, when: CfnCondition | undefined];

function rules({ alarms, gpu }: EndpointValues): readonly Entry[] {
  const FIVE_MINUTES = 300;
  const all: readonly (readonly [string, Rule])[] = [
    [
      'ConcurrencyAlarm',
      {
        alarmDescription:
          'Every place of an instance is taken: raise --max-instances, or lower --target-sessions.',
        metricName: 'ConcurrentRequestsPerModel',
        statistic: 'Maximum',
        period: 60,
        evaluationPeriods: 3,
        threshold: alarms.sessions,
      },
    ],
    [
      'FirstChunkLatencyAlarm',
      {
        alarmDescription:
          'Sessions wait long for their first answer (microseconds): the model server is overloaded, or starting.',
        metricName: 'FirstChunkLatency',
        extendedStatistic: 'p90',
        period: 60,
        evaluationPeriods: 5,
        datapointsToAlarm: 3,
        threshold: alarms.firstChunkMicroseconds,
      },
    ],
    [
      'MidStreamErrorsAlarm',
      {
        alarmDescription: 'Sessions break off in the middle: "kikitori logs" shows what the container said.',
        metricName: 'MidStreamErrors',
        statistic: 'Sum',
        period: FIVE_MINUTES,
        evaluationPeriods: 1,
        threshold: alarms.midStreamErrors,
      },
    ],
    [
      'ModelErrorsAlarm',
      {
        alarmDescription:
          'The container refuses sessions or ends them with errors: "kikitori logs" shows why.',
        metricName: 'InvocationModelErrors',
        statistic: 'Sum',
        period: FIVE_MINUTES,
        evaluationPeriods: 1,
        threshold: alarms.modelErrors,
      },
    ],
  ];
  const always = all.map(([id, rule]): Entry => [id, rule, undefined]);
  if (gpu === false) return always;
  return [...always, ['GpuMemoryAlarm', gpuRule(alarms.gpuMemoryPercent), gpu === true ? undefined : gpu]];
}

function gpuRule(threshold: number): Rule {
  return {
    alarmDescription: 'GPU memory is nearly full: lower --gpu-memory-utilization or --max-model-len.',
    namespace: '/aws/sagemaker/Endpoints',
    metricName: 'GPUMemoryUtilization',
    statistic: 'Maximum',
    period: 60,
    evaluationPeriods: 5,
    threshold,
  };
}
