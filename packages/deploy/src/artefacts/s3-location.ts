import { DeployError } from '../errors.js';

/** A folder of a bucket, as SageMaker's `S3Prefix` names it. */
export interface S3Location {
  readonly bucket: string;
  /** With a slash at its end, or empty for the whole bucket. */
  readonly prefix: string;
}

/**
 * Reads `s3://bucket/some/prefix/`; a missing slash at the end is added, because SageMaker would otherwise take every key
 * that begins so.
 *
 * @throws DeployError `invalid_setting`
 */
export function parseS3Uri(uri: string): S3Location {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(uri) ?? [];
  // Characters that neither S3 nor a policy's resource reads as something else.
  const isClean = /^[\w.!'()/=+@,:-]*$/.test(path) && !/\/\/|(^|\/)\.\.?(\/|$)/.test(path);
  if (bucket === undefined || !isClean || path.length > 900 || path.startsWith('/')) {
    throw new DeployError('invalid_setting', {
      sentence:
        'A place in S3 is named s3://BUCKET/PREFIX/, without empty parts or dots between the slashes.',
    });
  }
  return { bucket, prefix: path === '' || path.endsWith('/') ? path : `${path}/` };
}

/** The location as SageMaker wants it, with a slash at the end. */
export function formatS3Uri({ bucket, prefix }: S3Location): string {
  return `s3://${bucket}/${prefix}`;
}
