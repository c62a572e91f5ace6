import { awsPartitionOf } from '@kikitori/core/aws-partition';

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

const HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.([a-z0-9.-]+)$/;

/** Reads `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`, `…@sha256:…` or both; undefined for an image elsewhere. */
export function parseEcrName(uri: string): EcrName | undefined {
  const [, registry = '', rest = ''] = /^([^/]+)\/(.+)$/.exec(uri) ?? [];
  const [, accountId, region, suffix = ''] = HOST.exec(registry) ?? [];
  const [, repository, tag, digest] =
    /^([a-z0-9][a-z0-9._/-]{0,255}?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(rest) ?? [];
  if (accountId === undefined || region === undefined || repository === undefined) return undefined;
  if (!suffixesOf(region).includes(suffix)) return undefined;
  return { registry, accountId, region, repository, tag, digest };
}

/** What hosts of registries end with: the domain of the partition, and the one that has IPv6 as well (`on.aws`). */
function suffixesOf(region: string): readonly string[] {
  const { dnsSuffix, dualStackDnsSuffix } = awsPartitionOf(region);
  return [dnsSuffix, dualStackDnsSuffix.replace('api.', 'on.')];
}

/** The host of an account's registry. Each partition has a domain of its own. */
export function registryHost(accountId: string, region: string): string {
  return `${accountId}.dkr.ecr.${region}.${awsPartitionOf(region).dnsSuffix}`;
}

/** The ARN of a repository, for the role that pulls from it. */
export function repositoryArn({
  accountId,
  region,
  repository,
}: Pick<EcrName, 'accountId' | 'region' | 'repository'>): string {
  return `arn:${awsPartitionOf(region).id}:ecr:${region}:${accountId}:repository/${repository}`;
}
