import type { PolicyDocument } from '../../src/plan/permissions.js';
import { FakeEcr } from './fake-ecr.js';
import { FakeS3 } from './fake-s3.js';
import { allows } from './iam-policy.js';
import { seeded, type VirtualTime } from './virtual-time.js';
import { ServiceFault } from './wire.js';

/** How badly things go, each from 0 to 1. */
export interface Weather {
  /** Calls that are throttled. */
  readonly throttled: number;
  /** Calls that fail inside AWS. */
  readonly broken: number;
  /** Calls whose line is cut, half of them after the work was done. */
  readonly cut: number;
  /** New roles that SageMaker does not know for half a minute. */
  readonly slowRole: number;
  /** Endpoints that do not come up. */
  readonly failingEndpoint: number;
  /** Endpoints for which there is no instance. */
  readonly noCapacity: number;
}

export const FAIR: Weather = {
  throttled: 0,
  broken: 0,
  cut: 0,
  slowRole: 0,
  failingEndpoint: 0,
  noCapacity: 0,
};
export const STORMY: Weather = {
  throttled: 0.08,
  broken: 0.04,
  cut: 0.04,
  slowRole: 0.3,
  failingEndpoint: 0.2,
  noCapacity: 0.2,
};

export interface FakeRole {
  readonly arn: string;
  readonly knownAtMs: number;
}

export interface FakeEndpoint {
  readonly name: string;
  config: string;
  status: string;
  instances: number;
  desired: number;
  readonly createdAt: Date;
  reason?: string;
}

export interface FakeConfig {
  readonly model: string;
  readonly instanceType: string;
  readonly instances: number;
}

export interface FakeLine {
  readonly eventId: string;
  readonly timestamp: number;
  readonly logStreamName: string;
  readonly message: string;
}

export interface AccountOptions {
  readonly time: VirtualTime;
  readonly seed: number;
  readonly weather?: Weather;
  readonly region?: string;
}

/** What an image says of itself that SageMaker can run. */
const USABLE = {
  os: 'linux',
  architecture: 'amd64',
  config: { Labels: { 'com.amazonaws.sagemaker.capabilities.bidirectional-streaming': 'true' } },
};

export interface FakeModel {
  readonly role: string;
  readonly image: string;
  /** `s3://…`; undefined where the image holds everything. */
  readonly weights: string | undefined;
  readonly environment: unknown;
}

/** Everything that an account holds, and who may do what in it. */
export class FakeAccount {
  readonly id = '123456789012';
  readonly region: string;
  readonly time: VirtualTime;
  readonly random: () => number;
  weather: Weather;
  /** What of the weather has happened so far. */
  readonly struck = new Set<keyof Weather>();
  /** What the caller may do; absent: everything. */
  policy: PolicyDocument | undefined;
  /** Context keys of a denying condition that IAM's simulation does not know. */
  undecidedBy: readonly string[] = [];
  /** What was refused, for the eyes of a test. */
  readonly denied: string[] = [];
  /** Every action that was asked for. */
  readonly used = new Set<string>();

  readonly roles = new Map<string, FakeRole>();
  readonly models = new Map<string, FakeModel>();
  readonly configs = new Map<string, FakeConfig>();
  readonly endpoints = new Map<string, FakeEndpoint>();
  readonly targets = new Map<string, { min: number; max: number }>();
  readonly scalingPolicies = new Map<string, string>();
  readonly alarms = new Map<string, { state: string; dimensions: readonly unknown[] }>();
  readonly dashboards = new Map<string, string>();
  readonly logGroups = new Map<string, { retention: number | undefined; readonly lines: FakeLine[] }>();
  readonly quotas = new Map<string, number>([
    ['ml.g6.4xlarge', 8],
    ['ml.g6.12xlarge', 8],
    ['ml.c5.xlarge', 8],
  ]);
  /** Some images that somebody has pushed, and what the deployment pushes. */
  readonly ecr = new FakeEcr();
  /** Has no bucket until somebody makes it. */
  readonly s3: FakeS3;

  constructor({ time, seed, weather = FAIR, region = 'us-west-2' }: AccountOptions) {
    this.time = time;
    this.random = seeded(seed);
    this.weather = weather;
    this.region = region;
    const bucket = `kikitori-models-${this.id}-${region}`;
    this.s3 = new FakeS3({ bucket, owner: this.id, region });
    this.s3.isThere = false;
    for (const [name, tag] of [
      ['kikitori-vllm', '1'],
      ['kikitori-vllm', '2'],
      ['kikitori-moonshine', '1'],
    ] as const) {
      this.ecr.lay(name, tag, { ...USABLE, created: tag });
    }
  }

  /** Whether ECR has `NAME@DIGEST`. */
  hasImage(image: string): boolean {
    const [name = '', digest = ''] = image.split('@');
    return this.ecr.repositories.get(name)?.manifests.has(digest) === true;
  }

  chance(part: number): boolean {
    return part > 0 && this.random() < part;
  }

  /** Whether this kind of weather happens now. */
  strikes(kind: keyof Weather): boolean {
    const isStruck = this.chance(this.weather[kind]);
    if (isStruck) this.struck.add(kind);
    return isStruck;
  }

  arn(service: string, rest: string): string {
    const scope =
      service === 'iam' || rest.startsWith('dashboard/') ? `:${this.id}` : `${this.region}:${this.id}`;
    return `arn:aws:${service}:${scope}:${rest}`;
  }

  /** Refuses what the policy does not allow, in AWS's words. */
  authorize(action: string, resource: string, context: Readonly<Record<string, string>> = {}): void {
    this.used.add(action);
    if (this.policy === undefined || allows(this.policy, action, resource, context)) return;
    this.denied.push(`${action} on ${resource}`);
    throw new ServiceFault(
      'AccessDenied',
      `User: arn:aws:iam::${this.id}:user/me is not authorized to perform: ${action} on resource: ${resource}`,
      403,
    );
  }

  /** Everything that exists, a line each. */
  inventory(): string[] {
    const kinds = {
      role: this.roles,
      model: this.models,
      config: this.configs,
      endpoint: this.endpoints,
      target: this.targets,
      'scaling policy': this.scalingPolicies,
      alarm: this.alarms,
      dashboard: this.dashboards,
      'log group': this.logGroups,
    };
    const { ecr, s3 } = this;
    const own = ecr.repositories.get('kikitori');
    return [
      ...Object.entries(kinds).flatMap(([kind, all]) => [...all.keys()].map((name) => `${kind} ${name}`)),
      ...(own === undefined ? [] : ['repository kikitori']),
      ...[...(own?.tags.keys() ?? [])].map((tag) => `image kikitori:${tag}`),
      ...(s3.isThere ? [`bucket ${s3.bucket}`] : []),
      ...[...s3.objects.keys()].map((key) => `object ${key}`),
      ...[...s3.uploads.values()].map(({ key }) => `upload ${key}`),
    ];
  }
}
