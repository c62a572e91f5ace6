/**
 * AWS on this machine, for AWS's own clients: CloudFormation, IAM, STS, SageMaker, Logs, CloudWatch, Service Quotas, ECR with its registry, and S3, as
 * far as the deployment uses them. It keeps state, checks order and permissions, lets time pass only where somebody waits, and fails by a
 * seed.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AccountOptions, FakeAccount } from './account.js';
import { FakeCloudFormation } from './cloudformation.js';
import type { S3Fault } from './fake-s3.js';
import { allows } from './iam-policy.js';
import {
  answer,
  type Call,
  readCall,
  refuse,
  ServiceFault,
  type WireRequest,
  type WireResponse,
} from './wire.js';

type Operation = (input: Record<string, unknown>) => Record<string, unknown>;
type Operations = Readonly<Record<string, Operation>>;

export class FakeAws {
  readonly account: FakeAccount;
  readonly cloudFormation: FakeCloudFormation;
  /** Every call that arrived, in order: `cloudformation:CreateChangeSet`. */
  readonly calls: string[] = [];
  /** Called before a call is looked at: a test interrupts here. */
  onCall: ((name: string, index: number) => void) | undefined;
  /** The name of the error that a call is answered with, if any. */
  refuse: ((name: string) => string | undefined) | undefined;
  readonly #server: Server;
  readonly #services: Readonly<Record<string, Operations>>;

  private constructor(options: AccountOptions) {
    this.account = new FakeAccount(options);
    this.cloudFormation = new FakeCloudFormation(this.account);
    this.#services = {
      cloudformation: this.cloudFormation.operations,
      sts: this.#sts(),
      iam: this.#iam(),
      sagemaker: this.#sageMaker(),
      logs: this.#logs(),
      monitoring: this.#cloudWatch(),
      servicequotas: this.#quotas(),
    };
    this.#server = createServer((request, response) => {
      this.serve(request, response).catch(() => request.destroy());
    });
    this.#connectStores();
  }

  static async open(options: AccountOptions): Promise<FakeAws> {
    const fake = new FakeAws(options);
    await new Promise<void>((resolve) => fake.#server.listen(0, '127.0.0.1', resolve));
    fake.account.ecr.origin = fake.url;
    return fake;
  }

  get url(): string {
    // A TCP server that listens has an address object.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Answers one request, or cuts its line. */
  async serve(request: WireRequest, response: WireResponse): Promise<void> {
    let dialect: Call['dialect'] = 'json';
    const service = serviceOf(request);
    if (service === 's3') return await this.account.s3.handle(request, response);
    if (service === 'ecr' || request.url?.startsWith('/v2/') === true) {
      return await this.account.ecr.handle(request, response);
    }
    try {
      const call = await readCall(request);
      dialect = call.dialect;
      const name = `${call.service}:${call.operation}`;
      this.#arrived(name);
      const { account } = this;
      const refusal = this.refuse?.(name);
      if (refusal !== undefined) throw new ServiceFault(refusal, 'Not so', 400);
      if (account.strikes('throttled')) throw new ServiceFault('Throttling', 'Rate exceeded', 400);
      if (account.strikes('broken'))
        throw new ServiceFault('InternalFailure', 'Something failed inside', 500);
      const isCut = account.strikes('cut');
      if (isCut && account.chance(0.5)) {
        request.socket.destroy();
        return;
      }
      const operation = this.#services[call.service]?.[call.operation];
      if (operation === undefined)
        throw new ServiceFault('InvalidAction', `${name} is not known to this stand-in`);
      const output = operation(call.input);
      if (isCut) request.socket.destroy();
      else answer(response, call, output);
    } catch (error) {
      const fault =
        error instanceof ServiceFault ? error : new ServiceFault('InternalFailure', String(error), 500);
      refuse(response, dialect, fault);
    }
  }

  #arrived(name: string): void {
    this.calls.push(name);
    this.onCall?.(name, this.calls.length);
  }

  /** S3 and ECR are servers of their own: they are told who may do what, and the weather. */
  #connectStores(): void {
    const { account } = this;
    const { s3, ecr } = account;
    s3.fault = (operation, key) => {
      this.#arrived(`s3:${operation}`);
      if (!isAllowed(() => authorizeS3(account, operation, key))) return refusal(403, 'AccessDenied');
      if (account.strikes('throttled')) return refusal(503, 'SlowDown');
      if (account.strikes('broken')) return refusal(500, 'InternalError');
      if (!account.strikes('cut')) return undefined;
      return account.chance(0.5) ? { kind: 'lose-answer' } : { kind: 'reset', afterBytes: 0 };
    };
    ecr.fault = (call, name) => {
      this.#arrived(`ecr:${call}`);
      const resource = call === 'GetAuthorizationToken' ? '*' : account.arn('ecr', `repository/${name}`);
      if (!isAllowed(() => account.authorize(`ecr:${call}`, resource))) return 'AccessDeniedException';
      const refused = this.refuse?.(`ecr:${call}`);
      if (refused !== undefined) return refused;
      if (account.strikes('throttled')) return 'ThrottlingException';
      return account.strikes('broken') ? 'ServerException' : undefined;
    };
    ecr.cut = () => {
      if (!account.strikes('cut')) return undefined;
      return account.chance(0.5) ? 'before' : 'after';
    };
  }

  #sts(): Operations {
    const { id } = this.account;
    return { GetCallerIdentity: () => ({ Account: id, Arn: `arn:aws:iam::${id}:user/me`, UserId: 'AIDA' }) };
  }

  #iam(): Operations {
    const { account } = this;
    return {
      SimulatePrincipalPolicy: (input) => {
        account.authorize('iam:SimulatePrincipalPolicy', String(input['PolicySourceArn']));
        const context = Object.fromEntries(
          ((input['ContextEntries'] ?? []) as { ContextKeyName: string; ContextKeyValues: string[] }[]).map(
            (one) => [one.ContextKeyName, one.ContextKeyValues[0] ?? ''],
          ),
        );
        const [resource = '*'] = (input['ResourceArns'] ?? []) as string[];
        return {
          EvaluationResults: ((input['ActionNames'] ?? []) as string[]).map((EvalActionName) => ({
            EvalActionName,
            ...(account.undecidedBy.length > 0
              ? { EvalDecision: 'explicitDeny', MissingContextValues: account.undecidedBy }
              : {
                  EvalDecision:
                    account.policy === undefined || allows(account.policy, EvalActionName, resource, context)
                      ? 'allowed'
                      : 'implicitDeny',
                }),
          })),
        };
      },
    };
  }

  #sageMaker(): Operations {
    const { account } = this;
    const find = (input: Record<string, unknown>, action: string) => {
      const name = String(input['EndpointName']);
      const arn = account.arn('sagemaker', `endpoint/${name.toLowerCase()}`);
      account.authorize(`sagemaker:${action}`, arn);
      const found = account.endpoints.get(name);
      if (found === undefined)
        throw new ServiceFault('ValidationException', `Could not find endpoint "${arn}".`);
      return found;
    };
    return {
      ListModels: (input) => {
        account.authorize('sagemaker:ListModels', '*');
        const names = [...account.models.keys()];
        const at = Number(input['NextToken'] ?? 0);
        const row = (ModelName: string) => ({
          ModelName,
          ModelArn: account.arn('sagemaker', `model/${ModelName.toLowerCase()}`),
          CreationTime: new Date(account.time.nowMs()),
        });
        return {
          Models: names.slice(at, at + 1).map(row),
          ...(at + 1 < names.length ? { NextToken: String(at + 1) } : {}),
        };
      },
      DescribeModel: (input) => {
        const name = String(input['ModelName']);
        const arn = account.arn('sagemaker', `model/${name.toLowerCase()}`);
        account.authorize('sagemaker:DescribeModel', arn);
        const found = account.models.get(name);
        if (found === undefined)
          throw new ServiceFault('ValidationException', `Could not find model "${arn}".`);
        const { image, weights } = found;
        const source = { S3DataType: 'S3Prefix', CompressionType: 'None', S3Uri: weights };
        return {
          ModelName: name,
          ModelArn: arn,
          PrimaryContainer: {
            Image: `${account.id}.dkr.ecr.${account.region}.amazonaws.com/${image}`,
            ...(weights === undefined ? {} : { ModelDataSource: { S3DataSource: source } }),
          },
        };
      },
      DescribeEndpoint: (input) => {
        const { name, config, status, instances, desired, createdAt, reason } = find(
          input,
          'DescribeEndpoint',
        );
        return {
          EndpointName: name,
          EndpointArn: account.arn('sagemaker', `endpoint/${name}`),
          EndpointConfigName: config,
          EndpointStatus: status,
          CreationTime: createdAt,
          LastModifiedTime: createdAt,
          FailureReason: reason,
          ProductionVariants: [
            { VariantName: 'all', CurrentInstanceCount: instances, DesiredInstanceCount: desired },
          ],
        };
      },
      UpdateEndpointWeightsAndCapacities: (input) => {
        const found = find(input, 'UpdateEndpointWeightsAndCapacities');
        if (found.status !== 'InService') {
          throw new ServiceFault(
            'ValidationException',
            `Cannot update in-progress endpoint "${found.name}".`,
          );
        }
        const [wish] = input['DesiredWeightsAndCapacities'] as {
          VariantName: string;
          DesiredInstanceCount: number;
        }[];
        if (wish?.VariantName !== 'all')
          throw new ServiceFault('ValidationException', 'There is no such variant');
        found.desired = wish.DesiredInstanceCount;
        account.time.later(240_000, () => {
          found.instances = found.desired;
        });
        return {};
      },
    };
  }

  #logs(): Operations {
    const { account } = this;
    const find = (input: Record<string, unknown>, action: string) => {
      const name = String(input['logGroupName']);
      account.authorize(`logs:${action}`, account.arn('logs', `log-group:${name}:*`));
      const found = account.logGroups.get(name);
      if (found === undefined)
        throw new ServiceFault('ResourceNotFoundException', 'The specified log group does not exist.');
      return { name, found };
    };
    return {
      DescribeLogGroups: (input) => {
        account.authorize('logs:DescribeLogGroups', account.arn('logs', 'log-group::log-stream:'));
        const prefix = String(input['logGroupNamePrefix']);
        return {
          logGroups: [...account.logGroups.keys()]
            .filter((name) => name.startsWith(prefix))
            .map((logGroupName) => ({ logGroupName })),
        };
      },
      PutRetentionPolicy: (input) => {
        find(input, 'PutRetentionPolicy').found.retention = Number(input['retentionInDays']);
        return {};
      },
      DeleteLogGroup: (input) => {
        account.logGroups.delete(find(input, 'DeleteLogGroup').name);
        return {};
      },
      FilterLogEvents: (input) => {
        const { lines } = find(input, 'FilterLogEvents').found;
        const from = Number(input['startTime'] ?? 0);
        const words = [...String(input['filterPattern'] ?? '').matchAll(/\?"?([^\s"]+)/g)].map(
          ([, word = '']) => word,
        );
        const found = lines.filter(
          ({ timestamp, message }) =>
            timestamp >= from && (words.length === 0 || words.some((word) => message.includes(word))),
        );
        const at = Number(input['nextToken'] ?? 0);
        const next = at + 2;
        return { events: found.slice(at, next), ...(next < found.length ? { nextToken: String(next) } : {}) };
      },
    };
  }

  #cloudWatch(): Operations {
    const { account } = this;
    return {
      GetMetricData: (input) => {
        account.authorize('cloudwatch:GetMetricData', '*');
        const queries = input['MetricDataQueries'] as {
          Id: string;
          MetricStat: { Metric: { MetricName: string } };
        }[];
        const values: Record<string, number> = {
          ConcurrentRequestsPerModel: 2,
          Invocations: 17,
          FirstChunkLatency: 180_000,
        };
        return {
          MetricDataResults: queries.map(({ Id, MetricStat }) => {
            const value = values[MetricStat.Metric.MetricName];
            return {
              Id,
              Label: Id,
              StatusCode: 'Complete',
              Timestamps: [],
              Values: value === undefined ? [] : [value],
            };
          }),
        };
      },
      DescribeAlarms: (input) => {
        account.authorize('cloudwatch:DescribeAlarms', '*');
        const prefix = String(input['AlarmNamePrefix']);
        // Two at a time, that there be pages.
        const from = Number(input['NextToken'] ?? 0);
        const found = [...account.alarms].filter(
          ([name, { state }]) => name.startsWith(prefix) && state === input['StateValue'],
        );
        return {
          MetricAlarms: found
            .slice(from, from + 2)
            .map(([AlarmName, { dimensions: Dimensions }]) => ({ AlarmName, Dimensions })),
          NextToken: from + 2 < found.length ? String(from + 2) : undefined,
        };
      },
    };
  }

  #quotas(): Operations {
    const { account } = this;
    const list = (input: Record<string, unknown>) => {
      const rows = [...account.quotas].map(([type, Value], index) => ({
        QuotaName: `${type} for endpoint usage`,
        QuotaCode: `L-${index}`,
        Value,
      }));
      const at = Number(input['NextToken'] ?? 0);
      return {
        Quotas: rows.slice(at, at + 1),
        ...(at + 1 < rows.length ? { NextToken: String(at + 1) } : {}),
      };
    };
    return {
      ListServiceQuotas: (input) => {
        account.authorize('servicequotas:ListServiceQuotas', '*');
        return list(input);
      },
      ListAWSDefaultServiceQuotas: (input) => {
        account.authorize('servicequotas:ListAWSDefaultServiceQuotas', '*');
        return list(input);
      },
    };
  }
}

