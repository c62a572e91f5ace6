import type { ECRClient, ECRClientConfig } from '@aws-sdk/client-ecr';
import { type Clock, sleep, systemClock } from '@kikitori/core';
import { DEPLOY_LIMITS } from '../limits.js';
import { isPassing, toDeployError } from './failure.js';

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
  /** Default: HTTP by Node, which gives up after `callTimeoutMs`. */
  readonly carrier?: Carrier | undefined;
  readonly clock?: Clock;
  /** From 0 to 1, for jitter. */
  readonly random?: () => number;
}

/** One of AWS's clients together with its commands. */
export interface Service<Client, Sdk> {
  readonly client: Client;
  readonly sdk: Sdk;
}

interface ClientConfig {
  region: string;
  maxAttempts: number;
  requestHandler: Carrier;
  endpoint?: string;
  credentials?: AwsKeys | (() => Promise<AwsKeys>);
  forcePathStyle?: boolean;
}

/**
 * AWS's own clients, each loaded on first use, and one way to call them: tried again where that may help, with jitter, on a clock
 * that a test can turn. `close` lets go of their sockets.
 */
export class Aws {
  readonly region: string;
  readonly clock: Clock;
  readonly #options: AwsOptions;
  readonly #random: () => number;
  readonly #opened: { destroy(): void }[] = [];
  readonly #services = new Map<string, Promise<unknown>>();

  constructor(options: AwsOptions) {
    this.#options = options;
    this.region = options.region;
    this.clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
  }

  cloudFormation = () =>
    this.#open('cloudformation', async (config) => {
      const sdk = await import('@aws-sdk/client-cloudformation');
      return { sdk, client: new sdk.CloudFormationClient(config) };
    });

  cloudWatch = () =>
    this.#open('cloudwatch', async (config) => {
      const sdk = await import('@aws-sdk/client-cloudwatch');
      return { sdk, client: new sdk.CloudWatchClient(config) };
    });

  logs = () =>
    this.#open('logs', async (config) => {
      const sdk = await import('@aws-sdk/client-cloudwatch-logs');
      return { sdk, client: new sdk.CloudWatchLogsClient(config) };
    });

  ecr = () =>
    this.#open('ecr', async (config) => {
      const sdk = await import('@aws-sdk/client-ecr');
      return { sdk, client: new sdk.ECRClient(config) };
    });

  /** ECR of any region, for those who try again by themselves not at all: the client does it for them. */
  async ecrFor(): Promise<(region: string) => ECRClient> {
    const { sdk } = await this.ecr();
    return (region) => {
      const client = new sdk.ECRClient({
        ...this.#config(),
        region,
        maxAttempts: DEPLOY_LIMITS.callAttemptsMax,
      });
      this.#opened.push(client);
      return client;
    };
  }

  iam = () =>
    this.#open('iam', async (config) => {
      const sdk = await import('@aws-sdk/client-iam');
      return { sdk, client: new sdk.IAMClient(config) };
    });

  s3 = () =>
    this.#open('s3', async (config) => {
      const sdk = await import('@aws-sdk/client-s3');
      return { sdk, client: new sdk.S3Client(config) };
    });

  sageMaker = () =>
    this.#open('sagemaker', async (config) => {
      const sdk = await import('@aws-sdk/client-sagemaker');
      return { sdk, client: new sdk.SageMakerClient(config) };
    });

  serviceQuotas = () =>
    this.#open('service-quotas', async (config) => {
      const sdk = await import('@aws-sdk/client-service-quotas');
      return { sdk, client: new sdk.ServiceQuotasClient(config) };
    });

  sts = () =>
    this.#open('sts', async (config) => {
      const sdk = await import('@aws-sdk/client-sts');
      return { sdk, client: new sdk.STSClient(config) };
    });

  /**
   * One call, tried again while it is throttled or fails inside AWS. Rejects with `DeployError` by what AWS said (name and words of its
   * error are the `cause`), or with the reason of `signal`.
   */
  async call<T>(
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        return await send({ abortSignal: signal });
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (!isPassing(error) || attempt >= DEPLOY_LIMITS.callAttemptsMax) throw toDeployError(error);
      }
      const longest = Math.min(DEPLOY_LIMITS.callDelayMs * 2 ** (attempt - 1), DEPLOY_LIMITS.callDelayMsMax);
      await sleep(this.clock, longest * (0.5 + this.#random() / 2), { signal });
    }
  }

  /** Ends every connection that is kept open. */
  close(): void {
    for (const client of this.#opened.splice(0)) client.destroy();
  }

  async #open<Client extends { destroy(): void }, Sdk>(
    name: string,
    make: (config: ClientConfig) => Promise<Service<Client, Sdk>>,
  ): Promise<Service<Client, Sdk>> {
    let opening = this.#services.get(name);
    if (opening === undefined) {
      opening = make(this.#config()).then((service) => {
        this.#opened.push(service.client);
        return service;
      });
      this.#services.set(name, opening);
    }
    // What is kept under a name was made by the same `make`.
    return (await opening) as Service<Client, Sdk>;
  }

  #config(): ClientConfig {
    const { region, endpointUrl, credentials, carrier } = this.#options;
    return {
      region,
      // We try again ourselves: on our clock, and with one rule for all services.
      maxAttempts: 1,
      requestHandler: carrier ?? {
        requestTimeout: DEPLOY_LIMITS.callTimeoutMs,
        connectionTimeout: DEPLOY_LIMITS.callTimeoutMs,
      },
      ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl, forcePathStyle: true }),
      ...(credentials === undefined ? {} : { credentials }),
    };
  }
}
