import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Clock, sleep, systemClock } from '@kikitori/core';
import { DEPLOY_LIMITS } from '../limits.js';
import { watched } from '../watchdog.js';
import { isPassing, isUnreached, toDeployError } from './failure.js';

/** Keys, where they are not those of AWS's chain. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** What carries requests and brings answers, the same for every service. */
export type Carrier = NonNullable<ECRClientConfig['requestHandler']>;

/** How AWS is reached. */
export interface AwsOptions {
  readonly region: string;
  /** Another address than AWS's own, for every service. */
  readonly endpointUrl?: string | undefined;
  /** Keys, or who gives them. Default: AWS's chain. */
  readonly credentials?: AwsKeys | (() => Promise<AwsKeys>) | undefined;
  /** Default: HTTP by Node. */
  readonly carrier?: Carrier | undefined;
  /** What Node opens the connections with, such as through a proxy. Default: Node's own way. */
  readonly agents?: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } | undefined;
  readonly clock?: Clock;
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
}

interface ClientConfig {
  region: string;
  maxAttempts: number;
  requestHandler: Carrier;
  endpoint?: string;
  credentials?: AwsKeys | (() => Promise<AwsKeys>);
  forcePathStyle?: boolean;
}

/** A client of AWS, as far as all of them are the same. */
export interface Client {
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
  destroy(): void;
}

/** A command of AWS, as far as it says what is answered. */
export interface Command<Output> {
  resolveMiddleware(...parts: never): (...parts: never) => Promise<{ readonly output: Output }>;
}

/** How long to try. */
export interface AskOptions {
  /** For one answer, getting the keys to ask with included. */
  readonly timeoutMs?: number;
  /** Tries where AWS is not reached at all; of one that is throttled there are `callAttemptsMax`. */
  readonly unreachedAttemptsMax?: number;
}

/** AWS's own clients, each loaded on first use, since each is heavy. */
const SERVICES = {
  cloudFormation: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-cloudformation');
    return { sdk, client: new sdk.CloudFormationClient(config) };
  },
  cloudWatch: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-cloudwatch');
    return { sdk, client: new sdk.CloudWatchClient(config) };
  },
  logs: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-cloudwatch-logs');
    return { sdk, client: new sdk.CloudWatchLogsClient(config) };
  },
  ecr: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-ecr');
    return { sdk, client: new sdk.ECRClient(config) };
  },
  iam: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-iam');
    return { sdk, client: new sdk.IAMClient(config) };
  },
  s3: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-s3');
    return { sdk, client: new sdk.S3Client(config) };
  },
  sageMaker: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-sagemaker');
    return { sdk, client: new sdk.SageMakerClient(config) };
  },
  serviceQuotas: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-service-quotas');
    return { sdk, client: new sdk.ServiceQuotasClient(config) };
  },
  sts: async (config: ClientConfig) => {
    const sdk = await import('@aws-sdk/client-sts');
    return { sdk, client: new sdk.STSClient(config) };
  },
};

type ServiceName = keyof typeof SERVICES;
type Service<Name extends ServiceName> = Awaited<ReturnType<(typeof SERVICES)[Name]>>;

/**
 * One way to ask AWS: tried again where that may help, with jitter, on a clock that a test can turn. `close` lets go of the clients' sockets.
 */
export class Aws {
  readonly region: string;
  readonly clock: Clock;
  readonly #options: AwsOptions;
  readonly #random: () => number;
  readonly #opened: Client[] = [];
  readonly #services = new Map<ServiceName, Promise<{ readonly client: Client }>>();

  constructor(options: AwsOptions) {
    this.#options = options;
    this.region = options.region;
    this.clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  /** S3's client, for those who try again by themselves: it moves gigabytes. */
  async s3(): Promise<S3Client> {
    return (await this.#open('s3')).client;
  }

  /**
   * Asks a service one thing, again while it is throttled, fails inside AWS, or says nothing. Rejects with `DeployError` by what AWS said (name and
   * words of its error are the `cause`), or with the reason of `signal`.
   */
  async ask<Name extends ServiceName, Output>(
    name: Name,
    make: (sdk: Service<Name>['sdk']) => Command<Output>,
    signal: AbortSignal,
    { timeoutMs = DEPLOY_LIMITS.callTimeoutMs, unreachedAttemptsMax }: AskOptions = {},
  ): Promise<Output> {
    const { sdk, client } = await this.#open(name);
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const command = make(sdk);
      try {
        // The command is one of this client's; it says what is answered.
        const send = (abortSignal: AbortSignal) => (client as Client).send(command as never, { abortSignal });
        return (await watched(timeoutMs, signal, send)) as Output;
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        const attemptsMax = (isUnreached(error) && unreachedAttemptsMax) || DEPLOY_LIMITS.callAttemptsMax;
        if (!isPassing(error) || attempt >= attemptsMax) throw toDeployError(error, callOf(name, command));
      }
      const longest = Math.min(DEPLOY_LIMITS.callDelayMs * 2 ** (attempt - 1), DEPLOY_LIMITS.callDelayMsMax);
      await sleep(this.clock, longest * (0.5 + this.#random() / 2), { signal });
    }
  }

  /** Ends every connection that is kept open. */
  close(): void {
    for (const client of this.#opened.splice(0)) client.destroy();
  }

  async #open<Name extends ServiceName>(name: Name): Promise<Service<Name>> {
    let opening = this.#services.get(name);
    if (opening === undefined) {
      opening = SERVICES[name](this.#config()).then((service) => {
        this.#opened.push(service.client);
        return service;
      });
      this.#services.set(name, opening);
    }
    // What is kept under a name was made by its row.
    return (await opening) as Service<Name>;
  }

  #config(): ClientConfig {
    const { region, endpointUrl, credentials, carrier, agents } = this.#options;
    return {
      region,
      // We try again ourselves: on our clock, and with one rule for all services.
      maxAttempts: 1,
      // How long an answer may take is for those who ask: a part of a model is sent for minutes.
      requestHandler: carrier ?? { connectionTimeout: DEPLOY_LIMITS.callTimeoutMs, ...agents },
      ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl, forcePathStyle: true }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }
}

/** What IAM calls what S3 names otherwise. */
const S3_ACTIONS: Readonly<Record<string, string>> = {
  HeadBucket: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  ListMultipartUploads: 'ListBucketMultipartUploads',
  HeadObject: 'GetObject',
  CreateMultipartUpload: 'PutObject',
  UploadPart: 'PutObject',
  CompleteMultipartUpload: 'PutObject',
  ListParts: 'ListMultipartUploadParts',
  DeleteObjects: 'DeleteObject',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
};

/** A call as IAM spells it: `cloudformation:CreateChangeSet`. */
export function callOf(service: string, command: object): string {
  const name = command.constructor.name.replace(/Command$/, '');
  return `${service.toLowerCase()}:${(service === 's3' && S3_ACTIONS[name]) || name}`;
}
