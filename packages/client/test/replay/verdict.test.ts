import { TransportError } from '@kikitori/transport';
import { describe, expect, it } from 'vitest';
import { ClientError, fromConnectFailure, fromConnectionEnd, serverError } from '../../src/errors.js';
import { awayMsOf, verdictOf } from '../../src/replay/verdict.js';

const ended = (closeCode: number) =>
  fromConnectionEnd(new TransportError('peer_closed', 'Ended.', { closeCode }));
const refused = (httpStatus: number) =>
  fromConnectFailure(new TransportError('refused', 'Refused.', { httpStatus }));
const told = (code: string) => serverError({ error: 'text', code });

describe('verdictOf', () => {
  it.each([
    ['a restart, 1012', ended(1012), 'at_once'],
    ['an error whose code is a name that every object has', told('constructor'), 'never'],
    ['a server that tries to help itself, 1011', ended(1011), 'back_off'],
    ['a server that is full, 1013', ended(1013), 'back_off'],
    ['a breach of its rules, 1008', ended(1008), 'never'],
    ['a message that is too long, 1009', ended(1009), 'never'],
    ['a wrong key, 4401', ended(4401), 'never'],
    ['no sign of the peer', fromConnectionEnd(new TransportError('connection_lost', 'Lost.')), 'back_off'],
    ['a wrong key at the door', refused(401), 'never'],
    ['a place that is not there', refused(404), 'never'],
    ['too many at once', refused(429), 'back_off'],
    ['no room', refused(503), 'back_off'],
    ['nobody there', fromConnectFailure(new TransportError('connect_failed', 'No.')), 'back_off'],
    ['a session that is over its time', told('session_expired'), 'at_once'],
    ['a session that said nothing', told('idle_timeout'), 'when_needed'],
    ['a recogniser that is taken', told('engine_busy'), 'back_off'],
    ['a model that is not there', told('model_not_found'), 'never'],
    ['an argument that is wrong', new ClientError('invalid_argument', 'No.'), 'never'],
  ] as const)('%s', (_, error, verdict) => {
    expect(verdictOf(error, false)).toBe(verdict);
  });

  it('an end in order is mended in the middle of work, and waits for work when there is none', () => {
    const clean = fromConnectionEnd(undefined);
    expect([verdictOf(clean, false), verdictOf(clean, true)]).toEqual(['back_off', 'when_needed']);
  });
});

it('awayMsOf says whether nobody was there, and what was asked for', () => {
  const cause = new TransportError('refused', 'Later.', { httpStatus: 503, retryAfterMs: 2_000 });
  expect(awayMsOf(fromConnectFailure(cause))).toBe(2_000);
  expect(awayMsOf(refused(503))).toBe(0);
  for (const code of ['connect_failed', 'connect_timeout', 'connection_lost'] as const) {
    expect(awayMsOf(fromConnectionEnd(new TransportError(code, 'Nobody.'))), code).toBe(0);
  }
  // It is there and has trouble: hurrying makes that worse.
  for (const trouble of [ended(1011), ended(1013), told('processing_error')]) {
    expect(awayMsOf(trouble)).toBeUndefined();
  }
});
