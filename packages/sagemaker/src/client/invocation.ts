import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { constants } from 'node:http2';
import { timerMs } from '@kikitori/core';
import { SageMakerError } from '../errors.js';
import { EVENT_STREAM_CONTENT_TYPE } from '../event-stream/request-signature.js';
import { SAGEMAKER_LIMITS } from '../limits.js';
import type { LinkedStream } from './link-pool.js';
import { failureOfAnswer } from './service-failure.js';

/** What bounds the wait for an answer. */
export interface AnswerOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told the service's clock, as every answer does. */
  readonly onServiceDate?: (dateMs: number) => void;
}

type Answer = IncomingHttpHeaders & { readonly ':status'?: number };

/**
 * Waits for the answer, and resolves with its request id: SageMaker gives it once the container has taken the WebSocket. The stream is reset unless the
 * answer is good.
 *
 * Rejects with `answer_timeout`, `answer_unexpected`, what `failureOfAnswer` makes of a refusal, `stream_reset`,
 * `line_lost`, `not_http2`, `no_sign_of_life`, or the signal's reason.
 */
export async function awaitAnswer(
  { stream, link }: LinkedStream,
  { timeoutMs, signal, onServiceDate }: AnswerOptions,
): Promise<string | undefined> {
  // Errors also come when nobody waits any more.
  stream.on('error', () => undefined);
  try {
    const answer = await headOf(stream, timeoutMs, signal, () => lossOf({ stream, link }));
    const dateMs = Date.parse(answer.date ?? '');
    if (!Number.isNaN(dateMs)) onServiceDate?.(dateMs);
    const requestId = requestIdOf(answer);
    if (answer[':status'] === 200 && answer['content-type']?.startsWith(EVENT_STREAM_CONTENT_TYPE) === true) {
      return requestId;
    }
    throw failureOfAnswer({
      status: answer[':status'] ?? 0,
      errorType: textOf(answer['x-amzn-errortype']),
      requestId,
      body: answer[':status'] === 200 ? '' : await bodyOf(stream, signal),
    });
  } catch (error) {
    stream.close(constants.NGHTTP2_CANCEL);
    throw error;
  }
}

/** Why a stream ended without an end: the line, or the stream alone. To be asked a turn after it closed. */
export function lossOf({ stream, link }: LinkedStream): SageMakerError {
  if (link.failure !== undefined) return link.failure;
  return new SageMakerError('stream_reset', { serviceCode: `HTTP/2 ${stream.rstCode ?? 0}` });
}

function headOf(
  stream: ClientHttp2Stream,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  loss: () => SageMakerError,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      stream.off('response', onResponse);
      stream.off('close', onClose);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal?.reason));
    const onResponse = (headers: Answer): void => settle(() => resolve(headers));
    // The link learns of its end a moment after its streams.
    const onClose = (): void => settle(() => setImmediate(() => reject(loss())));
    const timer = setTimeout(
      () => settle(() => reject(new SageMakerError('answer_timeout'))),
      timerMs(timeoutMs),
    );
    stream.on('response', onResponse);
    stream.on('close', onClose);
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
  });
}

/** The beginning of a body, as far as it comes in time. */
function bodyOf(stream: ClientHttp2Stream, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', settle);
      stream.off('data', onData);
      resolve(Buffer.concat(chunks).toString('utf8'));
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk.subarray(0, SAGEMAKER_LIMITS.answerBytesMax - bytes));
      bytes += chunk.byteLength;
      if (bytes >= SAGEMAKER_LIMITS.answerBytesMax) settle();
    };
    const timer = setTimeout(settle, SAGEMAKER_LIMITS.answerBodyTimeoutMs);
    signal?.addEventListener('abort', settle);
    stream.on('data', onData);
    stream.once('end', settle);
    stream.once('close', settle);
  });
}

function requestIdOf(answer: Answer): string | undefined {
  return (
    textOf(answer['x-amzn-requestid']) ??
    textOf(answer['x-amzn-request-id']) ??
    textOf(answer['x-amz-request-id'])
  );
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0];
}
