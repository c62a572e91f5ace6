import { createHash, timingSafeEqual } from 'node:crypto';
import { awsPartitionOf } from '@kikitori/core/aws-partition';
import { parseAmzDate } from '../event-stream/amz-date.js';
import { type Authorization, parseAuthorization, verifyRequest } from '../event-stream/request-signature.js';
import { SIGNING_SERVICE, type SigningKeys } from '../event-stream/signing-key.js';
import type { RuntimeCredentials } from './credentials.js';
import { type AccessFailureName, accessFailure, type HttpFailure, type Verdict } from './http-failure.js';
import type { RuntimeRequest } from './request.js';

/** Who signed a request, and what the signatures of its events go on from. */
export interface Signer {
  readonly credentials: RuntimeCredentials;
  readonly region: string;
  /** Hex. */
  readonly signature: string;
}

/** What a request is held against. */
export interface AccessPolicy {
  readonly credentials: readonly RuntimeCredentials[];
  /** Regions that there are endpoints in. */
  readonly regions: ReadonlySet<string>;
  readonly clockSkewMsMax: number;
  readonly keys: SigningKeys;
}

// AWS's own words where they are known.
const TEXTS = {
  missing: 'Missing Authentication Token',
  incomplete: 'The authorization header is not a complete AWS4-HMAC-SHA256 one.',
  date: 'x-amz-date must be there, in the form YYYYMMDDTHHMMSSZ.',
  scopeDate: 'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
  scopeRegion: 'Credential should be scoped to a valid region.',
  scopeService: `Credential should be scoped to correct service: '${SIGNING_SERVICE}'.`,
  hostUnsigned: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
  headersUnsigned: "Every x-amz-* header must be a 'SignedHeader' in the AWS Authorization.",
  headersUnsorted: 'The SignedHeaders must be sorted, and each of them named once.',
  unknown: 'The security token included in the request is invalid.',
  expired: 'The security token included in the request is expired',
  clock: 'Signature expired: the date of the request is too far from the clock of the service.',
  mismatch:
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access ' +
    'Key and signing method. Consult the service documentation for details.',
} as const;

function refuse(name: AccessFailureName, text: keyof typeof TEXTS): { readonly failure: HttpFailure } {
  return { failure: accessFailure(name, TEXTS[text]) };
}

/** Who says to have signed a request; the signature itself was not looked at. */
export interface SignerClaim {
  readonly credentials: RuntimeCredentials;
  readonly authorization: Authorization;
  readonly amzDate: string;
}

/**
 * Checks that a request was signed, by whom, when, and for this service.
 *
 * @param unixMs now
 */
export function checkSignature(
  request: RuntimeRequest,
  policy: AccessPolicy,
  unixMs: number,
): Verdict<Signer> {
  const claimed = checkClaim(request, policy, unixMs);
  return claimed.failure === undefined ? verifyClaim(request, claimed.value, policy) : claimed;
}

/** Everything of it that can be said before the body is there. */
export function checkClaim(
  request: RuntimeRequest,
  policy: AccessPolicy,
  unixMs: number,
): Verdict<SignerClaim> {
  const header = request.headers['authorization'];
  if (header === undefined) return refuse('MissingAuthenticationTokenException', 'missing');
  const authorization = parseAuthorization(header);
  if (authorization === undefined) return refuse('IncompleteSignatureException', 'incomplete');
  const amzDate = request.headers['x-amz-date'] ?? '';
  const dateMs = parseAmzDate(amzDate);
  if (dateMs === undefined) return refuse('IncompleteSignatureException', 'date');
  const failure =
    checkSignedHeaders(request, authorization) ?? checkScope(authorization, amzDate, policy.regions);
  if (failure !== undefined) return { failure };
  const { accessKeyId } = authorization;
  const credentials = policy.credentials.find((known) => known.accessKeyId === accessKeyId);
  if (credentials === undefined || !isTokenRight(request, credentials)) {
    return refuse('UnrecognizedClientException', 'unknown');
  }
  if (unixMs >= (credentials.expiresAtUnixMs ?? Number.POSITIVE_INFINITY)) {
    return refuse('ExpiredTokenException', 'expired');
  }
  if (Math.abs(unixMs - dateMs) > policy.clockSkewMsMax) return refuse('InvalidSignatureException', 'clock');
  return { value: { credentials, authorization, amzDate } };
}

/**
 * The signature itself.
 *
 * @param payloadHash what stands for the body. Default: that its events are signed one by one
 */
export function verifyClaim(
  request: RuntimeRequest,
  { credentials, authorization, amzDate }: SignerClaim,
  { keys }: Pick<AccessPolicy, 'keys'>,
  payloadHash?: string,
): Verdict<Signer> {
  const { secretAccessKey } = credentials;
  if (!verifyRequest(request, authorization, { secretAccessKey, amzDate, keys }, payloadHash)) {
    return refuse('InvalidSignatureException', 'mismatch');
  }
  return { value: { credentials, region: authorization.region, signature: authorization.signature } };
}

function checkSignedHeaders(
  { headers }: RuntimeRequest,
  { signedHeaders }: Authorization,
): HttpFailure | undefined {
  const isSorted = signedHeaders.every((name, index) => {
    const before = signedHeaders[index - 1];
    return before === undefined || before < name;
  });
  if (!isSorted) return refuse('IncompleteSignatureException', 'headersUnsorted').failure;
  const signed = new Set(signedHeaders);
  if (!signed.has('host') && !signed.has(':authority')) {
    return refuse('InvalidSignatureException', 'hostUnsigned').failure;
  }
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-') && !signed.has(name))) {
    return refuse('InvalidSignatureException', 'headersUnsigned').failure;
  }
  return undefined;
}

function checkScope(
  { day, region, service }: Authorization,
  amzDate: string,
  regions: ReadonlySet<string>,
): HttpFailure | undefined {
  if (!amzDate.startsWith(day)) return refuse('InvalidSignatureException', 'scopeDate').failure;
  if (!regions.has(region)) return refuse('InvalidSignatureException', 'scopeRegion').failure;
  if (service !== SIGNING_SERVICE) return refuse('InvalidSignatureException', 'scopeService').failure;
  return undefined;
}

/** The token must be there exactly when the credentials have one, and be theirs. */
function isTokenRight({ headers }: RuntimeRequest, { sessionToken }: RuntimeCredentials): boolean {
  const token = headers['x-amz-security-token'];
  if (token === undefined || sessionToken === undefined) return token === sessionToken;
  // Digests are of equal length whatever was sent, so the time taken tells nothing.
  return timingSafeEqual(digestOf(token), digestOf(sessionToken));
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** What somebody wants to invoke. */
export interface AccessTarget {
  readonly endpointName: string;
  readonly region: string;
  readonly accountId: string;
  /** As in a policy of IAM. */
  readonly action: string;
}

/** 403 when the credentials are not for this endpoint. To be asked before whether the endpoint exists. */
export function checkPermission(
  { endpointNames }: RuntimeCredentials,
  { endpointName, region, accountId, action }: AccessTarget,
): HttpFailure | undefined {
  if (endpointNames === undefined || endpointNames.includes(endpointName)) return undefined;
  const resource = `arn:${awsPartitionOf(region).id}:sagemaker:${region}:${accountId}:endpoint/${endpointName}`;
  return accessFailure(
    'AccessDeniedException',
    `User is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy ` +
      `allows the ${action} action`,
  );
}
