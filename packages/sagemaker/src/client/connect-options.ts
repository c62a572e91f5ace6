import type { Proxies } from '@kikitori/transport/proxy';
import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import { type AwsCredentials, type AwsCredentialsProvider, defaultCredentials } from './credentials.js';
import { assertRegion, defaultEndpoint, type Endpoint, endpointFromUrl } from './endpoint.js';
import { assertTarget, type InvocationTarget } from './invocation-target.js';

/** Where the model is, who asks, and how. */
export interface SageMakerConnectOptions extends InvocationTarget {
  /** The region of the endpoint, such as `us-east-1`; signatures name it too. */
  readonly region: string;
  /**
   * Another address than the service's own: `https://host:port`, or `http://host:port` for HTTP/2 without TLS (a local
   * stand-in). Default: what is configured for AWS's clients (`AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2`, `AWS_ENDPOINT_URL`, `~/.aws/config`),
   * looked up at the first connect; else `https://runtime.sagemaker.<region>.amazonaws.com:8443`, with the suffix of the partition.
   */
  readonly endpointUrl?: string | undefined;
  /** Use the FIPS endpoint of the service. Not together with `endpointUrl`. */
  readonly isFips?: boolean | undefined;
  /** Use the endpoint of the service that also has IPv6. Not together with `endpointUrl`. */
  readonly isDualStack?: boolean | undefined;
  /**
   * Credentials, or what gives them; a function is asked for every new stream, and a second time (`forceRefresh`) when
   * what it gave ends within five minutes. Default: AWS's own chain, loaded when it is first needed.
   */
  readonly credentials?: AwsCredentials | AwsCredentialsProvider | undefined;
  /** The profile of AWS's chain. Default: `AWS_PROFILE`, then `default`. */
  readonly profile?: string | undefined;
  /** PEM certificates to trust instead of the public ones: what a local stand-in prints. */
  readonly ca?: string | Uint8Array | undefined;
  /** Proxies on the way to the service, and to those that give credentials. Default: none. */
  readonly proxies?: Proxies | undefined;
  /**
   * Streams that may share one HTTP/2 connection, 1 to 100; the service's own bound is kept besides. Default 1, as
   * AWS's JavaScript client does: a lost connection is one lost stream.
   */
  readonly streamsPerConnection?: number | undefined;
  /** Name, TCP and TLS. Default 8,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** From the request to its answer, which comes when the container has taken the WebSocket. Default 30,000. */
  readonly answerTimeoutMs?: number | undefined;
  /** How long `close` waits for the service. Default 5,000. */
  readonly closeTimeoutMs?: number | undefined;
  /** How often we look for signs of life, and how long a PING may go unanswered. Default 2,000 and 5,000. */
  readonly livenessIntervalMs?: number | undefined;
  readonly livenessTimeoutMs?: number | undefined;
  /** Largest message, in either direction, up to the default of 16 MiB. */
  readonly messageBytesMax?: number | undefined;
}

/** The options with their defaults, checked. */
export interface ResolvedConnectOptions {
  readonly target: InvocationTarget;
  readonly region: string;
  readonly endpoint: Endpoint;
  readonly credentials: AwsCredentialsProvider;
  readonly ca: string | Uint8Array | undefined;
  readonly proxies: Proxies | undefined;
  readonly streamsPerConnection: number;
  readonly connectTimeoutMs: number;
  readonly answerTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly livenessIntervalMs: number;
  readonly livenessTimeoutMs: number;
  readonly messageBytesMax: number;
}

/**
 * Fills in the defaults and checks everything that can be checked here.
 *
 * Throws the `invalid_…` reasons.
 */
export function resolveConnectOptions(options: SageMakerConnectOptions): ResolvedConnectOptions {
  const { endpointName, targetVariant, modelInvocationPath, modelQueryString } = options;
  const target = { endpointName, targetVariant, modelInvocationPath, modelQueryString };
  assertTarget(target);
  assertRegion(options.region);
  const { messageBytesMax, streamsPerConnectionMax } = SAGEMAKER_LIMITS;
  return {
    target,
    region: options.region,
    endpoint: endpointOf(options),
    credentials: credentialsOf(options),
    ca: options.ca,
    proxies: options.proxies,
    streamsPerConnection: inRange(options.streamsPerConnection ?? 1, streamsPerConnectionMax),
    connectTimeoutMs: inRange(options.connectTimeoutMs ?? SAGEMAKER_LIMITS.connectTimeoutMs),
    answerTimeoutMs: inRange(options.answerTimeoutMs ?? SAGEMAKER_LIMITS.answerTimeoutMs),
    closeTimeoutMs: inRange(options.closeTimeoutMs ?? SAGEMAKER_LIMITS.closeTimeoutMs),
    livenessIntervalMs: inRange(options.livenessIntervalMs ?? SAGEMAKER_LIMITS.livenessIntervalMs),
    livenessTimeoutMs: inRange(options.livenessTimeoutMs ?? SAGEMAKER_LIMITS.livenessTimeoutMs),
    messageBytesMax: inRange(options.messageBytesMax ?? messageBytesMax, messageBytesMax),
  };
}

function endpointOf({ region, endpointUrl, isFips, isDualStack }: SageMakerConnectOptions): Endpoint {
  if (endpointUrl === undefined) return defaultEndpoint({ region, isFips, isDualStack });
  if (isFips === true || isDualStack === true) {
    const sentence = 'A URL of your own names the endpoint already; leave FIPS and dual stack out.';
    throw new SageMakerError('invalid_option', { sentence });
  }
  return endpointFromUrl(endpointUrl);
}

function credentialsOf(options: SageMakerConnectOptions): AwsCredentialsProvider {
  const { credentials, region, profile, proxies } = options;
  if (credentials === undefined) return defaultCredentials({ region, profile, proxies });
  if (typeof credentials === 'function') return credentials;
  return () => Promise.resolve(credentials);
}

// The longest that a timer of Node takes.
const WHOLE_MAX = 2 ** 31 - 1;

function inRange(value: number, max: number = WHOLE_MAX): number {
  if (!Number.isInteger(value) || value < 1 || value > max) throw new SageMakerError('invalid_option');
  return value;
}
