import { BrokenOffError, isTransient, proxySentence } from '@kikitori/core/hub';
import { DeployError, type DeployErrorCode } from '../errors.js';

/** What AWS's clients throw, as far as we look at it. */
interface ServiceFailure extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** What the names of AWS's errors mean for us; of all services, since they agree. */
const NAMES: Readonly<Partial<Record<DeployErrorCode, readonly string[]>>> = {
  credentials_unavailable: ['CredentialsProviderError', 'TokenProviderError', 'NoCredentials'],
  credentials_refused: [
    ...[
      'ExpiredToken',
      'ExpiredTokenException',
      'InvalidToken',
      'InvalidClientTokenId',
      'InvalidAccessKeyId',
    ],
    ...['UnrecognizedClientException', 'MissingAuthenticationToken', 'AuthFailure', 'RequestExpired'],
    ...['SignatureDoesNotMatch', 'InvalidSignatureException', 'RequestTimeTooSkewed'],
    ...['IncompleteSignature', 'IncompleteSignatureException'],
  ],
  access_denied: ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'],
  // Before the status is looked at: some services answer 429 to it.
  limit_reached: [
    ...['LimitExceededException', 'LimitExceeded', 'ResourceLimitExceeded', 'TooManyBuckets'],
    ...['ServiceQuotaExceededException', 'LimitExceededFault'],
  ],
  throttled: [
    ...['Throttling', 'ThrottlingException', 'ThrottledException', 'TooManyRequestsException'],
    ...['RequestLimitExceeded', 'SlowDown'],
  ],
  aws_unreachable: ['TimeoutError', 'RequestTimeout', 'RequestTimeoutException'],
  image_missing: ['ImageNotFoundException', 'RepositoryNotFoundException'],
  bucket_unusable: ['NoSuchBucket', 'NotFound', 'PermanentRedirect', 'AuthorizationHeaderMalformed'],
};
const CODES: ReadonlyMap<string, DeployErrorCode> = new Map(
  // The keys are codes.
  (Object.entries(NAMES) as [DeployErrorCode, readonly string[]][]).flatMap(([code, names]) =>
    names.map((name) => [name, code] as const),
  ),
);

const STATUSES: ReadonlyMap<number | undefined, DeployErrorCode> = new Map([
  [301, 'bucket_unusable'],
  [403, 'access_denied'],
  [408, 'aws_unreachable'],
  [425, 'aws_unreachable'],
  [429, 'throttled'],
  [503, 'throttled'],
]);

/** A bucket whose region is not the one that was asked. */
export const OTHER_REGION =
  'The bucket is in another region. SageMaker reads a model only from a bucket of the endpoint’s own region.';
/** An upload that was there before and is not any more. */
export const ENDED_ELSEWHERE =
  'The upload was ended by somebody else: by another copy of the same model, or by a rule of the bucket. Run the same command again.';
const NO_BUCKET = 'There is no such bucket; make it first, or name another one.';

/** Sentences that are more exact than the table's, by AWS's name. */
const SENTENCES: Readonly<Record<string, string>> = {
  NoSuchBucket: NO_BUCKET,
  NotFound: NO_BUCKET,
  NoSuchUpload: ENDED_ELSEWHERE,
};

const POLICY_HINT = '"kikitori deploy --policy" prints the policy they need';

/** Sentences that name the call: what to do depends on it, or there are no words of AWS that would say more. */
const NAMING: Readonly<Partial<Record<DeployErrorCode, (call: string) => string>>> = {
  access_denied: (call) => `These credentials may not do ${call}; ${POLICY_HINT}.`,
  throttled: (call) =>
    `AWS kept throttling ${call}; run the same command again in a minute, it carries on where it stopped.`,
  aws_unreachable: (call) =>
    `AWS was not reached for ${call}; check the network and the region, then run the same command again.`,
  aws_failed: (call) =>
    `AWS failed inside at ${call}; run the same command again, it carries on where it stopped.`,
  aws_refused: (call) =>
    `AWS refuses ${call}; its words above say why. The same command again would be refused, too.`,
};

/** Calls whose failure passes through several hands before it becomes ours. */
const CALLS = new WeakMap<object, string>();