/** The service that a request is signed for. */
function serviceOf({ headers }: WireRequest): string | undefined {
  return /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(headers.authorization ?? '')?.[1];
}

function refusal(status: number, code: string): S3Fault {
  return { kind: 'answer', status, code };
}

function isAllowed(authorize: () => void): boolean {
  try {
    authorize();
    return true;
  } catch {
    return false;
  }
}

/** What IAM calls the operations of S3, on the bucket or on what is in it. */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  HeadBucket: 'ListBucket',
  ListObjects: 'ListBucket',
  ListUploads: 'ListBucketMultipartUploads',
  PutPublicAccess: 'PutBucketPublicAccessBlock',
  PutLifecycle: 'PutLifecycleConfiguration',
  PutTagging: 'PutBucketTagging',
  GetTagging: 'GetBucketTagging',
  BeginUpload: 'PutObject',
  UploadPart: 'PutObject',
  Complete: 'PutObject',
  HeadObject: 'GetObject',
  DeleteObjects: 'DeleteObject',
  ListParts: 'ListMultipartUploadParts',
  Abort: 'AbortMultipartUpload',
};

function authorizeS3(account: FakeAccount, operation: string, key: string): void {
  const bucket = `arn:aws:s3:::${account.s3.bucket}`;
  // Which objects is in the body; they are where the models are.
  const object = operation === 'DeleteObjects' ? 'models/x' : key;
  account.authorize(
    `s3:${S3_ACTIONS[operation] ?? operation}`,
    object === '' ? bucket : `${bucket}/${object}`,
  );
}
