import { SageMakerError } from '../errors.js';

/** As AWS's model of the service calls it: variables and sections are named after it. */
const SERVICE_ID = 'SageMaker Runtime HTTP2';

/**
 * Another address than the service's own, where somebody configured one for AWS's clients: `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2`,
 * `AWS_ENDPOINT_URL`, then in the profile of `~/.aws/config` the entry of its `services` section and `endpoint_url`; none of them with
 * `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`. Read by AWS's own code, which is loaded here. Rejects with `SageMakerError` `invalid_endpoint_url`.
 */
export async function configuredEndpointUrl(): Promise<string | undefined> {
  const { resolveEndpointConfig } = await import('@smithy/core/endpoints');
  const { serviceConfiguredEndpoint } = resolveEndpointConfig({
    serviceId: SERVICE_ID,
    urlParser: notAsked,
    endpointProvider: notAsked,
  });
  const url = await serviceConfiguredEndpoint?.();
  if (url === undefined || isHttp(url)) return url;
  throw new SageMakerError('invalid_endpoint_url', {
    sentence:
      'The endpoint URL that is configured for AWS is none; correct AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2, AWS_ENDPOINT_URL or endpoint_url in ~/.aws/config, such as https://localhost:8443.',
  });
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** What makes requests needs these; nobody makes one here. */
function notAsked(): never {
  throw new Error('No request is made here.');
}
