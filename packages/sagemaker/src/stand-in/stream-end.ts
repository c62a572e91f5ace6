import { formatCloseText } from '../event-stream/close-text.js';
import type { EventFault } from './request-events.js';

/** Everything that ends a stream which was open. */
export type StreamEnd =
  /** The container sent a Close frame; 1005 stands for one without a code. */
  | { readonly kind: 'container_closed'; readonly code: number; readonly reason: string }
  /** The container's line was cut without a Close frame. */
  | { readonly kind: 'container_lost' }
  /** The container broke the framing rules, or sent a frame above the limit; `closeCode` is what it was told. */
  | { readonly kind: 'container_broken'; readonly closeCode: number }
  /** The container left too many pings unanswered. */
  | { readonly kind: 'container_silent' }
  /** The client ended its input with the signed empty event. */
  | { readonly kind: 'client_done' }
  /** The client reset the stream, ended it without the signed empty event, or its connection is lost. */
  | { readonly kind: 'client_gone' }
  /** The client sent what cannot be read or was not signed right. */
  | { readonly kind: 'client_event'; readonly fault: EventFault }
  /** The longest time is over. */
  | { readonly kind: 'time_limit' }
  /** The stand-in ends. */
  | { readonly kind: 'shutdown' }
  /** A fault of the stand-in. */
  | { readonly kind: 'internal' };

/** How the two ways to read AWS's documentation are decided. */
export interface EndPolicy {
  /**
   * AWS's text says that a Close of the container becomes an exception, and makes no exception for 1000; clients see a
   * clean end after 1000. Default false: 1000 is a clean end.
   */
  readonly isEveryCloseAnError?: boolean;
  /** Clients have seen "Input stream broken" after ending their input. Default false: a clean end. */
  readonly isHalfCloseAnError?: boolean;
}

/** An exception inside the stream: the shape's name, and its members as AWS spells them. */
export interface StreamException {
  readonly name: 'ModelStreamError' | 'InternalStreamFailure';
  readonly members: Readonly<Record<string, string>>;
}

/** What each side is told. */
export interface EndPlan {
  /** Absent: a clean end. */
  readonly exception?: StreamException;
  /** What the container is told; where it closed itself, its own code is given back. */
  readonly closeCode: number;
  readonly closeReason?: string;
}

const NORMAL = 1000;
const GOING_AWAY = 1001;

/** SageMaker's sibling API calls a broken stream so; this one documents no code. */
const BROKEN = 'StreamBroken';

const FAULTS: Readonly<Record<EventFault, readonly [errorCode: string, message: string]>> = {
  malformed: ['InvalidEvent', 'An event is not a signed PayloadPart.'],
  checksum: ['InvalidEvent', 'The checksum of an event is wrong.'],
  oversized: ['InvalidEvent', 'An event is longer than allowed.'],
  signature: ['InvalidSignature', 'The signature of an event does not match.'],
  expired: ['InvalidSignature', 'The date of an event is too far from the clock of the service.'],
  truncated: [BROKEN, 'Input stream broken: it ended inside an event.'],
};

/** Says what client and container are told when a stream ends so. */
export function planEnd(end: StreamEnd, policy: EndPolicy = {}): EndPlan {
  switch (end.kind) {
    case 'container_closed': {
      const isClean = end.code === NORMAL && policy.isEveryCloseAnError !== true;
      const plan: EndPlan = { closeCode: end.code };
      return isClean
        ? plan
        : { ...plan, exception: modelStreamError(formatCloseText(end), String(end.code)) };
    }
    case 'container_lost':
      return {
        closeCode: GOING_AWAY,
        exception: modelStreamError(formatCloseText({ code: 1006, reason: 'no close frame' }), BROKEN),
      };
    case 'container_broken': {
      const text = formatCloseText({ code: end.closeCode, reason: 'the container broke the protocol' });
      return { closeCode: end.closeCode, exception: modelStreamError(text, BROKEN) };
    }
    case 'container_silent': {
      const closeReason = 'keepalive ping timeout';
      const text = formatCloseText({ code: 1011, reason: closeReason });
      return { closeCode: 1011, closeReason, exception: modelStreamError(text, BROKEN) };
    }
    case 'client_done':
      if (policy.isHalfCloseAnError !== true) return { closeCode: NORMAL };
      return { closeCode: NORMAL, exception: modelStreamError('Input stream broken', BROKEN) };
    case 'client_gone':
      return { closeCode: GOING_AWAY };
    case 'client_event': {
      const [errorCode, message] = FAULTS[end.fault];
      return { closeCode: GOING_AWAY, exception: modelStreamError(message, errorCode) };
    }
    case 'time_limit': {
      const message = 'The stream reached its longest time; open another one.';
      return {
        closeCode: GOING_AWAY,
        exception: modelStreamError(message, 'ModelInvocationTimeExceeded'),
      };
    }
    case 'shutdown':
      return { closeCode: GOING_AWAY, exception: internalStreamFailure('The service is shutting down.') };
    case 'internal':
      return { closeCode: GOING_AWAY, exception: internalStreamFailure('The stand-in failed.') };
    default:
      return end satisfies never;
  }
}

function modelStreamError(message: string, errorCode: string): StreamException {
  return { name: 'ModelStreamError', members: { Message: message, ErrorCode: errorCode } };
}

function internalStreamFailure(message: string): StreamException {
  return { name: 'InternalStreamFailure', members: { Message: message } };
}
