/** An image in a private registry of ECR. */
export interface EcrName {
  /** Host of the registry. */
  readonly registry: string;
  readonly accountId: string;
  readonly region: string;
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string | undefined;
}

const HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;

/** Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`, `…@sha256:…` or both; undefined for an image elsewhere. */
export function parseEcrName(uri: string): EcrName | undefined {
  const [, registry = '', rest = ''] = /^([^/]+)\/(.+)$/.exec(uri) ?? [];
  const [, accountId, region] = HOST.exec(registry) ?? [];
  const [, repository, tag, digest] =
    /^([a-z0-9][a-z0-9._/-]{0,255}?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(rest) ?? [];
  if (accountId === undefined || region === undefined || repository === undefined) return undefined;
  return { registry, accountId, region, repository, tag, digest };
}

/** The host of an account's registry. China has a domain of its own. */
export function registryHost(accountId: string, region: string): string {
  return `${accountId}.dkr.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

/** The ARN of a repository, for the role that pulls from it. */
export function repositoryArn({
  accountId,
  region,
  repository,
}: Pick<EcrName, 'accountId' | 'region' | 'repository'>): string {
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  return `arn:${partition}:ecr:${region}:${accountId}:repository/${repository}`;
}
