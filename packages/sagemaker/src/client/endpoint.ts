import { awsPartitionOf } from '@kikitori/core/aws-partition';
import { SageMakerError } from '../errors.js';

/** Where requests go. */
export interface Endpoint {
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** `:authority`: the host, and the port unless it is the scheme's own. */
  readonly authority: string;
}

/** What decides the default endpoint. */
export interface EndpointChoice {
  readonly region: string;
  readonly isFips?: boolean | undefined;
  readonly isDualStack?: boolean | undefined;
}

/** The port of SageMaker's bidirectional streams. */
const STREAMS_PORT = 8443;

const REGION = /^[a-z]{2,8}(-[a-z0-9]{1,16}){1,4}$/;

/** Throws `invalid_region` for what cannot be one. */
export function assertRegion(region: string): void {
  if (!REGION.test(region)) throw new SageMakerError('invalid_region');
}

/** The service's own endpoint, by the rules of its model (2025-10-01). Throws `invalid_region`. */
export function defaultEndpoint({ region, isFips = false, isDualStack = false }: EndpointChoice): Endpoint {
  assertRegion(region);
  const { dnsSuffix, dualStackDnsSuffix } = awsPartitionOf(region);
  const suffix = isDualStack ? dualStackDnsSuffix : dnsSuffix;
  const host = `runtime${isFips ? '-fips' : ''}.sagemaker.${region}.${suffix}`;
  return { isTls: true, host, port: STREAMS_PORT, authority: `${host}:${STREAMS_PORT}` };
}

/** An endpoint by its URL: `https:` (TLS) or `http:` (HTTP/2 without TLS). Throws `invalid_endpoint_url`. */
export function endpointFromUrl(text: string): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new SageMakerError('invalid_endpoint_url', { cause });
  }
  const isTls = url.protocol === 'https:';
  const isBare =
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === '';
  if ((!isTls && url.protocol !== 'http:') || !isBare) throw new SageMakerError('invalid_endpoint_url');
  return {
    isTls,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    authority: url.host,
  };
}
