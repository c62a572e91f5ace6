import { isTransient, proxySentence } from '@kikitori/core/hub';
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
  LimitExceededException:
    'This account has as many of that kind as it may, which AWS names above; remove one, or ask AWS for more.',
};

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
  const named = CODES.get(error.name);
  if (named !== undefined) return named;
  if (/is not authorized to perform/.test(error.message)) return 'access_denied';
  if (/rate exceeded/i.test(error.message)) return 'throttled';
  return isTransient(error) ? 'aws_unreachable' : (STATUSES.get(statusOf(error)) ?? 'aws_failed');
}

/** Whether the same may succeed a moment later: throttled, broken off, overloaded; of AWS, of a hub, of `fetch`. What is ours already is final. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DeployError) return false;
  const code = codeOf(error);
  return code === 'throttled' || code === 'aws_unreachable' || (statusOf(error) ?? 0) >= 500;
}

/**
 * The error of this package for a failed call; one that is ours already stays as it is. The action that was refused is named, since that is what
 * an administrator needs. Its cause has AWS's name and words of the failure, and nothing of the request.
 */
export function toDeployError(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const ofProxy = proxySentence(error);
  if (ofProxy !== undefined) return new DeployError('aws_unreachable', { cause: error, sentence: ofProxy });
  const code = codeOf(error);
  const cause = error instanceof Error ? new AwsRefusal(error) : undefined;
  const { name = '', message: serviceText = '' } = cause ?? {};
  const action = /not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)/.exec(serviceText)?.[1];
  const sentence =
    code === 'access_denied' && action !== undefined
      ? `These credentials may not do ${action}; "kikitori deploy --dry-run" prints the policy they need.`
      : (SENTENCES[name] ?? (code === 'bucket_unusable' ? OTHER_REGION : undefined));
  return new DeployError(code, { cause, serviceText, ...(sentence === undefined ? {} : { sentence }) });
}

/** Whether AWS refused a call by this name of an error, with words that match. */
export function isRefusal(error: unknown, name: string, words: RegExp = /(?:)/): boolean {
  const cause = error instanceof DeployError ? error.cause : error;
  return cause instanceof Error && cause.name === name && words.test(cause.message);
}
