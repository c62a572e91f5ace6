import type { Clock } from '@kikitori/core';
import { SigningKeys } from '../event-stream/signing-key.js';
import type { Endpoint, ResolvedVariant } from './endpoint.js';
import { inputValidationError, type Verdict } from './http-failure.js';
import type { ResolvedOptions } from './options.js';
import type { Invocation } from './request.js';
import { type AccessPolicy, checkPermission, type Signer } from './request-access.js';

export const SHUTTING_DOWN = 'The service is shutting down.';

/** What all invocations share. */
export interface InvocationContext {
  readonly options: ResolvedOptions;
  readonly endpoints: readonly Endpoint[];
  /** True once the stand-in takes no new streams. */
  readonly isClosing: boolean;
  /** Streams that live, without the one that is being decided about. */
  readonly streamCount: number;
}

/** Where a request is to go. */
export interface Target {
  readonly endpoint: Endpoint;
  readonly variant: ResolvedVariant;
}

/** What a target is looked for in. */
interface TargetScope {
  readonly endpoints: readonly Endpoint[];
  /** Of credentials that name none. */
  readonly accountId: string;
  /** As in a policy of IAM. */
  readonly action: string;
}

/** What requests are held against; it keeps the keys that were derived. */
export function accessPolicy({ region, endpoints, credentials, limits }: ResolvedOptions): AccessPolicy {
  const regions = new Set([region, ...endpoints.map((endpoint) => endpoint.region)]);
  return { credentials, regions, clockSkewMsMax: limits.clockSkewMsMax, keys: new SigningKeys() };
}

/** What every answer says. */
export function answerHeaders(
  requestId: string,
  clock: Clock,
): { readonly 'x-amzn-requestid': string; readonly date: string } {
  // The official client sets its clock by the date.
  return { 'x-amzn-requestid': requestId, date: new Date(clock.unixMs()).toUTCString() };
}

/** Everything that depends on the endpoint, in the order in which nothing is told to who may not know it. */
export function findTarget(
  { credentials, region }: Signer,
  { endpointName, targetVariant }: Pick<Invocation, 'endpointName' | 'targetVariant'>,
  { endpoints, accountId: ownAccountId, action }: TargetScope,
): Verdict<Target> {
  const accountId = credentials.accountId ?? ownAccountId;
  const denied = checkPermission(credentials, { endpointName, region, accountId, action });
  if (denied !== undefined) return { failure: denied };
  const endpoint = endpoints.find(
    (known) => known.name === endpointName && known.region === region && known.accountId === accountId,
  );
  if (endpoint === undefined) {
    const text = `Endpoint ${endpointName} of account ${accountId} not found.`;
    return { failure: inputValidationError(text, 'EndpointNotFound') };
  }
  const chosen = endpoint.choose(targetVariant);
  if (chosen.failure !== undefined) return chosen;
  return { value: { endpoint, variant: chosen.value } };
}
