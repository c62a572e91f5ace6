/**
 * Headers of the client that the model server gets. All others concern this line only (host, upgrade, extensions), or are
 * SageMaker's own affair. Extensions are not agreed on, on either line.
 */
export const PASSED_HEADERS: readonly string[] = [
  'authorization',
  'traceparent',
  'tracestate',
  'x-amzn-trace-id',
  'x-request-id',
];

/** Headers of a refusal that the client gets, besides the body. */
const PASSED_REFUSAL_HEADERS: readonly string[] = ['content-type', 'retry-after', 'www-authenticate'];

/** Headers of an answer to a file that the client gets: SageMaker hands on the attributes, our server's remarks are for people. */
const PASSED_ANSWER_HEADERS: readonly string[] = [
  ...PASSED_REFUSAL_HEADERS,
  'content-length',
  'cache-control',
  'x-amzn-sagemaker-custom-attributes',
  'x-kikitori-remarks',
  'x-request-id',
];

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What to send upstream. */
export function passedHeaders(headers: Headers): Record<string, string> {
  return pick(headers, PASSED_HEADERS);
}

/** What to send back with a refusal. */
export function refusalHeaders(headers: Headers): Record<string, string> {
  return pick(headers, PASSED_REFUSAL_HEADERS);
}

/** What to send back with the answer to a file. */
export function passedAnswerHeaders(headers: Headers): Record<string, string> {
  return pick(headers, PASSED_ANSWER_HEADERS);
}

/** Subprotocols that the client offered. */
export function offeredProtocols(headers: Headers): readonly string[] {
  const { 'sec-websocket-protocol': offered } = pick(headers, ['sec-websocket-protocol']);
  return (offered ?? '').split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]));
}

function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = headers[name];
      return value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const];
    }),
  );
}
