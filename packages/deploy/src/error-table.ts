/** Why an endpoint could not be made, changed, looked at or removed. Callers match the code, never the message. */
export type DeployErrorCode =
  // Before anything is asked of AWS.
  | 'invalid_setting'
  | 'region_missing'
  // What AWS says to any call.
  | 'credentials_unavailable'
  | 'credentials_refused'
  | 'access_denied'
  | 'throttled'
  | 'aws_unreachable'
  | 'aws_failed'
  // The checks in front.
  | 'quota_insufficient'
  | 'instance_unknown'
  | 'not_ready'
  // The image, from this machine to ECR.
  | 'builder_missing'
  | 'context_missing'
  | 'build_failed'
  | 'push_failed'
  | 'image_missing'
  | 'image_unsuitable'
  // The model's files, from a hub to S3.
  | 'hub_refused'
  | 'hub_not_found'
  | 'hub_unreachable'
  | 'model_unsuitable'
  | 'model_mismatch'
  | 'model_incomplete'
  | 'prefix_occupied'
  | 'bucket_unusable'
  // The stack and the endpoint.
  | 'not_deployed'
  | 'not_ours'
  | 'stack_busy'
  | 'stack_failed'
  | 'stack_stuck'
  | 'endpoint_failed'
  | 'wait_timeout'
  | 'left_behind';

/** One row of the table. */
export interface DeployErrorTraits {
  /** Worth the same command again, without changing anything. */
  readonly retryable: boolean;
  readonly exitCode: 1 | 2;
  /** The sentence: what happened, and what to do. */
  readonly message: string;
}

/** For each code: is another try worth it, the exit code of a command that ends with it, and the sentence. */
export const DEPLOY_ERRORS: Readonly<Record<DeployErrorCode, DeployErrorTraits>> = {
  invalid_setting: {
    retryable: false,
    exitCode: 2,
    message: 'A setting of the deployment is out of its range; see its description.',
  },
  region_missing: {
    retryable: false,
    exitCode: 2,
    message: 'Name the AWS region with --region, or set AWS_REGION.',
  },
  credentials_unavailable: {
    retryable: false,
    exitCode: 1,
    message:
      'No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in with "aws sso login", or name a profile in AWS_PROFILE.',
  },
  credentials_refused: {
    retryable: false,
    exitCode: 1,
    message:
      'AWS does not accept these credentials; log in again ("aws sso login"), or check the access key and its session token.',
  },
  access_denied: {
    retryable: false,
    exitCode: 1,
    message: 'These credentials may not do that; "kikitori deploy --dry-run" prints the policy they need.',
  },
  throttled: {
    retryable: true,
    exitCode: 1,
    message: 'AWS kept throttling; run the same command again in a minute, it carries on where it stopped.',
  },
  aws_unreachable: {
    retryable: true,
    exitCode: 1,
    message: 'AWS was not reached; check the network and the region, then run the same command again.',
  },
  aws_failed: {
    retryable: true,
    exitCode: 1,
    message: 'AWS failed inside; run the same command again, it carries on where it stopped.',
  },
  quota_insufficient: {
    retryable: false,
    exitCode: 1,
    message:
      'The quota of this account allows too few instances of this type; ask for more, or take another.',
  },
  instance_unknown: {
    retryable: false,
    exitCode: 2,
    message: 'This instance type is not offered for endpoints in this region; choose another one.',
  },
  not_ready: {
    retryable: false,
    exitCode: 1,
    message: 'Something that the deployment needs is missing; the checks above say what, and how to get it.',
  },
  builder_missing: {
    retryable: false,
    exitCode: 1,
    message:
      'No program on this machine can build the image; install Docker, Finch, Podman or Buildah, or name an image that is in ECR with --image.',
  },
  context_missing: {
    retryable: false,
    exitCode: 1,
    message:
      'What the image is built from is not here: it is built from a checkout of Kikitori. Run the command there, or name an image that is in ECR with --image.',
  },
  build_failed: {
    retryable: true,
    exitCode: 1,
    message: 'The image could not be built; the last lines of the builder say why.',
  },
  push_failed: {
    retryable: true,
    exitCode: 1,
    message:
      'The image could not be pushed to ECR; run the same command again, layers that are there are not sent again.',
  },
  image_missing: {
    retryable: false,
    exitCode: 2,
    message: 'There is no such image in ECR; check its name, its tag, its account and its region.',
  },
  image_unsuitable: {
    retryable: false,
    exitCode: 2,
    message: 'SageMaker cannot use this image.',
  },
  hub_refused: {
    retryable: false,
    exitCode: 1,
    message:
      'The hub does not give this model to you; set HF_TOKEN to a token that may read it, and check that the model is spelled right.',
  },
  hub_not_found: {
    retryable: false,
    exitCode: 2,
    message:
      'The hub has no such model at this revision; check the name. Where it is a private one, set HF_TOKEN to a token that may read it.',
  },
  hub_unreachable: {
    retryable: true,
    exitCode: 1,
    message:
      'The model hub was not reached, or kept breaking off; check the network and HF_ENDPOINT, then run the same command again: it goes on where it stopped.',
  },
  model_unsuitable: {
    retryable: false,
    exitCode: 2,
    message: 'The repository holds no model that vLLM can load; choose another one.',
  },
  model_mismatch: {
    retryable: true,
    exitCode: 1,
    message:
      'What came of the model is not what the hub announced: its hash differs. Nothing of it was kept. Run the same command again; if it happens again, the hub or a proxy in between is at fault.',
  },
  model_incomplete: {
    retryable: false,
    exitCode: 2,
    message: 'The prefix in S3 does not hold all that vLLM needs.',
  },
  prefix_occupied: {
    retryable: false,
    exitCode: 2,
    message:
      'The prefix in S3 holds other files, and SageMaker would give all of them to the container; choose another prefix, or empty this one.',
  },
  bucket_unusable: {
    retryable: false,
    exitCode: 1,
    message: 'The bucket cannot be used; check its name, its region and whose it is.',
  },
  not_deployed: {
    retryable: false,
    exitCode: 1,
    message:
      'There is no such endpoint of ours in this account and region; check --endpoint, --region and whose credentials are used.',
  },
  not_ours: {
    retryable: false,
    exitCode: 1,
    message:
      'Something of this name is there which "kikitori deploy" did not make; choose another name with --endpoint.',
  },
  stack_busy: {
    retryable: true,
    exitCode: 1,
    message: 'Somebody else is changing this endpoint; wait until that is done, then run the command again.',
  },
  stack_failed: {
    retryable: true,
    exitCode: 1,
    message: 'CloudFormation could not do it and has put everything back; the events above say why.',
  },
  stack_stuck: {
    retryable: false,
    exitCode: 1,
    message: 'CloudFormation is stuck half way and needs a decision.',
  },
  endpoint_failed: {
    retryable: true,
    exitCode: 1,
    message: 'The endpoint did not come up; "kikitori logs" shows what its container said.',
  },
  wait_timeout: {
    retryable: true,
    exitCode: 1,
    message: 'It takes longer than expected; run the same command again to go on waiting.',
  },
  left_behind: {
    retryable: true,
    exitCode: 1,
    message: 'Not everything could be removed; what is left is listed above. Run "kikitori destroy" again.',
  },
};
