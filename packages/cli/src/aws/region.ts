import type { Environment } from '../context.js';
import { CliError } from '../errors.js';

/** The region that the environment says. */
export function awsRegion(env: Environment): string | undefined {
  return env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined;
}

/** The region of the environment, else that of the profile in `~/.aws/config`, which AWS's own code reads. */
export async function configuredRegion(env: Environment): Promise<string | undefined> {
  const region = awsRegion(env);
  if (region !== undefined) return region;
  const { profileRegion } = await import('@kikitori/sagemaker/aws-config');
  return await profileRegion();
}

/** Nobody said which region. */
export function regionMissing(): CliError {
  return new CliError(
    'usage',
    'Name the region with --region, set AWS_REGION, or give the profile one in ~/.aws/config ("aws configure set region us-east-1").',
  );
}
