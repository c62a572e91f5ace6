import { type InvocationRecord, isFailure } from '../invocation/record.js';
import { endedBy, isOrderly, type SessionRecord } from '../session/record.js';

const METRICS = [
  { Name: 'Sessions', Unit: 'Count' },
  { Name: 'SessionsFailed', Unit: 'Count' },
  { Name: 'SessionsRefused', Unit: 'Count' },
  { Name: 'SessionsActive', Unit: 'Count' },
  { Name: 'SessionDuration', Unit: 'Milliseconds' },
  { Name: 'BytesFromClient', Unit: 'Bytes' },
  { Name: 'BytesToClient', Unit: 'Bytes' },
  { Name: 'MessagesFromClient', Unit: 'Count' },
  { Name: 'MessagesToClient', Unit: 'Count' },
] as const;
const FIRST_MESSAGE = { Name: 'TimeToFirstMessage', Unit: 'Milliseconds' } as const;

/** The CloudWatch namespace unless told otherwise. */
export const EMF_NAMESPACE = 'Kikitori/Bridge';

/**
 * A session that is over, in CloudWatch's Embedded Metric Format: one line on the container's output, from which CloudWatch
 * Logs makes metrics, in all and by the class of the end (`Reason`).
 */
export function emfLine(
  record: SessionRecord,
  { namespace = EMF_NAMESPACE, sessionsActive, unixMs }: EmfContext,
): string {
  const { reason, fromClient, fromUpstream, firstMessageMs, refusedStatus } = record;
  return JSON.stringify({
    _aws: {
      Timestamp: unixMs,
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [[], ['Reason']],
          Metrics: firstMessageMs === undefined ? METRICS : [...METRICS, FIRST_MESSAGE],
        },
      ],
    },
    Reason: reason,
    EndedBy: endedBy(reason),
    Sessions: 1,
    SessionsFailed: isOrderly(reason) ? 0 : 1,
    SessionsRefused: refusedStatus === undefined ? 0 : 1,
    SessionsActive: sessionsActive,
    SessionDuration: Math.round(record.durationMs),
    BytesFromClient: fromClient.payloadBytes,
    BytesToClient: fromUpstream.payloadBytes,
    MessagesFromClient: fromClient.messages,
    MessagesToClient: fromUpstream.messages,
    ...(firstMessageMs === undefined ? {} : { TimeToFirstMessage: Math.round(firstMessageMs) }),
  });
}

const INVOCATION_METRICS = [
  { Name: 'Invocations', Unit: 'Count' },
  { Name: 'InvocationsFailed', Unit: 'Count' },
  { Name: 'InvocationsActive', Unit: 'Count' },
  { Name: 'InvocationDuration', Unit: 'Milliseconds' },
  { Name: 'InvocationBytesFromClient', Unit: 'Bytes' },
  { Name: 'InvocationBytesToClient', Unit: 'Bytes' },
] as const;

/** The same for a file over HTTP that is over. */
export function invocationLine(
  record: InvocationRecord,
  { active, unixMs }: { readonly active: number; readonly unixMs: number },
): string {
  const { reason, durationMs, clientBytes, upstreamBytes } = record;
  return JSON.stringify({
    _aws: {
      Timestamp: unixMs,
      CloudWatchMetrics: [
        { Namespace: EMF_NAMESPACE, Dimensions: [[], ['Reason']], Metrics: INVOCATION_METRICS },
      ],
    },
    Reason: reason,
    Invocations: 1,
    InvocationsFailed: isFailure(reason) ? 1 : 0,
    InvocationsActive: active,
    InvocationDuration: Math.round(durationMs),
    InvocationBytesFromClient: clientBytes,
    InvocationBytesToClient: upstreamBytes,
  });
}

/** What a line tells besides the session. */
export interface EmfContext {
  readonly namespace?: string;
  /** Sessions that go on. */
  readonly sessionsActive: number;
  readonly unixMs: number;
}
