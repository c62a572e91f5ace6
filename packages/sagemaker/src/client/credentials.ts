import { type Proxies, proxyAgents } from '@kikitori/transport/proxy';
import type { AwsCredentialIdentity } from '@smithy/types';
import { SageMakerError } from '../errors.js';
import { SAGEMAKER_LIMITS } from '../limits.js';

/** Keys to sign with. `sessionToken` and `expiration` belong to temporary ones. */
export type AwsCredentials = Pick<
  AwsCredentialIdentity,
  'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'expiration'
>;

/** Gives credentials; asked for every new stream. `forceRefresh`: not the ones given before, they are about to end. */
export type AwsCredentialsProvider = (options?: {
  readonly forceRefresh?: boolean;
}) => Promise<AwsCredentials>;

/** Where the default chain looks. */
export interface CredentialChainOptions {
  readonly region: string;
  readonly profile?: string | undefined;
  readonly proxies?: Proxies | undefined;
}

/**
 * AWS's own chain: environment, profile, SSO, web identity, container, instance. Loaded at the first call, since it is
 * the heaviest import of the package; it caches, and renews what is about to expire.
 */
export function defaultCredentials({
  region,
  profile,
  proxies,
}: CredentialChainOptions): AwsCredentialsProvider {
  const agents = proxies === undefined || proxies.isEmpty ? undefined : proxyAgents(proxies);
  const clientConfig = { region, ...(agents === undefined ? {} : { requestHandler: agents }) };
  let chain: Promise<AwsCredentialsProvider> | undefined;
  return async (options) => {
    chain ??= import('@aws-sdk/credential-provider-node').then(({ defaultProvider }) =>
      defaultProvider({ clientConfig, ...(profile === undefined ? {} : { profile }) }),
    );
    return (await chain)(options);
  };
}

/** Credentials that are good for a while: short-lived ones are asked for a second time. `credentials_unavailable`. */
export async function freshCredentials(
  provider: AwsCredentialsProvider,
  nowMs: number,
): Promise<AwsCredentials> {
  try {
    const credentials = await provider();
    if (isGoodFor(credentials, nowMs)) return checked(credentials);
    return checked(await provider({ forceRefresh: true }));
  } catch (error) {
    throw new SageMakerError('credentials_unavailable', { cause: nameOf(error) });
  }
}

/**
 * What is kept of a failure: its name. Where keys come from a service of AWS, its error carries the whole signed request, and whatever prints
 * the error prints it.
 */
function nameOf(error: unknown): Error {
  const kept = new Error(error instanceof TypeError ? error.message : 'No credentials were given.');
  kept.name = error instanceof Error ? error.name : 'Error';
  return kept;
}

function isGoodFor({ expiration }: AwsCredentials, nowMs: number): boolean {
  return expiration === undefined || expiration.getTime() - nowMs >= SAGEMAKER_LIMITS.credentialsLifeMsMin;
}

// What a header can carry. The key's own shape is looked at when the request is signed.
const TOKEN = /^[\x21-\x7e]+$/;

/** A provider of the caller may be plain JavaScript, and a token may have been copied with a line end. */
function checked(credentials: AwsCredentials): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  if (typeof accessKeyId !== 'string' || accessKeyId === '') throw new TypeError('No accessKeyId.');
  if (typeof secretAccessKey !== 'string' || secretAccessKey === '') {
    throw new TypeError('No secretAccessKey.');
  }
  if (sessionToken !== undefined && !TOKEN.test(sessionToken)) {
    throw new TypeError('The session token holds what no header can carry.');
  }
  return credentials;
}
