import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { RuntimeRequest } from './request.js';

/** Headers of a request that the container gets; SageMaker strips all others. */
const PASSED_HEADERS: readonly string[] = [
  'content-type',
  'accept',
  'x-amzn-sagemaker-custom-attributes',
  'x-amzn-sagemaker-enable-explanations',
  'x-amzn-sagemaker-inference-id',
  'x-amzn-sagemaker-session-id',
  'x-amzn-sagemaker-target-model',
];

/** Headers of a container's answer that the client gets. */
const PASSED_ANSWER_HEADERS: readonly string[] = [
  'content-type',
  'x-amzn-sagemaker-closed-session-id',
  'x-amzn-sagemaker-custom-attributes',
  'x-amzn-sagemaker-new-session-id',
];

/** What is sent to a container, and where it listens: `ws://host:port`. */
export interface ContainerCall {
  readonly containerUrl: string;
  readonly request: RuntimeRequest;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

/** Sends a body to a container's `/invocations`. Resolves with the head of its answer, or undefined where there is none. Never rejects. */
export function callContainer(call: ContainerCall): Promise<IncomingMessage | undefined> {
  const { containerUrl, request, body, signal } = call;
  const { 'x-amzn-sagemaker-accept': accept } = request.headers;
  const url = new URL('/invocations', containerUrl.replace(/^ws/, 'http'));
  return new Promise((resolve) => {
    const asked = httpRequest(url, {
      method: 'POST',
      agent: false,
      signal,
      headers: {
        ...pick(request.headers, PASSED_HEADERS),
        // By this name where the answer is streamed.
        ...(accept === undefined ? {} : { accept }),
        'content-length': body.length,
      },
    });
    asked.on('error', () => resolve(undefined));
    asked.on('response', (answer) => {
      answer.on('error', () => undefined);
      resolve(answer);
    });
    asked.end(body);
  });
}

/** What of the head of a container's answer its client gets. */
export function passedAnswerHeaders({ headers }: IncomingMessage): Record<string, string> {
  return pick(headers, PASSED_ANSWER_HEADERS);
}

function pick(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, String(value)] as const];
    }),
  );
}
