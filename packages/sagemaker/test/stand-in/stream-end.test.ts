import { describe, expect, it } from 'vitest';
import { parseCloseText } from '../../src/event-stream/close-text.js';
import { type EndPolicy, planEnd, type StreamEnd } from '../../src/stand-in/stream-end.js';

const closed = (code: number, reason = ''): StreamEnd => ({ kind: 'container_closed', code, reason });
const broken = (Message: string): object => ({
  name: 'ModelStreamError',
  members: { Message, ErrorCode: 'StreamBroken' },
});

describe('the plan for an end', () => {
  it.each<[string, StreamEnd, number, object | undefined, EndPolicy?]>([
    ['a Close 1000 of the container', closed(1000, 'bye'), 1000, undefined],
    [
      'a Close 1000 where every close is an error',
      closed(1000, 'bye'),
      1000,
      {
        name: 'ModelStreamError',
        members: { Message: 'WebSocket closed with code 1000: bye', ErrorCode: '1000' },
      },
      { isEveryCloseAnError: true },
    ],
    [
      'a Close 1011 of the container',
      closed(1011, 'engine died'),
      1011,
      {
        name: 'ModelStreamError',
        members: { Message: 'WebSocket closed with code 1011: engine died', ErrorCode: '1011' },
      },
    ],
    [
      'a Close without a code',
      closed(1005),
      1005,
      {
        name: 'ModelStreamError',
        members: { Message: 'WebSocket closed with code 1005', ErrorCode: '1005' },
      },
    ],
    [
      'a lost container',
      { kind: 'container_lost' },
      1001,
      broken('WebSocket closed with code 1006: no close frame'),
    ],
    [
      'a container that breaks the protocol',
      { kind: 'container_broken', closeCode: 1009 },
      1009,
      broken('WebSocket closed with code 1009: the container broke the protocol'),
    ],
    [
      'a container that does not answer pings',
      { kind: 'container_silent' },
      1011,
      broken('WebSocket closed with code 1011: keepalive ping timeout'),
    ],
    ['the end of the client’s input', { kind: 'client_done' }, 1000, undefined],
    [
      'the end of the client’s input where that is an error',
      { kind: 'client_done' },
      1000,
      broken('Input stream broken'),
      { isHalfCloseAnError: true },
    ],
    ['a client that is gone', { kind: 'client_gone' }, 1001, undefined],
    [
      'a wrong signature',
      { kind: 'client_event', fault: 'signature' },
      1001,
      {
        name: 'ModelStreamError',
        members: { Message: 'The signature of an event does not match.', ErrorCode: 'InvalidSignature' },
      },
    ],
    [
      'an event that is too long',
      { kind: 'client_event', fault: 'oversized' },
      1001,
      {
        name: 'ModelStreamError',
        members: { Message: 'An event is longer than allowed.', ErrorCode: 'InvalidEvent' },
      },
    ],
    [
      'the longest time',
      { kind: 'time_limit' },
      1001,
      {
        name: 'ModelStreamError',
        members: {
          Message: 'The stream reached its longest time; open another one.',
          ErrorCode: 'ModelInvocationTimeExceeded',
        },
      },
    ],
    [
      'the end of the stand-in',
      { kind: 'shutdown' },
      1001,
      { name: 'InternalStreamFailure', members: { Message: 'The service is shutting down.' } },
    ],
    [
      'a fault of the stand-in',
      { kind: 'internal' },
      1001,
      { name: 'InternalStreamFailure', members: { Message: 'The stand-in failed.' } },
    ],
  ])('tells both sides of %s', (_name, end, closeCode, exception, policy) => {
    const plan = planEnd(end, policy);
    expect(plan.closeCode).toBe(closeCode);
    expect(plan.exception).toStrictEqual(exception);
  });

  it('puts close code and reason where our own client finds them', () => {
    const { exception } = planEnd(closed(1012, 'restarting'));
    expect(parseCloseText(exception?.members['Message'] ?? '')).toStrictEqual({
      code: 1012,
      reason: 'restarting',
    });
  });
});
