import { expect, it } from 'vitest';
import { emfLine } from '../../src/metrics/emf.js';
import type { SessionRecord } from '../../src/session/record.js';

const record: SessionRecord = {
  id: 'abc',
  path: '/v1/realtime',
  reason: 'upstream_lost',
  durationMs: 1234.5,
  upstreamOpenMs: 3,
  firstMessageMs: 4.4,
  refusedStatus: undefined,
  fromClient: { messages: 7, payloadBytes: 700 },
  fromUpstream: { messages: 8, payloadBytes: 80 },
  clientCloseCode: undefined,
  clientToldCode: 1011,
  upstreamCloseCode: undefined,
  upstreamToldCode: undefined,
};

it('is one line of CloudWatch’s Embedded Metric Format, whose every metric has a value', () => {
  const line = emfLine(record, { sessionsActive: 2, unixMs: 1_700_000_000_000 });
  expect(line).not.toContain('\n');
  const { _aws: aws, ...values } = JSON.parse(line);
  expect(aws.Timestamp).toBe(1_700_000_000_000);
  const [directive] = aws.CloudWatchMetrics;
  expect(directive.Namespace).toBe('Kikitori/Bridge');
  expect(directive.Dimensions).toEqual([[], ['Reason']]);
  for (const { Name } of directive.Metrics) expect(typeof values[Name]).toBe('number');
  expect(values).toMatchObject({
    Reason: 'upstream_lost',
    EndedBy: 'upstream',
    Sessions: 1,
    SessionsFailed: 1,
    SessionsRefused: 0,
    SessionsActive: 2,
    SessionDuration: 1235,
    BytesFromClient: 700,
    MessagesToClient: 8,
    TimeToFirstMessage: 4,
  });
});

it('leaves out a time that there was not', () => {
  const line = emfLine(
    { ...record, reason: 'client_closed', firstMessageMs: undefined, refusedStatus: 401 },
    { namespace: 'X', sessionsActive: 0, unixMs: 1 },
  );
  expect(line).not.toContain('TimeToFirstMessage');
  expect(JSON.parse(line)).toMatchObject({ SessionsFailed: 0, SessionsRefused: 1 });
});
