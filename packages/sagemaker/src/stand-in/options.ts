import { type Clock, type Logger, silentLogger, systemClock } from '@kikitori/core';
import { isLoopback } from '@kikitori/transport/doors';
import { SageMakerError } from '../errors.js';
import type { GivenCertificate } from './certificate.js';
import { LOCAL_CREDENTIALS, type RuntimeCredentials } from './credentials.js';
import type { EndpointOptions, EndpointState, ResolvedEndpoint, ResolvedVariant } from './endpoint.js';
import { STAND_IN_LIMITS, type StandInLimits } from './limits.js';
import type { EndPolicy } from './stream-end.js';

/** What a stand-in may be told. Everything has a default but the endpoints. */
export interface SageMakerStandInOptions extends EndPolicy {
  readonly endpoints: readonly EndpointOptions[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 8443; 0: any free one. */
  readonly port?: number;
  /** HTTP/2 without TLS (h2c, prior knowledge). Default false. */
  readonly isPlaintext?: boolean;
  /** A certificate of the caller's own. Default: one is made at start. Not with `isPlaintext`. */
  readonly certificate?: GivenCertificate;
  /** Host names that the certificate made at start holds beside those of this machine. Default: none. */
  readonly tlsNames?: readonly string[];
  /** Where to write what clients must trust. Default: a new temporary folder, removed at the end. */
  readonly authorityPath?: string;
  /** Who may call. Default: `LOCAL_CREDENTIALS`, on loopback only. Signatures are always checked. */
  readonly credentials?: readonly RuntimeCredentials[];
  /** Region of endpoints that name none. Default us-east-1. */
  readonly region?: string;
  /** Account of endpoints and credentials that name none. Default 111122223333. */
  readonly accountId?: string;
  readonly limits?: Partial<StandInLimits>;
  readonly clock?: Clock;
  /** Gets one line per stream. Default: silence. */
  readonly logger?: Logger;
  /** Called at every change of an endpoint's status. Must not throw. */
  readonly onEndpointStatus?: (state: EndpointState) => void;
}

type WithDefaults = Omit<SageMakerStandInOptions, keyof EndPolicy | 'certificate' | 'authorityPath'>;

/** Options with nothing left open. */
export interface ResolvedOptions extends Required<WithDefaults> {
  readonly certificate: GivenCertificate | undefined;
  readonly authorityPath: string | undefined;
  readonly endpoints: readonly ResolvedEndpoint[];
  readonly limits: StandInLimits;
  readonly policy: EndPolicy;
}

export const DEFAULT_RUNTIME_HOST = '127.0.0.1';
/** SageMaker's own. */
export const DEFAULT_RUNTIME_PORT = 8443;
export const DEFAULT_REGION = 'us-east-1';
/** One that AWS's documentation uses for nobody. */
export const DEFAULT_ACCOUNT_ID = '111122223333';
/** SageMaker's own. */
export const DEFAULT_CONTAINER_URL = 'ws://127.0.0.1:8080';
/** SageMaker's console calls it so. */
export const DEFAULT_VARIANT = 'AllTraffic';

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/;
const NAME_LENGTH_MAX = 63;
const HOST_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;
const REGION = /^[a-z0-9-]{1,64}$/;
const ACCOUNT = /^\d{12}$/;
/** What an `authorization` header can carry. */
const ACCESS_KEY = /^[\w+=,.@-]{1,128}$/;

/**
 * Checks everything that can be checked without listening.
 *
 * @throws SageMakerError `invalid_option`, `unsafe_address`
 */
export function resolveOptions(options: SageMakerStandInOptions): ResolvedOptions {
  const { host = DEFAULT_RUNTIME_HOST, port = DEFAULT_RUNTIME_PORT, isPlaintext = false } = options;
  const { region = DEFAULT_REGION, accountId = DEFAULT_ACCOUNT_ID, certificate, authorityPath } = options;
  const { tlsNames = [] } = options;
  const credentials = options.credentials ?? [LOCAL_CREDENTIALS];
  const limits = { ...STAND_IN_LIMITS, ...options.limits };
  const isPort = Number.isInteger(port) && port >= 0 && port <= 65_535;
  demand(isPort, 'A port is a whole number from 0 to 65535.');
  const isMade = !isPlaintext && certificate === undefined;
  demand(
    isMade || tlsNames.length === 0,
    'Names are for the certificate that is made at start; leave them out with one of your own, and without TLS.',
  );
  demand(
    tlsNames.every((name) => HOST_NAME.test(name)),
    'A name for the certificate is a host name, such as runtime.sagemaker.us-east-1.amazonaws.com.',
  );
  demand(!isPlaintext || certificate === undefined, 'A certificate is of no use without TLS; leave one out.');
  demand(
    Object.values(limits).every((limit) => limit > 0),
    'Every limit must be above 0.',
  );
  checkCredentials(credentials);
  const isPublic = credentials.some(
    ({ secretAccessKey }) => secretAccessKey === LOCAL_CREDENTIALS.secretAccessKey,
  );
  if (isPublic && !isLoopback(host)) throw new SageMakerError('unsafe_address');
  return {
    host,
    port,
    isPlaintext,
    certificate,
    tlsNames,
    authorityPath,
    credentials,
    region,
    accountId,
    endpoints: resolveEndpoints(options.endpoints, { region, accountId, limits }),
    limits,
    clock: options.clock ?? systemClock,
    logger: options.logger ?? silentLogger,
    onEndpointStatus: options.onEndpointStatus ?? (() => undefined),
    policy: {
      isEveryCloseAnError: options.isEveryCloseAnError ?? false,
      isHalfCloseAnError: options.isHalfCloseAnError ?? false,
    },
  };
}

function demand(isRight: boolean, sentence: string): void {
  if (!isRight) throw new SageMakerError('invalid_option', { sentence });
}

function checkCredentials(credentials: readonly RuntimeCredentials[]): void {
  demand(credentials.length > 0, 'Without credentials nobody could call; give at least one pair.');
  for (const { accessKeyId, secretAccessKey, sessionToken, accountId } of credentials) {
    demand(ACCESS_KEY.test(accessKeyId), 'An access key has 1 to 128 letters, digits or signs of +=,.@_-.');
    demand(secretAccessKey !== '' && sessionToken !== '', 'A secret key or session token must not be empty.');
    demand(accountId === undefined || ACCOUNT.test(accountId), 'An account has twelve digits.');
  }
  const keys = new Set(credentials.map(({ accessKeyId }) => accessKeyId));
  demand(keys.size === credentials.length, 'An access key is there twice.');
}

interface EndpointDefaults {
  readonly region: string;
  readonly accountId: string;
  readonly limits: StandInLimits;
}

function resolveEndpoints(
  endpoints: readonly EndpointOptions[],
  defaults: EndpointDefaults,
): readonly ResolvedEndpoint[] {
  const resolved = endpoints.map((endpoint) => resolveEndpoint(endpoint, defaults));
  const keys = new Set(resolved.map(({ name, region, accountId }) => `${accountId}/${region}/${name}`));
  demand(resolved.length > 0, 'Without an endpoint there is nothing to stand in for; name one.');
  demand(keys.size === resolved.length, 'An endpoint is there twice.');
  return resolved;
}

function resolveEndpoint(endpoint: EndpointOptions, defaults: EndpointDefaults): ResolvedEndpoint {
  const { name, containerUrl = DEFAULT_CONTAINER_URL, hasStreamingLabel = true } = endpoint;
  const { region = defaults.region, accountId = defaults.accountId } = endpoint;
  const { streamsMax = defaults.limits.streamsPerEndpointMax } = endpoint;
  const variants = (endpoint.variants ?? [{ name: DEFAULT_VARIANT }]).map(
    (variant): ResolvedVariant => ({ containerUrl, weight: 1, ...variant }),
  );
  demand(isName(name), 'An endpoint has a name of at most 63 letters, digits and hyphens.');
  demand(REGION.test(region), 'A region has a name like us-east-1.');
  demand(ACCOUNT.test(accountId), 'An account has twelve digits.');
  demand(streamsMax > 0, 'An endpoint carries at least one stream.');
  demand(variants.length > 0, 'An endpoint has at least one variant.');
  for (const variant of variants) {
    demand(isName(variant.name), 'A variant has a name of at most 63 letters, digits and hyphens.');
    demand(isContainerUrl(variant.containerUrl), 'A container is at ws://HOST:PORT, without a path.');
    demand(variant.weight >= 0 && Number.isFinite(variant.weight), 'A weight is a number of at least 0.');
  }
  const names = new Set(variants.map((variant) => variant.name));
  demand(names.size === variants.length, 'A variant is there twice.');
  demand(
    variants.some(({ weight }) => weight > 0),
    'At least one variant has a weight above 0.',
  );
  return { name, region, accountId, hasStreamingLabel, streamsMax, variants };
}

function isName(name: string): boolean {
  return name.length <= NAME_LENGTH_MAX && NAME.test(name);
}

function isContainerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return protocol === 'ws:' && pathname === '/' && `${username}${password}${search}${hash}` === '';
}
