import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { SageMakerError } from '../errors.js';
import {
  EVENT_STREAM_CONTENT_TYPE,
  parseAuthorization,
  STREAMING_PAYLOAD_HASH,
} from '../event-stream/request-signature.js';
import { SIGNING_SERVICE } from '../event-stream/signing-key.js';
import type { AwsCredentials } from './credentials.js';
import type { Endpoint } from './endpoint.js';
import type { InvocationTarget } from './invocation-target.js';

/** What the client says about itself. */
export interface ClientIdentity {
  readonly userAgent: string;
  readonly amzUserAgent: string;
  /** `amz-sdk-request`: which attempt this is. */
  readonly attempt: string;
  /** A UUID for each request. */
  readonly invocationId: () => string;
}

/** What a request is made of. */
export interface RequestParts {
  readonly endpoint: Endpoint;
  readonly region: string;
  readonly target: InvocationTarget;
  readonly credentials: AwsCredentials;
  readonly identity: ClientIdentity;
  readonly nowMs: number;
}

/** The request, ready to be sent, and the signature that the first event goes on from. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly signature: string;
}

/**
 * Makes and signs the request, with the headers of AWS's JavaScript client in their order. As that client does we sign
 * `:authority`, which is on the wire, instead of a `host` that is not.
 */
export async function signRequest(parts: RequestParts): Promise<SignedRequest> {
  const { endpoint, region, target, credentials, identity, nowMs } = parts;
  const path = `/endpoints/${encodeURIComponent(target.endpointName)}/invocations-bidirectional-stream`;
  const signer = new SignatureV4({
    credentials,
    region,
    service: SIGNING_SERVICE,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: 'POST',
      protocol: endpoint.isTls ? 'https:' : 'http:',
      hostname: endpoint.host,
      path,
      query: {},
      headers: { ':authority': endpoint.authority, ...plainHeaders(target, identity) },
    },
    { signingDate: new Date(nowMs) },
  );
  const { ':authority': authority = endpoint.authority, ...headers } = signed.headers;
  const authorization = parseAuthorization(headers['authorization'] ?? '');
  // Only an access key that SigV4 cannot carry gets here.
  if (authorization === undefined) throw new SageMakerError('credentials_unavailable');
  return {
    headers: {
      ':authority': authority,
      ':path': path,
      ':method': 'POST',
      ':scheme': endpoint.isTls ? 'https' : 'http',
      ...headers,
    },
    signature: authorization.signature,
  };
}

function plainHeaders(target: InvocationTarget, identity: ClientIdentity): Record<string, string> {
  const { targetVariant, modelInvocationPath, modelQueryString } = target;
  const headers: Record<string, string> = {};
  if (targetVariant !== undefined) headers['x-amzn-sagemaker-target-variant'] = targetVariant;
  if (modelInvocationPath !== undefined)
    headers['x-amzn-sagemaker-model-invocation-path'] = modelInvocationPath;
  if (modelQueryString !== undefined) headers['x-amzn-sagemaker-model-query-string'] = modelQueryString;
  return {
    ...headers,
    'content-type': EVENT_STREAM_CONTENT_TYPE,
    'x-amz-content-sha256': STREAMING_PAYLOAD_HASH,
    'x-amz-user-agent': identity.amzUserAgent,
    'user-agent': identity.userAgent,
    'amz-sdk-invocation-id': identity.invocationId(),
    'amz-sdk-request': identity.attempt,
  };
}
