import { DeployError, type DeployErrorCode } from '../errors.js';
import type { StackEvent } from './stack-reader.js';

interface Advice {
  readonly pattern: RegExp;
  readonly code: DeployErrorCode;
  readonly sentence: string;
}

/** What AWS says when a resource cannot be made, and what to do about it. docs/aws.md has the same list. The first match counts. */
export const ADVICE: readonly Advice[] = [
  {
    pattern: /for endpoint usage|ResourceLimitExceeded|account-level service limit/i,
    code: 'quota_insufficient',
    sentence:
      'The quota of this account allows too few instances of this type; ask for more under "for endpoint usage" in Service Quotas, or take another type with --instance-type.',
  },
  {
    pattern:
      /InsufficientInstanceCapacity|Unable to provision requested ML compute capacity|insufficient capacity/i,
    code: 'endpoint_failed',
    sentence:
      'AWS has no free instance of this type here now; try again later, or another --instance-type or --region.',
  },
  {
    pattern: /did not pass the ping health check|health check/i,
    code: 'endpoint_failed',
    sentence:
      'The container did not become ready in time; "kikitori logs" shows why. More time: --startup-timeout-seconds 3600.',
  },
  {
    pattern: /(Could not find|No S3 objects found).*|model data.*(not|no) /i,
    code: 'endpoint_failed',
    sentence:
      'SageMaker did not find the weights; check the bucket, the slash at the end of the prefix, and that the bucket is in the same region.',
  },
  {
    pattern: /(image|repository).*(does not exist|not found)/i,
    code: 'endpoint_failed',
    sentence: 'SageMaker did not find the image; check --image, and that it is in the same region.',
  },
  {
    pattern: /not authorized to perform|AccessDenied/i,
    code: 'access_denied',
    sentence:
      'Something may not be done; the events above name the action, and "kikitori deploy --policy" prints the policy that the deployer needs.',
  },
  {
    pattern: /already exists/i,
    code: 'not_ours',
    sentence:
      'Something of the same name is there already, which this stack did not make; remove it, or choose another name with --endpoint.',
  },
];

/** A new role that SageMaker does not know yet: to be tried again a little later. */
export function isRoleDelay(reason: string | undefined): boolean {
  return reason !== undefined && /could not assume role|cannot be assumed|unable to assume/i.test(reason);
}

/** The event that made everything else fail: the first failure that is not a cancellation. */
export function rootFailure(events: readonly StackEvent[]): StackEvent | undefined {
  return events.find(
    ({ status, reason = '' }) =>
      status.endsWith('_FAILED') && !/cancelled|The following resource/i.test(reason),
  );
}

/** The error for a stack that was put back because of `event`. */
export function failureOf(event: StackEvent | undefined): DeployError {
  const reason = event?.reason ?? '';
  const found = ADVICE.find(({ pattern }) => pattern.test(reason));
  if (found === undefined) return new DeployError('stack_failed', { serviceText: reason });
  return new DeployError(found.code, { sentence: found.sentence, serviceText: reason });
}
