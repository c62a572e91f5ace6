import type { IncomingMessage } from 'node:http';
import type { Clock } from '@kikitori/core';
import { encodeException, encodePart } from '../event-stream/payload-part.js';
import { EVENT_STREAM_CONTENT_TYPE } from '../event-stream/request-signature.js';
import { passedAnswerHeaders } from './container-call.js';
import type { Exchange } from './exchange.js';
import type { StandInLimits } from './limits.js';

/** How a streamed answer ended. */
export type AnswerEnd = 'container_done' | 'container_lost' | 'time_limit' | 'client_gone';

/** What a streamed answer is sent with. */
export interface StreamedAnswerOptions {
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the container's time is over. */
  readonly late: AbortSignal;
}

/** What the client is told in its stream; the codes are AWS's. */
const EXCEPTIONS: Readonly<Partial<Record<AnswerEnd, readonly [code: string, message: string]>>> = {
  container_lost: ['StreamBroken', 'The container ended its answer in the middle.'],
  time_limit: ['ModelInvocationTimeExceeded', 'The answer took longer than it may.'],
};

/** Passes a container's answer on as it comes, each piece an event; a client that does not read makes the container wait. */
export async function streamAnswer(
  exchange: Exchange,
  answer: IncomingMessage,
  { limits, clock, headers, late }: StreamedAnswerOptions,
): Promise<{ readonly answerBytes: number; readonly end: AnswerEnd }> {
  const { 'content-type': type, ...passed } = passedAnswerHeaders(answer);
  const out = exchange.begin(200, {
    ...headers,
    ...passed,
    'content-type': EVENT_STREAM_CONTENT_TYPE,
    ...(type === undefined ? {} : { 'x-amzn-sagemaker-content-type': type }),
  });
  let answerBytes = 0;
  let cancelFlush: () => void = () => undefined;
  answer.on('data', (chunk: Buffer) => {
    answerBytes += chunk.length;
    if (out.write(encodePart({}, chunk)) || out.writableLength < limits.clientHighWaterBytes) return;
    answer.pause();
    cancelFlush();
    cancelFlush = clock.after(limits.flushMs, () => exchange.cut());
  });
  out.on('drain', () => {
    cancelFlush();
    answer.resume();
  });
  const end = await new Promise<AnswerEnd>((resolve) => {
    void exchange.closed.then(() => resolve('client_gone'));
    answer.once('end', () => resolve('container_done'));
    answer.once('close', () => resolve(late.aborted ? 'time_limit' : 'container_lost'));
  });
  cancelFlush();
  answer.destroy();
  const [code, message] = EXCEPTIONS[end] ?? [];
  if (code !== undefined) {
    out.write(encodeException('ModelStreamError', { Message: message, ErrorCode: code }));
  }
  exchange.end();
  return { answerBytes, end };
}
