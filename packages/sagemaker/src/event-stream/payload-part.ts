import { type EventHeader, type EventHeaders, encodeHeaders } from './headers.js';
import { encodeMessage } from './message.js';

/** How a part travels on the WebSocket behind SageMaker: a text or a binary frame. */
export type DataType = 'UTF8' | 'BINARY';
/** PARTIAL: more parts of the same message follow (a WebSocket fragment). Absent means COMPLETE. */
export type CompletionState = 'PARTIAL' | 'COMPLETE';

/** The headers of a `PayloadPart` event; all may be absent. */
export interface PartHeaders {
  readonly dataType?: DataType | undefined;
  readonly completionState?: CompletionState | undefined;
  /** `P`: padding against guessing contents by their length. */
  readonly padding?: string | undefined;
}

/** What one message inside a stream says. */
export type StreamEvent =
  | { readonly kind: 'part'; readonly headers: PartHeaders }
  /** A modelled failure (`name` is the shape) or an unmodelled one; a JSON body is in the payload. */
  | {
      readonly kind: 'exception';
      readonly name: string;
      /** Unmodelled: what `:error-message` says. */
      readonly text: string | undefined;
    }
  /** Something that this version of the protocol does not name; to be skipped. */
  | { readonly kind: 'unknown' };

/** Failures of the model of the service that can stand inside a stream. */
export const STREAM_EXCEPTIONS: ReadonlySet<string> = new Set(['ModelStreamError', 'InternalStreamFailure']);

const text = (value: string): EventHeader => ({ type: 'string', value });

function partHeaderEntries({ dataType, completionState, padding }: PartHeaders): [string, EventHeader][] {
  const entries: [string, EventHeader][] = [
    [':event-type', text('PayloadPart')],
    [':message-type', text('event')],
    [':content-type', text('application/octet-stream')],
  ];
  // The order of AWS's JavaScript client.
  if (dataType !== undefined) entries.push(['DataType', text(dataType)]);
  if (completionState !== undefined) entries.push(['CompletionState', text(completionState)]);
  if (padding !== undefined) entries.push(['P', text(padding)]);
  return entries;
}

/** The block of headers of a `PayloadPart`. `RangeError` for a padding above 32,767 bytes. */
export function encodePartHeaders(headers: PartHeaders): Uint8Array {
  return encodeHeaders(partHeaderEntries(headers));
}

/** A `PayloadPart` as it stands in a response; in a request it is the payload of a signed envelope. */
export function encodePart(headers: PartHeaders, payload: Uint8Array): Uint8Array {
  return encodeMessage(partHeaderEntries(headers), payload);
}

/** A failure inside a response, in the encoding of Smithy: `:message-type` exception, JSON body. */
export function encodeException(name: string, body: Readonly<Record<string, unknown>>): Uint8Array {
  return encodeMessage(
    [
      [':message-type', text('exception')],
      [':exception-type', text(name)],
      [':content-type', text('application/json')],
    ],
    Buffer.from(JSON.stringify(body), 'utf8'),
  );
}

const known = new WeakMap<EventHeaders, StreamEvent>();

/**
 * Says what the headers of a message mean. The order of headers does not matter, and neither encoding of failures:
 * `:message-type` exception, or (seen in the wild) an event whose type is the name of a failure.
 */
export function readStreamEvent(headers: EventHeaders): StreamEvent {
  // The decoder gives the same map for the same bytes, which is nearly always.
  const before = known.get(headers);
  if (before !== undefined) return before;
  const event = interpret(headers);
  known.set(headers, event);
  return event;
}

function interpret(headers: EventHeaders): StreamEvent {
  const eventType = textOf(headers, ':event-type');
  switch (textOf(headers, ':message-type')) {
    case 'exception':
      return { kind: 'exception', name: textOf(headers, ':exception-type') ?? '', text: undefined };
    case 'error':
      return {
        kind: 'exception',
        name: textOf(headers, ':error-code') ?? '',
        text: textOf(headers, ':error-message'),
      };
    case 'event':
      if (eventType === 'PayloadPart') return { kind: 'part', headers: readPartHeaders(headers) };
      if (eventType !== undefined && STREAM_EXCEPTIONS.has(eventType)) {
        return { kind: 'exception', name: eventType, text: undefined };
      }
      return { kind: 'unknown' };
    default:
      return { kind: 'unknown' };
  }
}

function readPartHeaders(headers: EventHeaders): PartHeaders {
  const dataType = textOf(headers, 'DataType');
  const completionState = textOf(headers, 'CompletionState');
  return {
    dataType: dataType === 'UTF8' || dataType === 'BINARY' ? dataType : undefined,
    completionState:
      completionState === 'PARTIAL' || completionState === 'COMPLETE' ? completionState : undefined,
    padding: textOf(headers, 'P'),
  };
}

function textOf(headers: EventHeaders, name: string): string | undefined {
  const header = headers.get(name);
  return header?.type === 'string' ? header.value : undefined;
}