/** Notes what was asked when this was thrown. */
export function noteCall(error: unknown, call: string): void {
  if (error instanceof Error && !CALLS.has(error)) CALLS.set(error, call);
}

/**
 * What is kept of an error of AWS's clients. The error itself carries the whole request, with its signature and the session token, and whatever
 * prints it prints them: so it goes no further than this file.
 */
class AwsRefusal extends Error {
  override readonly name: string;

  constructor({ name, message }: Error) {
    super(withoutSignature(message));
    this.name = name;
  }
}

/** Where AWS, to help, repeats what it was sent: the canonical request, the string to sign, the header with the signature. */
const REPEATED =
  /\(?(?:The )?(?:Canonical String|String-to-Sign)|AWS4-HMAC-SHA256|Authorization header|x-amz-/i;

/** AWS's words up to where they begin to repeat a signed request. */
function withoutSignature(text: string): string {
  const [kept = ''] = text.split(REPEATED);
  return kept.length < text.length ? `${kept.trimEnd()} …` : text;
}

/** The HTTP status of an error of AWS's clients; none when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as ServiceFailure).$metadata?.httpStatusCode : undefined;
}

/** What a failure of AWS, or of anything else that is asked over the network, means for us. */
function codeOf(error: unknown): DeployErrorCode {
  if (!(error instanceof Error)) return 'aws_failed';
  // Some services call it a limit.
  if (/rate exceeded/i.test(error.message)) return 'throttled';
  const named = CODES.get(error.name);
  if (named !== undefined) return named;
  if (/is not authorized to perform/.test(error.message)) return 'access_denied';
  if (isTransient(error)) return 'aws_unreachable';
  const status = statusOf(error) ?? 0;
  return STATUSES.get(status) ?? (status >= 400 && status < 500 ? 'aws_refused' : 'aws_failed');
}

/** Whether nothing was answered at all. */
export function isUnreached(error: unknown): boolean {
  return codeOf(error) === 'aws_unreachable';
}

/** Whether the same may succeed a moment later: throttled, broken off, overloaded; of AWS, of a hub, of `fetch`. What is ours already is final. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DeployError) return false;
  const code = codeOf(error);
  return code === 'throttled' || code === 'aws_unreachable' || (statusOf(error) ?? 0) >= 500;
}

/**
 * The error of this package for a failed call; one that is ours already stays as it is. The action that was refused is named, since that is what
 * an administrator needs. Its cause has AWS's name and words of the failure, and nothing of the request. `call`: what was asked, as IAM spells it.
 */
export function toDeployError(error: unknown, call = callNoted(error)): DeployError {
  if (error instanceof DeployError) return error;
  const ofProxy = proxySentence(error);
  if (ofProxy !== undefined) {
    return new DeployError('aws_unreachable', { cause: error, sentence: ofProxy, call });
  }
  const code = codeOf(error);
  const cause = error instanceof Error ? new AwsRefusal(error) : undefined;
  const { name = '', message: words = '' } = cause ?? {};
  const action = /not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)/.exec(words)?.[1];
  const named = code === 'access_denied' ? (action ?? call) : call;
  const sentence =
    SENTENCES[name] ??
    (code === 'bucket_unusable' ? OTHER_REGION : named === undefined ? undefined : NAMING[code]?.(named));
  // That nothing came in time is said by the sentence already.
  const serviceText = error instanceof BrokenOffError ? undefined : words;
  const saidBy =
    statusOf(error) !== undefined ? 'AWS' : code === 'aws_unreachable' ? 'The network' : 'AWS’s client';
  return new DeployError(code, {
    ...{ cause, call, serviceText, saidBy },
    ...(sentence === undefined ? {} : { sentence }),
  });
}

function callNoted(error: unknown): string | undefined {
  return error instanceof Error ? CALLS.get(error) : undefined;
}

/** Whether AWS refused a call by this name of an error, with words that match. */
export function isRefusal(error: unknown, name: string, words: RegExp = /(?:)/): boolean {
  const cause = error instanceof DeployError ? error.cause : error;
  return cause instanceof Error && cause.name === name && words.test(cause.message);
}
