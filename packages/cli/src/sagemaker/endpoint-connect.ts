import { readFile } from 'node:fs/promises';
import type { AwsCredentials } from '@kikitori/sagemaker/client';
import type { Connect } from '@kikitori/transport';
import { configuredRegion, regionMissing } from '../aws/region.js';
import type { Environment } from '../context.js';
import { CliError } from '../errors.js';
import { findNotice, isLocalUrl } from './local-notice.js';

/** Which SageMaker endpoint. */
export interface EndpointRequest {
  readonly endpoint: string;
  /** undefined: that of the stand-in on this machine, else `AWS_REGION`, else that of the profile. */
  readonly region: string | undefined;
  /** Another address than SageMaker's own. undefined: the one that is configured for AWS's clients, if any. */
  readonly endpointUrl: string | undefined;
}

const LOCAL_REGION = 'us-east-1';

/**
 * A `Connect` to a SageMaker endpoint, signed with what AWS's chain finds. An endpoint URL on this machine (and no other)
 * leads to a stand-in: it is trusted by the certificate that it left for us, and signed for with the keys that every
 * stand-in knows, unless the environment names others and no stand-in of this user listens there.
 *
 * The URL may also be that of AWS's own settings (`AWS_ENDPOINT_URL…`, `~/.aws/config`).
 *
 * Rejects with `CliError` `usage`, `SageMakerError` `invalid_…`.
 */
export async function connectToEndpoint(request: EndpointRequest, env: Environment): Promise<Connect> {
  const { endpoint } = request;
  const { configuredEndpointUrl } = await import('@kikitori/sagemaker/aws-config');
  const endpointUrl = request.endpointUrl ?? (await configuredEndpointUrl());
  const isLocal = endpointUrl !== undefined && isLocalUrl(endpointUrl);
  const notice = isLocal ? await findNotice(endpointUrl, env) : undefined;
  const region =
    request.region ?? notice?.region ?? (await configuredRegion(env)) ?? (isLocal ? LOCAL_REGION : undefined);
  if (region === undefined) throw regionMissing();
  const { createSageMakerConnect } = await import('@kikitori/sagemaker/client');
  const { Proxies } = await import('@kikitori/transport/proxy');
  const usesLocalKeys = isLocal && (notice !== undefined || !namesKeys(env));
  return createSageMakerConnect({
    endpointName: endpoint,
    region,
    endpointUrl,
    ca: notice?.authority ?? (await bundleOf(env)),
    credentials: usesLocalKeys ? await localCredentials() : undefined,
    proxies: new Proxies(env),
  });
}

async function localCredentials(): Promise<AwsCredentials> {
  const { LOCAL_CREDENTIALS } = await import('@kikitori/sagemaker/stand-in');
  const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
  return { accessKeyId, secretAccessKey };
}

/** Whether somebody chose keys for this very process. */
function namesKeys(env: Environment): boolean {
  return [env.AWS_ACCESS_KEY_ID, env.AWS_PROFILE].some((value) => value !== undefined && value !== '');
}

/** AWS's own variable for certificates to trust. */
async function bundleOf({ AWS_CA_BUNDLE: path }: Environment): Promise<string | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CliError('usage', 'The file in AWS_CA_BUNDLE cannot be read; correct the path or unset it.', {
      cause,
    });
  }
}
