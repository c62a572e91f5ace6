import { DEPLOY_LIMITS } from './limits.js';

/** What follows from a code. */
interface DeployErrorTraits {
  /** Worth the same command again, without changing anything. */
  readonly retryable: boolean;
  /** The sentence: what happened, and what to do. */
  readonly message: string;
}

function rows<Code extends string>(retryable: boolean, messages: Readonly<Record<Code, string>>) {
  const table = Object.entries<string>(messages).map(([code, message]) => [code, { retryable, message }]);
  // The same keys.
  return Object.fromEntries(table) as Readonly<Record<Code, DeployErrorTraits>>;
}

/**
 * Why an endpoint could not be made, changed, looked at or removed: for each code, is another try worth it, and the sentence. Callers match the
 * code, never the message.
 */
export const DEPLOY_ERRORS = {
  // Before anything is asked of AWS.
  ...rows(false, {
    invalid_setting: 'A setting of the deployment is out of its range; see its description.',
  }),
  // What AWS says to any call.
  ...rows(false, {
    credentials_unavailable:
      'No AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, log in with "aws sso login", or name a profile in AWS_PROFILE.',
    credentials_refused:
      'AWS does not accept these credentials; log in again ("aws sso login"), or check the access key and its session token.',
    access_denied:
      'These credentials may not do that; "kikitori deploy --policy" prints the policy they need.',
    limit_reached:
      'This account has as many of that kind as it may, which AWS names above; remove one, or ask AWS for more.',
    aws_refused:
      'AWS refuses the call; its words above say why. The same command again would be refused, too.',
  }),
  ...rows(true, {
    throttled: 'AWS kept throttling; run the same command again in a minute, it carries on where it stopped.',
    aws_unreachable:
      'AWS was not reached; check the network and the region, then run the same command again.',
    aws_failed: 'AWS failed inside; run the same command again, it carries on where it stopped.',
  }),
  // The checks in front.
  ...rows(false, {
    quota_insufficient:
      'The quota of this account allows too few instances of this type; ask for more, or take another.',
    instance_unknown: 'This instance type is not offered for endpoints in this region; choose another one.',
    not_ready:
      'Something that the deployment needs is missing; the checks above say what, and how to get it.',
  }),
  // The image, from this machine to ECR.
  ...rows(false, {
    builder_missing:
      'No program on this machine can build the image; install Docker, Finch, Podman or Buildah, or name an image that is in ECR with --image.',
    context_missing:
      'What the image is built from is not here: it is built from a checkout of Kikitori. Run the command there, or name an image that is in ECR with --image.',
    image_missing: 'There is no such image in ECR; check its name, its tag, its account and its region.',
    image_unsuitable: 'SageMaker cannot use this image.',
  }),
  ...rows(true, {
    build_failed: 'The image could not be built; the last lines of the builder say why.',
    push_failed:
      'The image could not be pushed to ECR; run the same command again, layers that are there are not sent again.',
  }),
  // The model's files, from a hub to S3.
  ...rows(false, {
    hub_refused:
      'The hub does not give this model to you; set HF_TOKEN to a token that may read it, and check that the model is spelled right.',
    hub_not_found:
      'The hub has no such model at this revision; check the name. Where it is a private one, set HF_TOKEN to a token that may read it.',
    model_unsuitable: 'The repository holds no model that vLLM can load; choose another one.',
    model_incomplete: 'The prefix in S3 does not hold all that vLLM needs.',
    prefix_occupied:
      'The prefix in S3 holds other files, and SageMaker would give all of them to the container; choose another prefix, or empty this one.',
    bucket_unusable: 'The bucket cannot be used; check its name, its region and whose it is.',
  }),
  ...rows(true, {
    hub_unreachable:
      'The model hub was not reached, or kept breaking off; check the network and HF_ENDPOINT, then run the same command again: it goes on where it stopped.',
    model_mismatch:
      'What came of the model is not what the hub announced: its hash differs. Nothing of it was kept. Run the same command again; if it happens again, the hub or a proxy in between is at fault.',
  }),
  // The stack and the endpoint.
  ...rows(false, {
    not_deployed:
      'There is no such endpoint of ours in this account and region; check --endpoint, --region and whose credentials are used.',
    not_ours:
      'Something of this name is there which "kikitori deploy" did not make; choose another name with --endpoint.',
    stack_stuck: 'CloudFormation is stuck half way and needs a decision.',
  }),
  ...rows(true, {
    stack_busy:
      'Somebody else is changing this endpoint; wait until that is done, then run the command again.',
    stack_failed: 'CloudFormation could not do it and has put everything back; the events above say why.',
    endpoint_failed: 'The endpoint did not come up; "kikitori logs" shows what its container said.',
    wait_timeout: 'It takes longer than expected; run the same command again to go on waiting.',
    left_behind:
      'Not everything could be removed; what is left is listed above. Run "kikitori destroy" again.',
  }),
};
export type DeployErrorCode = keyof typeof DEPLOY_ERRORS;

/** What a `DeployError` may carry besides its code. */
export interface DeployErrorOptions {
  readonly cause?: unknown;
  /** A sentence that is more exact than the table's: what happened, and what to do. Never a key or a token. */
  readonly sentence?: string;
  /** AWS's own words or name of the error, cut short. For the eyes of the user. */
  readonly serviceText?: string | undefined;
  /** Whose words these are where they are not AWS's, at the beginning of a sentence. */
  readonly saidBy?: string;
  /** What AWS was asked, as IAM spells it: `sagemaker:CreateModel`. */
  readonly call?: string | undefined;
}

/** The one error of this package. The message is a sentence that says what to do. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
  readonly code: DeployErrorCode;
  readonly serviceText: string | undefined;
  readonly saidBy: string;
  readonly call: string | undefined;

  constructor(code: DeployErrorCode, options: DeployErrorOptions = {}) {
    super(
      options.sentence ?? DEPLOY_ERRORS[code].message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.call = options.call;
    this.saidBy = options.saidBy ?? 'AWS';
    this.serviceText = options.serviceText?.slice(0, DEPLOY_LIMITS.serviceTextMax);
  }

  /** Whether running the same command again may succeed without anything else being changed. */
  get retryable(): boolean {
    return DEPLOY_ERRORS[this.code].retryable;
  }
}
