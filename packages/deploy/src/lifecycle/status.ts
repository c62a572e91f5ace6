import type { GetMetricDataCommandInput } from '@aws-sdk/client-cloudwatch';
import type { Aws } from '../aws/aws.js';
import { pages } from '../aws/pages.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { stackNameOf } from '../names.js';
import { type Facts, readEndpoint, readFacts } from '../plan/facts.js';
import { hourlyUsd } from '../settings/prices.js';
import { type LogLine, readLog } from './logs.js';

const HOUR_MS = 3_600_000;
const ERROR_LINES_MAX = 5;
/** What CloudWatch Logs looks for: any of these words. */
const ERROR_FILTER = '?ERROR ?Error ?Traceback ?"\\"level\\":\\"error\\""';

/** Sessions and errors, from CloudWatch. `undefined`: no value, which for most of them means nobody spoke. */
export interface EndpointMetrics {
  /** On the busiest instance, in the last five minutes. */
  readonly sessionsNow: number | undefined;
  /** In the last hour. */
  readonly sessionsBegun: number | undefined;
  readonly midStreamErrors: number | undefined;
  readonly modelErrors: number | undefined;
  /** p90 in the last hour. */
  readonly firstChunkMs: number | undefined;
}

/** An endpoint as it is now. */
export interface EndpointStatus {
  readonly endpointName: string;
  readonly region: string;
  readonly account: string;
  readonly stackStatus: string | undefined;
  readonly endpointStatus: string | undefined;
  /** SageMaker's words where it failed. */
  readonly failureReason: string | undefined;
  readonly engine: string | undefined;
  readonly instanceType: string | undefined;
  readonly instances: number;
  readonly instancesDesired: number;
  readonly instancesMin: number | undefined;
  readonly instancesMax: number | undefined;
  readonly metrics: EndpointMetrics;
  /** Names of alarms that ring. */
  readonly alarms: readonly string[];
  readonly errors: readonly LogLine[];
  readonly createdAt: Date | undefined;
  readonly usdPerHour: number | undefined;
  /** Since creation with the instances of now: an estimate, undefined where the price is not known. */
  readonly usdSoFar: number | undefined;
}

/** Rejects with `DeployError` `not_deployed` where there is neither stack nor endpoint. */
export async function readStatus(
  aws: Aws,
  endpointName: string,
  signal: AbortSignal,
): Promise<EndpointStatus> {
  const facts = await readFacts(aws, endpointName, signal);
  const { stack } = facts;
  if (stack === undefined && facts.endpoint === undefined) throw new DeployError('not_deployed');
  const [endpoint, metrics, alarms, errors] = await Promise.all([
    readEndpoint(aws, endpointName, signal),
    readMetrics(aws, endpointName, signal),
    readAlarms(aws, endpointName, signal),
    recentErrors(aws, endpointName, facts, signal),
  ]);
  const parameters = stack?.parameters ?? {};
  const instanceType = parameters['InstanceType'];
  const each = instanceType === undefined ? undefined : hourlyUsd(instanceType, aws.region);
  const instances = endpoint?.instances ?? 0;
  const nowMs = aws.clock.unixMs();
  // A clock of ours that is late does not make it cost less than nothing.
  const ageMs = Math.max(0, nowMs - (endpoint?.createdAt?.getTime() ?? nowMs));
  return {
    endpointName,
    region: facts.region,
    account: facts.account,
    stackStatus: stack?.status,
    endpointStatus: endpoint?.status,
    failureReason: endpoint?.reason,
    engine: parameters['Engine'],
    instanceType,
    instances,
    instancesDesired: endpoint?.desired ?? 0,
    instancesMin: numberOf(parameters['MinInstances']),
    instancesMax: numberOf(parameters['MaxInstances']),
    metrics,
    alarms,
    errors,
    createdAt: endpoint?.createdAt,
    usdPerHour: each === undefined ? undefined : each * instances,
    usdSoFar: each === undefined ? undefined : (each * instances * ageMs) / HOUR_MS,
  };
}

async function readMetrics(aws: Aws, endpointName: string, signal: AbortSignal): Promise<EndpointMetrics> {
  const wanted = [
    ['sessions', 'ConcurrentRequestsPerModel', 'Maximum', 300],
    ['begun', 'Invocations', 'Sum', 3_600],
    ['broken', 'MidStreamErrors', 'Sum', 3_600],
    ['refused', 'InvocationModelErrors', 'Sum', 3_600],
    ['first', 'FirstChunkLatency', 'p90', 3_600],
  ] as const;
  const nowMs = aws.clock.unixMs();
  const input: GetMetricDataCommandInput = {
    StartTime: new Date(nowMs - HOUR_MS),
    EndTime: new Date(nowMs),
    ScanBy: 'TimestampDescending',
    MetricDataQueries: wanted.map(([id, metric, statistic, seconds]) => ({
      Id: id,
      MetricStat: {
        Metric: {
          Namespace: 'AWS/SageMaker',
          MetricName: metric,
          Dimensions: [
            { Name: 'EndpointName', Value: endpointName },
            { Name: 'VariantName', Value: 'all' },
          ],
        },
        Period: seconds,
        Stat: statistic,
      },
    })),
  };
  const { MetricDataResults = [] } = await aws.ask(
    'cloudWatch',
    (sdk) => new sdk.GetMetricDataCommand(input),
    signal,
  );
  const of = (id: string) => MetricDataResults.find(({ Id }) => Id === id)?.Values?.[0];
  const first = of('first');
  return {
    sessionsNow: of('sessions'),
    sessionsBegun: of('begun'),
    midStreamErrors: of('broken'),
    modelErrors: of('refused'),
    firstChunkMs: first === undefined ? undefined : first / 1_000,
  };
}

/** The alarms of an endpoint `kl` begin as those of another one, `kl-eu`: what they watch tells them apart. */
async function readAlarms(aws: Aws, endpointName: string, signal: AbortSignal): Promise<readonly string[]> {
  const all = pages(
    DEPLOY_LIMITS.alarmPagesMax,
    (NextToken) => {
      const AlarmNamePrefix = `${stackNameOf(endpointName)}-`;
      const input = { AlarmNamePrefix, StateValue: 'ALARM', MaxRecords: 100, NextToken } as const;
      return aws.ask('cloudWatch', (sdk) => new sdk.DescribeAlarmsCommand(input), signal);
    },
    ({ NextToken }) => NextToken,
  );
  const found: string[] = [];
  for await (const { MetricAlarms = [] } of all) {
    for (const { AlarmName, Dimensions = [] } of MetricAlarms) {
      const isOurs = Dimensions.some(({ Name, Value }) => Name === 'EndpointName' && Value === endpointName);
      if (isOurs && AlarmName !== undefined) found.push(AlarmName);
    }
  }
  return found;
}

async function recentErrors(
  aws: Aws,
  endpointName: string,
  { hasLogGroup }: Facts,
  signal: AbortSignal,
): Promise<readonly LogLine[]> {
  if (!hasLogGroup) return [];
  const lines: LogLine[] = [];
  const sinceMs = aws.clock.unixMs() - HOUR_MS;
  for await (const line of readLog(aws, {
    endpointName,
    sinceMs,
    filter: ERROR_FILTER,
    follow: false,
    signal,
  })) {
    lines.push(line);
    if (lines.length > ERROR_LINES_MAX) lines.shift();
  }
  return lines;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
