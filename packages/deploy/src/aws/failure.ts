import { DeployError, type DeployErrorCode } from '../errors.js';

/** What AWS's clients throw, as far as we look at it. */
interface ServiceFailure extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
}

const CREDENTIALS_REFUSED: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'AuthFailure',
  'RequestExpired',
]);
const DENIED: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'UnauthorizedOperation',
]);
const THROTTLED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'SlowDown',
  'LimitExceededException',
]);
const UNREACHABLE: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);

/**
 * What is kept of an error of AWS's clients. The error itself carries the whole request, with its signature and the session token, and whatever
 * prints it prints them: so it goes no further than this file.
 */
class AwsRefusal extends Error {
  override readonly name: string;
  readonly httpStatus: number | undefined;

  constructor({ name, message, $metadata }: ServiceFailure) {
    super(withoutSignature(message));
    this.name = name;
    this.httpStatus = $metadata?.httpStatusCode;
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

/** What a failed call means for us. */
export function codeOf(error: unknown): DeployErrorCode {
  if (!(error instanceof Error)) return 'aws_failed';
  const { name, message, code, $metadata } = error as ServiceFailure;
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') return 'credentials_unavailable';
  if (CREDENTIALS_REFUSED.has(name)) return 'credentials_refused';
  if (DENIED.has(name) || /is not authorized to perform/.test(message)) return 'access_denied';
  if (THROTTLED.has(name) || /rate exceeded/i.test(message)) return 'throttled';
  if (UNREACHABLE.has(String(code)) || name === 'TimeoutError') return 'aws_unreachable';
  const status = $metadata?.httpStatusCode;
  if (status === 429) return 'throttled';
  return 'aws_failed';
}

/** Whether the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof DeployError) return error.retryable;
  const code = codeOf(error);
  if (code === 'throttled' || code === 'aws_unreachable') return true;
  if (code !== 'aws_failed' || !(error instanceof Error)) return false;
  return ((error as ServiceFailure).$metadata?.httpStatusCode ?? 0) >= 500;
}

/**
 * The error of this package for a failed call. The action that was refused is named, since that is what an administrator needs. Its cause has
 * AWS's name and words of the failure, and nothing of the request.
 */
export function toDeployError(error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const code = codeOf(error);
  const cause = error instanceof Error ? new AwsRefusal(error) : undefined;
  const text = cause?.message ?? '';
  const action = /not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)/.exec(text)?.[1];
  return new DeployError(code, {
    cause,
    serviceText: text,
    ...(code === 'access_denied' && action !== undefined
      ? {
          sentence: `These credentials may not do ${action}; "kikitori deploy --dry-run" prints the policy they need.`,
        }
      : {}),
  });
}

/** Whether AWS refused a call by this name of an error, with words that match. */
export function isRefusal(error: unknown, name: string, words: RegExp = /(?:)/): boolean {
  const cause = error instanceof DeployError ? error.cause : error;
  if (!(cause instanceof Error)) return false;
  return cause.name === name && words.test(cause.message);
}
